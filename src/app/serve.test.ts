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

  it('refuses headers that are too long', async () => {
    const server = await open(() => new Response()).server
    await use(server, async () => {
      const socket = connect(server.port, '127.0.0.1')
      socket.write(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)
      const [answer] = await once(socket, 'data')
      assert.match(String(answer), /^HTTP\/1.1 431/)
      socket.destroy()
    })
  })
})

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
