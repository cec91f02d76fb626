import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { isAppError } from '../base/errors.ts'
import { createGuardedFetch } from './guarded-fetch.ts'
import { allowed, listen } from './test-server.ts'

const PUBLIC = { address: '93.184.216.34', family: 4 } as const
const LOOPBACK = { address: '127.0.0.1', family: 4 } as const

describe('createGuardedFetch', () => {
  it('answers with status, headers and body, and sends ours', async () => {
    await using server = await listen((request, response) => {
      response.writeHead(201, { 'x-seen': `${request.method} ${request.url} ${request.headers['x-mine']}` })
      request.pipe(response)
    })
    await using send = allowed(server)
    const answer = await send({
      method: 'POST',
      url: `${server.url}/a?b=1`,
      headers: { 'X-Mine': 'yes' },
      body: 'hé',
    })
    assert.equal(answer.status, 201)
    assert.equal(answer.headers['x-seen'], 'POST /a?b=1 yes')
    assert.equal(Buffer.from(answer.body).toString(), 'hé')
    assert.equal(answer.truncated, false)
  })

  it('refuses a loopback server that is not on the list, without connecting', async () => {
    let requests = 0
    await using server = await listen((_request, response) => {
      requests += 1
      response.end()
    })
    await using send = createGuardedFetch({ schemes: ['http'], ports: [server.port] })
    await assert.rejects(send({ method: 'GET', url: server.url }), code('outbound.refused'))
    assert.equal(requests, 0)
  })

  it('refuses a name that leads to a private address, and does not show the address', async () => {
    await using send = createGuardedFetch({ resolve: async () => [{ address: '10.1.2.3', family: 4 }] })
    await assert.rejects(send({ method: 'GET', url: 'https://rebind.example.com/' }), (error) => {
      assert.ok(isAppError(error, 'outbound.refused'))
      assert.match(error.message, /rebind\.example\.com/)
      assert.doesNotMatch(error.message, /10\.1\.2\.3/)
      return true
    })
  })

  it('refuses a name of which only one address is private', async () => {
    await using send = createGuardedFetch({ resolve: async () => [PUBLIC, LOOPBACK] })
    await assert.rejects(send({ method: 'GET', url: 'https://mixed.example.com/' }), code('outbound.refused'))
  })

  it('leaves no second look at the name server: one resolution per connection', async () => {
    let resolutions = 0
    await using server = await listen((_request, response) => response.end('here'))
    await using send = createGuardedFetch({
      allowHosts: [`pinned.example.com:${server.port}`],
      resolve: async () => {
        resolutions += 1
        return resolutions === 1 ? [LOOPBACK] : [{ address: '10.0.0.1', family: 4 }]
      },
    })
    const answer = await send({ method: 'GET', url: `http://pinned.example.com:${server.port}/` })
    assert.equal(Buffer.from(answer.body).toString(), 'here')
    assert.equal(resolutions, 1)
  })

  it('says that a name does not exist', async () => {
    const resolve = async () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }))
    await using send = createGuardedFetch({ resolve })
    await assert.rejects(send({ method: 'GET', url: 'https://gone.example.com/' }), /the name does not exist/)
  })

  it('says that nothing answers on a port, without the address', async () => {
    const server = await listen((_request, response) => response.end())
    await server[Symbol.asyncDispose]()
    await using send = createGuardedFetch({
      allowHosts: [`down.example.com:${server.port}`],
      resolve: async () => [LOOPBACK],
    })
    await assert.rejects(send({ method: 'GET', url: `http://down.example.com:${server.port}/` }), (error) => {
      assert.ok(isAppError(error, 'outbound.failed'))
      assert.match(error.message, /nothing answers on that port/)
      assert.doesNotMatch(error.message, /127\.0\.0\.1/)
      return true
    })
  })
})

describe('limits of a guarded fetch', () => {
  const limits = { responseBytesMax: 1_000, timeoutMs: 300 }

  it('refuses a body over the limit, or cuts it on request', async () => {
    await using server = await listen((_request, response) => response.end('x'.repeat(5_000)))
    await using send = allowed(server, limits)
    await assert.rejects(send({ method: 'GET', url: server.url }), /longer than the limit of 1000 bytes/)
    const cut = await send({ method: 'GET', url: server.url, onTooLong: 'truncate', responseBytesMax: 10 })
    assert.equal(Buffer.from(cut.body).toString(), 'x'.repeat(10))
    assert.equal(cut.truncated, true)
  })

  it('stops a compression bomb at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000))
    await using server = await listen((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
    })
    await using send = allowed(server, { responseBytesMax: 100_000 })
    const before = process.memoryUsage().arrayBuffers
    await assert.rejects(send({ method: 'GET', url: server.url }), /longer than the limit/)
    assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000)
  })

  it('stops a compressed answer that is endless and says nothing', async () => {
    // Empty stored blocks (RFC 1951, 3.2.4): any number of them is no byte of content.
    const head = Buffer.from('1f8b0800000000000003', 'hex')
    const empty = Buffer.alloc(50_000, Buffer.from('000000ffff', 'hex'))
    await using server = await listen((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      response.end(Buffer.concat([head, empty]))
    })
    await using send = allowed(server, { responseBytesMax: 10_000 })
    await assert.rejects(send({ method: 'GET', url: server.url }), /longer than the limit/)
  })

  it('reads compressed answers, and refuses a broken or unknown compression', async () => {
    await using server = await listen((request, response) => {
      if (request.url === '/good')
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello'))
      else if (request.url === '/broken')
        response.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip')
      else response.writeHead(200, { 'content-encoding': 'zstd, gzip' }).end('x')
    })
    await using send = allowed(server)
    const answer = await send({ method: 'GET', url: `${server.url}/good` })
    assert.equal(Buffer.from(answer.body).toString(), 'hello')
    await assert.rejects(send({ method: 'GET', url: `${server.url}/broken` }), /not compressed as it says/)
    await assert.rejects(send({ method: 'GET', url: `${server.url}/odd` }), /was not asked for/)
    assert.equal((await send({ method: 'HEAD', url: `${server.url}/good` })).status, 200)
  })

  it('gives up on a body that trickles, in the time for the whole exchange', async () => {
    await using server = await listen((_request, response) => {
      const timer = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(timer))
    })
    await using send = allowed(server, limits)
    const started = performance.now()
    await assert.rejects(send({ method: 'GET', url: server.url }), /took longer than 300 ms/)
    assert.ok(performance.now() - started < 2_000)
  })

  it('gives up on a server that never answers', async () => {
    await using server = await listen(() => undefined)
    await using send = allowed(server, limits)
    await assert.rejects(send({ method: 'GET', url: server.url }), code('outbound.failed'))
  })

  it('refuses headers of an answer over the limit', async () => {
    await using server = await listen((_request, response) => {
      response.writeHead(200, { 'x-long': 'x'.repeat(30_000) }).end()
    })
    await using send = allowed(server)
    await assert.rejects(send({ method: 'GET', url: server.url }), /headers of the answer are too long/)
  })

  it('refuses to send a body over the limit', async () => {
    await using server = await listen((_request, response) => response.end())
    await using send = allowed(server, { requestBytesMax: 3 })
    await assert.rejects(send({ method: 'POST', url: server.url, body: 'four' }), code('outbound.refused'))
  })

  it('stops when the caller aborts, with the reason of the caller', async () => {
    await using server = await listen(() => undefined)
    await using send = allowed(server)
    const abort = new AbortController()
    const reason = new Error('cancelled')
    setTimeout(() => abort.abort(reason), 30)
    await assert.rejects(send({ method: 'GET', url: server.url }, abort.signal), (error) => error === reason)
    await assert.rejects(send({ method: 'GET', url: server.url }, abort.signal), (error) => error === reason)
  })

  for (const [name, value] of [
    ['Host', 'internal'],
    ['Transfer-Encoding', 'chunked'],
    ['Connection', 'upgrade'],
    ['X-Line', 'a\r\nX-Other: b'],
    ['Bad Name', 'x'],
  ] as const) {
    it(`refuses the header ${name}: ${JSON.stringify(value)}`, async () => {
      await using send = createGuardedFetch({ resolve: async () => [PUBLIC] })
      const request = { method: 'GET', url: 'https://example.com/', headers: { [name]: value } }
      await assert.rejects(send(request), code('outbound.refused'))
    })
  }

  it('refuses the methods TRACE and CONNECT', async () => {
    await using send = createGuardedFetch({ resolve: async () => [PUBLIC] })
    for (const method of ['TRACE', 'CONNECT', 'get']) {
      await assert.rejects(send({ method, url: 'https://example.com/' }), code('outbound.refused'))
    }
  })

  it('fails with outbound.failed once it is closed', async () => {
    await using server = await listen((_request, response) => response.end())
    const send = allowed(server)
    await send[Symbol.asyncDispose]()
    await assert.rejects(send({ method: 'GET', url: server.url }), code('outbound.failed'))
  })
})

function code(expected: 'outbound.refused' | 'outbound.failed') {
  return (error: unknown) => isAppError(error, expected)
}
