import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import { isAppError } from '../../../base/errors.ts'
import type { JsonObject } from '../../../base/json.ts'
import { compileSchema } from '../../../base/json-schema.ts'
import { allowed, listen } from '../../../outbound/test-server.ts'
import { createBuiltinTools } from '../registry.ts'
import { testContext } from '../test-context.ts'

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

describe('http_get and http_request', () => {
  it('gives status, chosen headers and the parsed body', async () => {
    await using site = await start((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', etag: '"1"', 'set-cookie': 'secret=1' })
      response.end('{"ok":true}')
    })
    assert.deepEqual(await site.call('http_get', { url: `${site.url}/a`, query: { q: 'ä b', n: 5 } }), {
      status: 200,
      headers: { 'content-type': 'application/json', etag: '"1"' },
      body: { ok: true },
      truncated: false,
    })
    assert.deepEqual(site.seen[0]?.url, '/a?q=%C3%A4+b&n=5')
    assert.equal(site.seen[0]?.headers['idempotency-key'], undefined)
  })

  it('does not throw for an error status: the agent shall see it', async () => {
    await using site = await start((_request, response) =>
      response.writeHead(404, { 'content-type': 'text/plain' }).end('gone'),
    )
    const output = await site.call('http_get', { url: site.url })
    assert.deepEqual(output, {
      status: 404,
      headers: { 'content-type': 'text/plain' },
      body: 'gone',
      truncated: false,
    })
  })

  it('sends a body as JSON or text, with the idempotency key of the call', async () => {
    await using site = await start((request, response, body) =>
      response.end(`${request.headers['content-type']} ${body}`),
    )
    const post = (body: string | JsonObject) =>
      site.call('http_request', { method: 'POST', url: site.url, body })
    assert.match(JSON.stringify(await post({ a: 1 })), /application\/json \{\\"a\\":1\}/)
    assert.match(JSON.stringify(await post('hi')), /text\/plain; charset=utf-8 hi/)
    assert.equal(site.seen[0]?.headers['idempotency-key'], 'key-1')
  })

  it('cuts long bodies and says so, and shows no bytes of pictures', async () => {
    await using site = await start((request, response) => {
      if (request.url === '/png')
        response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.alloc(100))
      else response.writeHead(200, { 'content-type': 'text/plain' }).end('\u0001'.repeat(400_000))
    })
    const long = await site.call('http_get', { url: site.url })
    assert.ok(JSON.stringify(long).length < 262_144)
    assert.match(JSON.stringify(long), /"truncated":true/)
    assert.match(
      JSON.stringify(await site.call('http_get', { url: `${site.url}/png` })),
      /\(100 bytes of image\/png\)/,
    )
  })

  it('does not parse JSON with keys that reach prototypes', async () => {
    await using site = await start((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"__proto__":{"a":1}}')
    })
    const output = await site.call('http_get', { url: site.url })
    assert.match(JSON.stringify(output), /"body":"\{\\"__proto__\\"/)
  })

  it('takes paths below the base URL, and sends the headers of the definition there only', async () => {
    await using other = await start((_request, response) => response.end())
    await using site = await start((request, response) => {
      if (request.url === '/v1/away') response.writeHead(302, { location: other.url }).end()
      else response.end()
    })
    const config = { base_url: `${site.url}/v1`, headers: { 'X-Api-Key': 'secret' } }
    await site.call('http_get', { url: '/orders', headers: { 'x-api-key': 'mine' } }, config)
    assert.equal(site.seen[0]?.url, '/v1/orders')
    assert.equal(site.seen[0]?.headers['x-api-key'], 'secret')
    for (const url of [
      other.url,
      `${site.url}/admin`,
      '/../admin',
      '/%2e%2e/admin',
      '//example.com/',
      '/away',
    ]) {
      await assert.rejects(
        site.call('http_get', { url }, config),
        (error) => isAppError(error, 'outbound.refused'),
        url,
      )
    }
    assert.equal(other.seen.length, 0)
  })

  it('calls only the allowed hosts', async () => {
    await using site = await start((_request, response) => response.end())
    const hosts = (...allowed_hosts: string[]) => site.call('http_get', { url: site.url }, { allowed_hosts })
    await hosts('127.0.0.1')
    await hosts(new URL(site.url).host)
    for (const host of ['example.com', '*.0.0.1.example.com', '127.0.0.1:1']) {
      await assert.rejects(hosts(host), /this tool may only call/)
    }
  })

  it('refuses a config that would spread its headers, or has unknown keys', async () => {
    await using site = await start((_request, response) => response.end())
    const call = (config: JsonObject) => site.call('http_get', { url: site.url }, config)
    await assert.rejects(call({ headers: { a: 'b' } }), /need a place to go/)
    await assert.rejects(call({ base_uri: site.url }), /config\/base_uri is not allowed here/)
  })

  it('refuses the internal network, whatever the config says', async () => {
    await using site = await start((_request, response) => response.end())
    const config = { allowed_hosts: ['169.254.169.254'] }
    const call = site.call('http_get', { url: 'http://169.254.169.254/latest/' }, config)
    await assert.rejects(call, (error) => isAppError(error, 'outbound.refused'))
  })
})

describe('createBuiltinTools', () => {
  it('has schemas that are valid, and effects that fit', async () => {
    await using fetch = allowed([])
    const tools = createBuiltinTools({ fetch, collections: {} })
    const facts = [...tools.values()].map(({ name, effect, untrusted }) => `${name} ${effect} ${untrusted}`)
    assert.deepEqual(facts, [
      'calculator read false',
      'current_time read false',
      'search_documents read false',
      'http_get read true',
      'http_request once true',
    ])
    for (const tool of tools.values()) {
      compileSchema(tool.inputSchema)
      compileSchema(tool.outputSchema)
    }
  })
})

async function start(handler: Handler) {
  const seen: IncomingMessage[] = []
  const server = await listen(async (request, response) => {
    seen.push(request)
    let body = ''
    for await (const chunk of request) body += chunk
    handler(request, response, body)
  })
  const fetch = allowed(server)
  const tools = createBuiltinTools({ fetch, collections: {} })
  const call = async (name: string, input: JsonObject, config: JsonObject = {}) => {
    const tool = tools.get(name)
    assert.ok(tool)
    assert.deepEqual(
      compileSchema(tool.inputSchema)(tool.name === 'http_get' ? { method: 'GET', ...input } : input),
      [],
    )
    const output = await tool.call(input, config, testContext())
    assert.deepEqual(compileSchema(tool.outputSchema)(output), [])
    return output
  }
  const close = async () => {
    await fetch[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  }
  return { url: server.url, seen, call, [Symbol.asyncDispose]: close }
}
