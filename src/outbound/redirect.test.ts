import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { describe, it } from 'node:test'
import { isAppError } from '../base/errors.ts'
import { allowed, listen } from './test-server.ts'

describe('redirects of a guarded fetch', () => {
  for (const target of [
    'http://169.254.169.254/latest/',
    'http://localhost/',
    'file:///etc/passwd',
    'http://2130706433/',
  ]) {
    it(`refuses one to ${target}`, async () => {
      await using server = await listen((_request, response) =>
        response.writeHead(302, { location: target }).end(),
      )
      await using send = allowed(server)
      await assert.rejects(send({ method: 'GET', url: server.url }), code('outbound.refused'))
    })
  }

  it('follows one within the origin and keeps its headers', async () => {
    await using server = await listen((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/next' }).end('moved')
      else response.end(request.headers.authorization)
    })
    await using send = allowed(server)
    const answer = await send({ method: 'GET', url: server.url, headers: { authorization: 'Bearer secret' } })
    assert.equal(Buffer.from(answer.body).toString(), 'Bearer secret')
    assert.equal(answer.url, `${server.url}/next`)
  })

  it('takes no credentials to another origin, under whatever name', async () => {
    await using other = await listen((request, response) => response.end(JSON.stringify(request.headers)))
    await using server = await listen((_request, response) =>
      response.writeHead(307, { location: other.url }).end(),
    )
    await using send = allowed([server, other])
    const headers = {
      authorization: 'secret',
      cookie: 'secret',
      'x-api-key': 'secret',
      'accept-language': 'de',
    }
    const answer = await send({ method: 'GET', url: server.url, headers })
    const seen = Buffer.from(answer.body).toString()
    assert.doesNotMatch(seen, /secret/)
    assert.match(seen, /"accept-language":"de"/)
  })

  it('turns a POST into a GET without body on 302 and 303', async () => {
    for (const status of [302, 303]) {
      await using server = await listen((request, response) => {
        if (request.url === '/') response.writeHead(status, { location: '/next' }).end()
        else
          response.end(
            `${request.method} ${request.headers['content-type']} ${request.headers['content-length']}`,
          )
      })
      await using send = allowed(server)
      const headers = { 'content-type': 'text/plain' }
      const answer = await send({ method: 'POST', url: server.url, headers, body: 'x' })
      assert.equal(Buffer.from(answer.body).toString(), 'GET undefined undefined')
    }
  })

  it('repeats method and body on 307, but to no other origin', async () => {
    await using other = await listen((_request, response) => response.end())
    await using server = await listen(async (request, response) => {
      if (request.url === '/same') response.writeHead(307, { location: '/end' }).end()
      else if (request.url === '/end') response.end(`${request.method} ${await text(request)}`)
      else response.writeHead(307, { location: other.url }).end()
    })
    await using send = allowed([server, other])
    const answer = await send({ method: 'POST', url: `${server.url}/same`, body: 'x' })
    assert.equal(Buffer.from(answer.body).toString(), 'POST x')
    await assert.rejects(send({ method: 'POST', url: server.url, body: 'x' }), code('outbound.refused'))
  })

  it('asks the caller of each target', async () => {
    await using other = await listen((_request, response) => response.end())
    await using server = await listen((_request, response) =>
      response.writeHead(302, { location: other.url }).end(),
    )
    await using send = allowed([server, other])
    const refuseUrl = (url: URL) => (url.origin === server.url ? undefined : 'only one server may be called')
    await assert.rejects(send({ method: 'GET', url: server.url, refuseUrl }), /only one server may be called/)
  })

  it('stops after the limit', async () => {
    await using server = await listen((_request, response) =>
      response.writeHead(302, { location: '/' }).end(),
    )
    await using send = allowed(server)
    await assert.rejects(send({ method: 'GET', url: server.url }), /redirected more than 5 times/)
  })
})

async function text(request: IncomingMessage): Promise<string> {
  let all = ''
  for await (const chunk of request) all += chunk
  return all
}

function code(expected: 'outbound.refused') {
  return (error: unknown) => isAppError(error, expected)
}
