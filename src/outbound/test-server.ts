// An HTTP server on loopback for the tests of outbound requests.

import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuardedFetch, type GuardedFetch, type OutboundPolicy } from './guarded-fetch.ts'

export interface TestServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
}

export async function listen(handler: RequestListener): Promise<TestServer> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}`, port, [Symbol.asyncDispose]: close }
}

/** A guarded fetch that may call these servers. */
export function allowed(
  servers: TestServer | readonly TestServer[],
  policy: OutboundPolicy = {},
): GuardedFetch {
  const allowHosts = [servers].flat().map(({ port }) => `127.0.0.1:${port}`)
  return createGuardedFetch({ allowHosts, ...policy })
}
