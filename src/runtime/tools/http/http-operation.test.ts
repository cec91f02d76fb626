import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import { isAppError } from '../../../base/errors.ts'
import type { JsonObject } from '../../../base/json.ts'
import type { HttpImplementation } from '../../../contract/tool.ts'
import { allowed, listen } from '../../../outbound/test-server.ts'
import { testContext } from '../test-context.ts'
import { callHttpOperation } from './http-operation.ts'
import { type HttpParameter, placeParameters } from './http-parameters.ts'

describe('callHttpOperation', () => {
  it('fills path, query, headers, cookies and body, and gives status and body', async () => {
    await using api = await start((_request, response) => {
      response.writeHead(201, { 'content-type': 'application/json' }).end('{"id":7}')
    })
    const output = await api.call(
      {
        method: 'POST',
        path: '/shops/{shop}/orders',
        parameters: [
          { property: 'shop', name: 'shop', in: 'path' },
          { property: 'dry', name: 'dry-run', in: 'query' },
          { property: 'trace', name: 'X-Trace', in: 'header' },
          { property: 'lang', name: 'lang', in: 'cookie' },
          { property: 'unused', name: 'unused', in: 'query' },
        ],
        body: { property: 'body', mediaType: 'application/json' },
        headers: { Authorization: 'Bearer secret' },
      },
      { shop: 'a/b c', dry: true, trace: 't1', lang: 'de', body: { total: 5 } },
    )
    assert.deepEqual(output, { status: 201, body: { id: 7 } })
    const [seen] = api.seen
    assert.equal(seen?.url, '/v1/shops/a%2Fb%20c/orders?dry-run=true')
    assert.equal(seen?.headers['x-trace'], 't1')
    assert.equal(seen?.headers.cookie, 'lang=de')
    assert.equal(seen?.headers.authorization, 'Bearer secret')
    assert.equal(seen?.headers['idempotency-key'], 'key-1')
    assert.equal(seen?.headers['content-type'], 'application/json')
    assert.equal(api.bodies[0], '{"total":5}')
  })

  it('sends no idempotency key with a GET, and no body where none is given', async () => {
    await using api = await start((_request, response) => response.writeHead(204).end())
    const operation = { path: '/orders', body: { property: 'body', mediaType: 'application/json' } }
    assert.deepEqual(await api.call(operation, {}), { status: 204, body: null })
    assert.equal(api.seen[0]?.headers['idempotency-key'], undefined)
    assert.equal(api.seen[0]?.headers['content-type'], undefined)
  })

  it('encodes forms, and refuses a body that it cannot make', async () => {
    await using api = await start((_request, response) => response.end())
    const send = (mediaType: string) => {
      const operation = { method: 'POST', path: '/', body: { property: 'body', mediaType } } as const
      return api.call(operation, { body: { a: '1 2', b: ['x', 'y'] } })
    }
    await send('application/x-www-form-urlencoded')
    assert.equal(api.bodies[0], 'a=1+2&b=x&b=y')
    await assert.rejects(send('multipart/form-data'), (error) => isAppError(error, 'definition.invalid'))
  })

  it('fails with status, the beginning of the body on one line, and when to try again', async () => {
    await using api = await start((_request, response) => {
      response
        .writeHead(503, { 'content-type': 'text/plain', 'retry-after': '7' })
        .end(`busy\r\n\u001b[31mred ${'x'.repeat(900)}`)
    })
    await assert.rejects(api.call({ path: '/orders' }, {}), (error) => {
      assert.ok(isAppError(error, 'tool.failed'))
      assert.match(error.message, /^GET \/orders answered with status 503: busy \[31mred x+…$/)
      assert.ok(error.message.length < 400)
      assert.equal(error.retryAfterMs, 7_000)
      return true
    })
  })

  it('never leaves the origin of its base URL', async () => {
    await using other = await start((_request, response) => response.end())
    await using api = await start((_request, response) =>
      response.writeHead(307, { location: other.url }).end(),
    )
    const headers = { authorization: 'secret' }
    await assert.rejects(api.call({ path: '/', headers }, {}), (error) =>
      isAppError(error, 'outbound.refused'),
    )
    await assert.rejects(api.call({ baseUrl: 'http://127.0.0.1', path: '@example.com/' }, {}), (error) =>
      isAppError(error),
    )
    assert.equal(other.seen.length, 0)
  })
})

describe('placeParameters', () => {
  const place = (parameter: Partial<HttpParameter>, value: JsonObject[string]) => {
    const whole: HttpParameter = { property: 'p', name: 'p', in: 'query', ...parameter }
    return placeParameters(
      whole.in === 'path' ? '/{p}' : '/',
      [whole],
      value === undefined ? {} : { p: value },
    )
  }

  it('writes lists and objects in the styles of OpenAPI', () => {
    const list = ['a', 'b']
    const object = { x: 1, y: 2 }
    const query = (parameter: Partial<HttpParameter>, value: JsonObject[string]) =>
      place(parameter, value)
        .query.map((pair) => pair.join('='))
        .join('&')
    assert.equal(query({}, list), 'p=a&p=b')
    assert.equal(query({ explode: false }, list), 'p=a,b')
    assert.equal(query({ style: 'spaceDelimited' }, list), 'p=a b')
    assert.equal(query({ style: 'pipeDelimited' }, list), 'p=a|b')
    assert.equal(query({}, object), 'x=1&y=2')
    assert.equal(query({ explode: false }, object), 'p=x,1,y,2')
    assert.equal(query({ style: 'deepObject' }, object), 'p[x]=1&p[y]=2')
    assert.equal(place({ in: 'path' }, list).path, '/a%2Cb')
    assert.equal(place({ in: 'header', explode: true }, object).headers.p, 'x=1,y=2')
  })

  it('lets no value change the path', () => {
    assert.equal(place({ in: 'path' }, '../admin?x#y').path, '/..%2Fadmin%3Fx%23y')
    assert.equal(place({ in: 'path' }, '$&').path, '/%24%26')
    for (const value of ['.', '..', '']) {
      assert.throws(
        () => place({ in: 'path' }, value),
        (error) => isAppError(error, 'tool.input-invalid'),
      )
    }
  })

  it('says what is missing or has no form', () => {
    assert.throws(
      () => placeParameters('/', [{ property: 'a/b', name: 'x', in: 'query', required: true }], {}),
      (error) => isAppError(error, 'tool.input-invalid') && error.errors[0]?.path === '/a~1b',
    )
    assert.throws(() => place({}, [[1]]), /must not hold lists or objects inside/)
    assert.throws(() => placeParameters('/{open}', [], {}), /no parameter for \{open\}/)
  })
})

async function start(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: IncomingMessage[] = []
  const bodies: string[] = []
  const server = await listen(async (request, response) => {
    seen.push(request)
    let body = ''
    for await (const chunk of request) body += chunk
    bodies.push(body)
    handler(request, response)
  })
  const fetch = allowed(server)
  const call = (operation: Partial<HttpImplementation>, input: JsonObject) => {
    const whole = {
      type: 'http',
      method: 'GET',
      baseUrl: `${server.url}/v1/`,
      path: '/',
      ...operation,
    } as const
    return callHttpOperation(fetch, whole, input, testContext())
  }
  const close = async () => {
    await fetch[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  }
  return { url: server.url, seen, bodies, call, [Symbol.asyncDispose]: close }
}
