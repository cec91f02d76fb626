// What only a real connection shows: lengths, chunks, cuts, and the connection afterwards.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { createAdaptorServer } from '@hono/node-server'
import { BODY_BYTES_MAX } from '../base/limits.ts'
import { type ApiBench, openApiBench } from './api-bench.test.ts'

describe('over a connection', () => {
  let bench: ApiBench
  let server: ReturnType<typeof createAdaptorServer>
  let port = 0
  before(async () => {
    bench = await openApiBench({ working: false })
    server = createAdaptorServer({ fetch: bench.api.fetch, overrideGlobalObjects: false })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  after(async () => {
    await new Promise((resolve) => {
      server.close(resolve)
      if ('closeAllConnections' in server) server.closeAllConnections()
    })
    await bench[Symbol.asyncDispose]()
  })

  const head = (rows: readonly string[]): string =>
    [
      'POST /api/v1/agents HTTP/1.1',
      'Host: x',
      `Authorization: Bearer ${bench.ada.key}`,
      'Content-Type: application/json',
      ...rows,
      '',
      '',
    ].join('\r\n')

  /** Sends the parts and answers what came back until the server closed, or until `until` was seen. */
  async function talk(parts: readonly string[], until: RegExp): Promise<string> {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8')
    await once(socket, 'connect')
    let text = ''
    const seen = Promise.withResolvers<void>()
    socket.on('data', (chunk: string) => {
      text += chunk
      if (until.test(text)) seen.resolve()
    })
    socket.on('close', () => seen.resolve())
    socket.on('error', () => seen.resolve())
    for (const part of parts) socket.write(part)
    await seen.promise
    socket.destroy()
    return text
  }

  it('a body that is announced too large is refused before it is sent', async () => {
    const text = await talk([head([`Content-Length: ${BODY_BYTES_MAX + 1}`])], /request\.too-large/)
    assert.match(text, /^HTTP\/1\.1 413 [^\r]+\r\n/)
  })

  it('a body in chunks is refused once it is too large', async () => {
    const chunk = `10000\r\n${' '.repeat(65_536)}\r\n`
    const parts = [head(['Transfer-Encoding: chunked']), ...Array.from({ length: 18 }, () => chunk)]
    assert.match(await talk(parts, /request\.too-large/), /^HTTP\/1\.1 413 /)
  })

  it('a body that is cut harms nobody', async () => {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(`${head(['Content-Length: 1000'])}{"name":`)
    await new Promise((resolve) => setTimeout(resolve, 20))
    socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.ok(!bench.logged.some(({ level }) => level === 'error'))
    assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200)
  })

  it('two requests on one connection are answered in their order', async () => {
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
    const text = await talk([get('/livez') + get('/api/v1/nothing')], /route\.not-found/)
    assert.ok(text.indexOf('"ok"') >= 0 && text.indexOf('"ok"') < text.indexOf('route.not-found'))
  })

  it('a header cannot be smuggled into the log or the answer', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/me`, {
      headers: { 'x-request-id': 'a\tb\u00ff' },
    })
    assert.match(response.headers.get('x-request-id') ?? '', /^req_/)
    await response.text()
  })
})
