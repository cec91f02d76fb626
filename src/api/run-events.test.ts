import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { createAdaptorServer } from '@hono/node-server'
import type { RunId } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import type { RunSignal } from '../runtime/runtime.ts'
import { readEventStream, type ServerSentEvent } from '../sdk/event-stream.ts'
import { adminOf } from '../storage/admin.ts'
import { AGENT, type ApiBench, at, openApiBench } from './api-bench.test.ts'
import { runStream } from './run-stream.ts'

const SLOW = () => ({ text: 'Good morning, everyone.', chunkChars: 5, chunkDelayMs: 15, delayMs: 30 })

async function read(response: Response, until = Number.POSITIVE_INFINITY): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = []
  if (!response.body) return events
  for await (const event of readEventStream(response.body)) {
    events.push(event)
    if (events.length >= until) break
  }
  return events
}

describe('the events of a run', () => {
  let bench: ApiBench
  let server: ReturnType<typeof createAdaptorServer>
  let url = ''
  before(async () => {
    bench = await openApiBench({ script: SLOW, deps: { heartbeatMs: 40 } })
    await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
    server = createAdaptorServer({ fetch: bench.api.fetch, overrideGlobalObjects: false })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(async () => {
    await new Promise((resolve) => {
      server.close(resolve)
      if ('closeAllConnections' in server) server.closeAllConnections()
    })
    await bench[Symbol.asyncDispose]()
  })
  const start = async (): Promise<string> => {
    const run = await bench.send('POST', '/api/v1/agents/guide/runs', { body: { input: 'Hi' } })
    return `${url}/api/v1/runs/${at(run.json, 'id')}/events`
  }
  const headers = (more: Record<string, string> = {}) => ({
    authorization: `Bearer ${bench.ada.key}`,
    ...more,
  })

  it('arrive live over HTTP, numbered without a gap, with passing text between them, and end with the run', async () => {
    const response = await fetch(await start(), { headers: headers() })
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
    assert.equal(response.headers.get('x-accel-buffering'), 'no')
    assert.equal(response.headers.get('cache-control'), 'no-store')
    const events = await read(response)
    const stored = events.filter(({ event }) => event !== 'model.delta')
    assert.deepEqual(
      stored.map(({ id }) => Number(id)),
      stored.map((_, i) => i + 1),
    )
    assert.equal(stored.at(-1)?.event, 'run.completed')
    const deltas = events.filter(({ event }) => event === 'model.delta')
    assert.ok(deltas.length > 1 && deltas.every(({ id }) => id === undefined))
    const said = deltas.map(({ data }) => at(JSON.parse(data), 'delta', 'text')).join('')
    assert.equal(said, 'Good morning, everyone.')
    assert.equal(typeof at(JSON.parse(stored[0]?.data ?? ''), 'run_id'), 'string')
  })

  it('go on after the last one seen, by header or query, and are over after the last', async () => {
    const path = await start()
    const all = (await read(await fetch(path, { headers: headers() }))).filter(({ id }) => id !== undefined)
    const ids = all.map(({ id }) => id)
    const byHeader = await read(
      await fetch(`${path}?after=1`, { headers: headers({ 'last-event-id': '2' }) }),
    )
    assert.deepEqual(
      byHeader.map(({ id }) => id),
      ids.slice(2),
    )
    const byQuery = await read(await fetch(`${path}?after=3`, { headers: headers() }))
    assert.deepEqual(
      byQuery.map(({ id }) => id),
      ids.slice(3),
    )
    const over = await fetch(path, { headers: headers({ 'last-event-id': ids.at(-1) ?? '' }) })
    assert.equal(over.status, 204)
    const odd = await fetch(path, { headers: headers({ 'last-event-id': 'x' }) })
    assert.equal(odd.status, 422)
    await odd.text()
  })

  it('are a page for those who accept only JSON', async () => {
    const path = await start()
    await read(await fetch(path, { headers: headers() }))
    const local = path.slice(url.length)
    const page = await bench.send('GET', `${local}?limit=2`, { headers: { accept: 'application/json' } })
    assert.deepEqual(
      (at(page.json, 'items') as Json[]).map((item) => at(item, 'run_seq')),
      [1, 2],
    )
    const next = await bench.send('GET', `${local}?limit=2&cursor=${at(page.json, 'next_cursor')}`, {
      headers: { accept: 'application/json' },
    })
    assert.deepEqual(
      (at(next.json, 'items') as Json[]).map((item) => at(item, 'run_seq')),
      [3, 4],
    )
  })

  it('are not there for another tenant, nor for HEAD', async () => {
    const path = (await start()).slice(url.length)
    const other = await bench.account()
    const refused = await bench.send('GET', path, { key: other.key })
    assert.deepEqual([refused.status, at(refused.json, 'code')], [404, 'run.not-found'])
    const head = await bench.send('HEAD', path)
    assert.deepEqual([head.status, head.text], [200, ''])
  })

  it('end within a second of a revocation, or where the key may no more, and so does a wait', async () => {
    await using own = await openApiBench({
      script: () => ({ text: 'A secret, told slowly and at length.', chunkChars: 2, chunkDelayMs: 100 }),
    })
    await own.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
    const run = await own.send('POST', '/api/v1/agents/guide/runs', { body: { input: 'Hi' } })
    const path = `/api/v1/runs/${at(run.json, 'id')}`
    const { key } = await own.account({ tenantId: own.ada.tenantId })
    const me = await own.send('GET', '/api/v1/me', { key })
    const init = { headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream' } }
    const response = await own.api.request(`${path}/events`, init)
    const events = read(response)
    const waited = own.send('GET', `${path}?wait=10`, { key })
    const narrowed = await own.account({
      tenantId: own.ada.tenantId,
      permissions: ['READ_RUNS', 'READ_AGENTS'],
    })
    const narrowedInit = { headers: { ...init.headers, authorization: `Bearer ${narrowed.key}` } }
    const narrowedEvents = read(await own.api.request(`${path}/events`, narrowedInit))
    const narrowedWait = own.send('GET', `${path}?wait=10`, { key: narrowed.key })
    await new Promise((resolve) => setTimeout(resolve, 150))
    const revokedAt = performance.now()
    await own.send('DELETE', `/api/v1/api-keys/${at(me.json, 'api_key_id')}`)
    const sql = `update api_keys set permissions = '["READ_AGENTS"]' where permissions = '["READ_RUNS","READ_AGENTS"]'`
    await adminOf(own.db).session((session) => session.script(sql))
    const told = await events
    assert.ok(performance.now() - revokedAt < 1_000)
    assert.ok(told.length > 0 && !told.some(({ event }) => event === 'run.completed'))
    assert.deepEqual([(await waited).status, at((await waited).json, 'code')], [401, 'auth.invalid'])
    assert.ok(!(await narrowedEvents).some(({ event }) => event === 'run.completed'))
    assert.deepEqual(
      [(await narrowedWait).status, at((await narrowedWait).json, 'code')],
      [403, 'access.denied'],
    )
    assert.equal(at((await own.send('GET', path)).json, 'state'), 'completed')
  })

  it('carry reasoning only to those who may read prompts', async () => {
    await using own = await openApiBench({
      script: () => ({ reasoning: 'Hm, a trap.', text: 'Hello.', delayMs: 50 }),
    })
    await own.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
    const user = await own.account({ tenantId: own.ada.tenantId, role: 'USER' })
    const told = async ({ key }: { readonly key: string }) => {
      const run = await own.send('POST', '/api/v1/agents/guide/runs', { key, body: { input: 'Hi' } })
      const init = { headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream' } }
      return JSON.stringify(
        await read(await own.api.request(`/api/v1/runs/${at(run.json, 'id')}/events`, init)),
      )
    }
    const [toUser, toAdmin] = [await told(user), await told(own.ada)]
    assert.match(toUser, /Hello.*run\.completed/)
    assert.doesNotMatch(toUser, /trap/)
    assert.match(toAdmin, /trap/)
  })

  it('end early when the server stops, so that the client goes elsewhere', async () => {
    await using own = await openApiBench({ working: false })
    await own.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
    const run = await own.send('POST', '/api/v1/agents/guide/runs', { body: { input: 'Hi' } })
    const init = { headers: { authorization: `Bearer ${own.ada.key}` } }
    const response = await own.api.request(`/api/v1/runs/${at(run.json, 'id')}/events`, init)
    const events = read(response)
    setTimeout(() => own.stop.abort(), 50)
    assert.deepEqual(
      (await events).map(({ event }) => event),
      ['run.requested'],
    )
  })
})

const OPEN = { mayGoOn: async () => true, mayReadPrompts: true }

describe('a stream', () => {
  const event = (runSeq: number): RunSignal => ({
    type: 'event',
    event: { type: 'run.started', runId: 'run_x' as RunId, runSeq, actor: 'system', data: {}, occurredAt: 0 },
  })
  const onFailure = (): void => undefined

  it('says that it is alive while nothing happens', async () => {
    const gone = new AbortController()
    const body = runStream(
      async function* (signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
      { ...OPEN, stop: gone.signal, heartbeatMs: 5, onFailure },
    )
    const reader = body.getReader()
    const decoder = new TextDecoder()
    const next = async () => decoder.decode((await reader.read()).value)
    assert.equal(await next(), 'retry: 1000\n\n')
    assert.equal(await next(), ': still here\n\n')
    gone.abort()
    while (!(await reader.read()).done);
  })

  it('asks for no more than its reader takes', async () => {
    let made = 0
    let ended = false
    const body = runStream(
      async function* () {
        try {
          for (;;) {
            made += 1
            yield event(made)
          }
        } finally {
          ended = true
        }
      },
      { ...OPEN, stop: new AbortController().signal, onFailure },
    )
    const reader = body.getReader()
    for (let i = 0; i < 4; i++) await reader.read()
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.ok(made <= 6, String(made))
    await reader.cancel()
    await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(ended, true)
  })

  it('ends without a last event when its source fails, and tells the log', async () => {
    const failures: unknown[] = []
    const body = runStream(
      async function* () {
        yield event(1)
        throw new Error('the database is gone')
      },
      { ...OPEN, stop: new AbortController().signal, onFailure: (error) => failures.push(error) },
    )
    const text = await new Response(body).text()
    assert.match(text, /id: 1\n/)
    assert.equal(failures.length, 1)
  })
})
