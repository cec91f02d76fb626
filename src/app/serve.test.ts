import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { createLogger } from '../operations/logging/logger.ts'
import { type RunningServer, serve } from './serve.ts'

function open(fetch: (request: Request) => Response | Promise<Response>, shutdownTimeoutMs = 2_000) {
  const lines: string[] = []
  const service = { name: 'agent-factory', version: '1' }
  const write = (line: string): void => void lines.push(line)
  const log = createLogger({ level: 'info', format: 'json', secrets: [], service, color: false, write })
  let stopping = false
  const served = {
    fetch,
    log,
    stopping: () => {
      stopping = true
    },
  }
  return {
    server: serve(served, { host: '127.0.0.1', port: 0, shutdownTimeoutMs }),
    lines,
    stopping: () => stopping,
  }
}

async function use(server: RunningServer, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } finally {
    await server.stop()
  }
}

describe('the server', () => {
  it('answers on the port that it names', async () => {
    const server = await open(() => new Response('hello')).server
    await use(server, async () => assert.equal(await (await fetch(server.url)).text(), 'hello'))
    await assert.rejects(fetch(server.url))
  })

  it('says in one line that the port is in use', async () => {
    const server = await open(() => new Response()).server
    await use(server, async () => {
      const second = serve(
        { fetch: () => new Response(), log: createSilent(), stopping: () => undefined },
        { host: '127.0.0.1', port: server.port, shutdownTimeoutMs: 0 },
      )
      await assert.rejects(second, {
        code: 'settings.invalid',
        message: new RegExp(`^Port ${server.port} is in use: [^\n]+$`),
      })
    })
  })

  it('finishes requests under way when it stops, and takes no new ones', async () => {
    const begun = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    const opened = open(async () => {
      begun.resolve()
      await finish.promise
      return new Response('done')
    })
    const server = await opened.server
    const answer = fetch(server.url)
    await begun.promise
    const stopped = server.stop()
    assert.equal(opened.stopping(), true)
    await assert.rejects(fetch(server.url))
    finish.resolve()
    assert.equal(await (await answer).text(), 'done')
    const start = performance.now()
    await stopped
    // Not the keep-alive time of a minute.
    assert.ok(performance.now() - start < 1_000)
  })

  it('cuts off what takes longer than the limit', async () => {
    const begun = Promise.withResolvers<void>()
    const { server: starting, lines } = open(() => {
      begun.resolve()
      return new Promise(() => undefined)
    }, 50)
    const server = await starting
    const answer = fetch(server.url)
    await begun.promise
    await Promise.all([server.stop(), assert.rejects(answer)])
    assert.match(lines.join(''), /requests were cut off/)
  })

  it('leaves the classes of the host as they are', async () => {
    const server = await open(() => new Response('hello')).server
    await use(server, async () => {
      const response = await fetch(new Request(server.url))
      assert.ok(response instanceof Response)
      await response.text()
    })
  })

  it('refuses headers that are too long, or too many', async () => {
    const server = await open(() => new Response()).server
    await use(server, async () => {
      const socket = connect(server.port, '127.0.0.1')
      socket.write(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)
      const [answer] = await once(socket, 'data')
      assert.match(String(answer), /^HTTP\/1.1 431/)
      socket.destroy()
      const many = Array.from({ length: 150 }, (_, at) => `x-${at}: 1\r\n`).join('')
      assert.match(
        await talk(server.port, `GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${many}\r\n`),
        /^HTTP\/1.1 431/,
      )
    })
  })

  it('answers what has no readable address with a problem and an id', async () => {
    const server = await open(() => new Response()).server
    await use(server, async () => {
      const close = 'Connection: close\r\n\r\n'
      const requests = [
        `GET / HTTP/1.1\r\nHost: a b\r\n${close}`,
        `GET / HTTP/1.1\r\nHost: x@y/z\r\n${close}`,
        `OPTIONS * HTTP/1.1\r\nHost: a\r\n${close}`,
        `GET /api\\v1 HTTP/1.1\r\nHost: a\r\n${close}`,
      ]
      for (const request of requests) {
        const answer = await talk(server.port, request)
        assert.match(answer, /^HTTP\/1\.1 400 /, request)
        assert.match(answer, /\r\ncontent-type: application\/problem\+json\r\n/i)
        assert.match(answer, /\r\nx-request-id: req_/i)
        assert.match(answer, /"code":"request\.malformed"/)
      }
    })
  })

  it('answers an old client that names no host, as health checks do', async () => {
    const server = await open(({ url }) => new Response(url)).server
    await use(server, async () => {
      assert.match(await talk(server.port, 'GET /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 .*\/livez$/s)
    })
  })

  it('tells nobody but the log why a handler failed', async () => {
    const opened = open(() => Promise.reject(new Error('the inside')))
    const server = await opened.server
    await use(server, async () => {
      const response = await fetch(server.url)
      const text = await response.text()
      assert.equal(response.status, 500)
      assert.match(text, /"code":"internal"/)
      assert.doesNotMatch(text, /inside/)
      assert.match(opened.lines.join(''), /the inside/)
    })
  })
})

/** Sends the text and answers all that comes back until the server closes. */
async function talk(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  let answer = ''
  socket.on('data', (chunk: string) => {
    answer += chunk
  })
  socket.write(text)
  await once(socket, 'close')
  return answer
}

function createSilent() {
  return createLogger({
    level: 'silent',
    format: 'json',
    secrets: [],
    service: { name: 'a', version: '1' },
    color: false,
    write: () => undefined,
  })
}
