// For tests of the SDK: a proxy between client and server that fails as networks do.

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What becomes of one request: passed on, answered 503, lost before or after the server saw it, cut in its answer. */
export type Fate =
  | 'pass'
  | { readonly status: number; readonly retryAfter?: string }
  | 'lose-request'
  | 'lose-answer'
  | { readonly cutAfterBytes: number }

export interface FlakyProxy extends AsyncDisposable {
  readonly url: string
  /** The fates of the next requests, in order; then all pass. */
  readonly fates: Fate[]
  /** Each request that came: method, path, headers. */
  readonly seen: {
    readonly method: string
    readonly path: string
    readonly headers: IncomingMessage['headers']
  }[]
}

export async function openFlakyProxy(target: string): Promise<FlakyProxy> {
  const fates: Fate[] = []
  const seen: FlakyProxy['seen'] = []
  const server = createServer((incoming, outgoing) => {
    seen.push({ method: incoming.method ?? '', path: incoming.url ?? '', headers: incoming.headers })
    answer(fates.shift() ?? 'pass', target, incoming, outgoing)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fates,
    seen,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(fate: Fate, target: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (fate === 'lose-request') return void incoming.socket.destroy()
  if (typeof fate === 'object' && 'status' in fate) {
    const headers = fate.retryAfter === undefined ? {} : { 'retry-after': fate.retryAfter }
    return void outgoing
      .writeHead(fate.status, { 'content-type': 'text/html', ...headers })
      .end('<h1>Not now</h1>')
  }
  const { method, headers } = incoming
  const upstream = request(`${target}${incoming.url}`, { method: method ?? 'GET', headers }, (answered) => {
    if (fate === 'lose-answer') {
      answered.resume()
      answered.on('end', () => incoming.socket.destroy())
      return
    }
    outgoing.writeHead(answered.statusCode ?? 500, answered.headers)
    let left = typeof fate === 'object' ? fate.cutAfterBytes : Number.POSITIVE_INFINITY
    answered.on('data', (chunk: Buffer) => {
      outgoing.write(chunk.subarray(0, left))
      left -= chunk.length
      if (left <= 0) incoming.socket.destroy()
    })
    answered.on('end', () => outgoing.end())
  })
  upstream.on('error', () => outgoing.destroy())
  outgoing.on('close', () => upstream.destroy())
  incoming.pipe(upstream)
}
