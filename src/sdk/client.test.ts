import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createAdaptorServer } from '@hono/node-server'
import { type ApiBench, openApiBench } from '../api/api-bench.test.ts'
import type { SessionId } from '../base/ids.ts'
import { ROUTES } from '../contract/routes.ts'
import { ApiError, Client, ConnectionError, isApiError, type RunStreamItem } from '../sdk.ts'
import { type FlakyProxy, openFlakyProxy } from './flaky-proxy.test.ts'

const SLOW = () => ({ text: 'Good morning, everyone.', chunkChars: 4, chunkDelayMs: 10, delayMs: 20 })
const retry = { baseMs: 1, maxMs: 5 }
const guide = { name: 'guide', instructions: 'Help.', model: 'scripted/test' }

describe('the client', () => {
  let bench: ApiBench
  let proxy: FlakyProxy
  let client: Client
  let server: ReturnType<typeof createAdaptorServer>
  before(async () => {
    bench = await openApiBench({ script: SLOW })
    server = createAdaptorServer({ fetch: bench.api.fetch, overrideGlobalObjects: false })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    proxy = await openFlakyProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    client = new Client({ baseUrl: `${proxy.url}/`, apiKey: bench.ada.key, retry })
    await client.createAgent(guide, { publish: true })
  })
  beforeEach(() => {
    proxy.fates.length = 0
    proxy.seen.length = 0
  })
  after(async () => {
    client.close()
    await proxy[Symbol.asyncDispose]()
    await new Promise((resolve) => {
      server.close(resolve)
      if ('closeAllConnections' in server) server.closeAllConnections()
    })
    await bench[Symbol.asyncDispose]()
  })

  it('has a method for every route but those for machines', () => {
    const methods = methodsOf(Client.prototype)
    const machines = new Set([
      'livez',
      'readyz',
      'metrics',
      'openapi',
      'docs',
      'startRun',
      'startWorkflow',
      'receiveWebhook',
      'receiveStripeEvent',
      'openApprovalLink',
      'answerApprovalLink',
    ])
    for (const id of Object.keys(ROUTES)) if (!machines.has(id)) assert.ok(methods.has(id), id)
  })

  it('speaks camelCase and keeps what is the user’s', async () => {
    const outputSchema = { type: 'object', properties: { camelCase: {}, snake_case: {} } }
    const definition = { ...guide, name: 'shaped', modelSettings: { topP: 0.5 }, outputSchema }
    const made = await client.createAgent(definition)
    assert.deepEqual(made.definition, definition)
    assert.equal(made.publishedVersion, null)
    const updated = await client.updateAgent(
      'shaped',
      { ...definition, instructions: 'More.' },
      { expectedVersion: 1 },
    )
    assert.equal(updated.latestVersion, 2)
    const late = client.updateAgent('shaped', definition, { expectedVersion: 1 })
    await assert.rejects(late, (error) => isApiError(error, 'version.conflict') && error.status === 409)
    const { changes } = await client.diffAgent('shaped', 1, 2)
    assert.equal(changes[0]?.path, '/instructions')
    await client.publishAgent('shaped', { version: 1 })
    assert.equal((await client.getAgent(made.id)).status, 'published')
    const versions = await Array.fromAsync(client.listAgentVersions('shaped', { limit: 1 }))
    assert.deepEqual(
      versions.map(({ version }) => version),
      [2, 1],
    )
    await client.deleteAgent('shaped')
    await assert.rejects(client.getAgent('shaped'), (error) => isApiError(error, 'agent.not-found'))
  })

  it('tells each wrong field of a refusal, with the request’s id', async () => {
    const wrong = client.createAgent({ ...guide, name: 'Not A Name' })
    await assert.rejects(wrong, (error: unknown) => {
      assert.ok(error instanceof ApiError)
      assert.deepEqual([error.code, error.status], ['request.invalid', 422])
      assert.equal(error.errors[0]?.path, '/name')
      assert.match(error.requestId ?? '', /^req_/)
      return true
    })
    const stranger = new Client({ baseUrl: proxy.url, apiKey: 'af_x', retry: false })
    await assert.rejects(stranger.whoami(), (error) => isApiError(error, 'auth.invalid'))
  })

  it('gives a list as its first page, or every item of it', async () => {
    for (let i = 0; i < 5; i++) {
      const implementation = {
        type: 'http',
        method: 'GET',
        baseUrl: 'https://example.com',
        path: '/',
      } as const
      await client.createTool({ name: `tool-${i}`, description: 'x', implementation })
    }
    const page = await client.listTools({ limit: 2 })
    assert.deepEqual([page.items.length, typeof page.nextCursor], [2, 'string'])
    const names: string[] = []
    for await (const tool of client.listTools({ limit: 2 })) names.push(tool.name)
    assert.deepEqual(names.toSorted(), ['tool-0', 'tool-1', 'tool-2', 'tool-3', 'tool-4'])
    const rest = await client.listTools({ limit: 2, cursor: page.nextCursor ?? '' })
    assert.equal(names.indexOf(rest.items[0]?.name ?? ''), 2)
  })

  it('runs and waits, or does not', async () => {
    const run = await client.runAgent('guide', 'Hi')
    assert.deepEqual([run.state, run.output], ['completed', 'Good morning, everyone.'])
    const started = await client.runAgent('guide', { input: { question: 'Hi' } }, { wait: false })
    assert.ok(['queued', 'running'].includes(started.state))
    assert.equal((await client.waitForRun(started.id)).state, 'completed')
    const early = await client.runAgent('guide', 'Hi', { waitMs: 5 })
    assert.notEqual(early.state, 'completed')
    const steps = await client.listSteps(run.id)
    assert.equal(steps.items[0]?.kind, 'model')
    const calls = await client.listModelCalls(run.id)
    const call = await client.getModelCall(calls.items[0]?.id ?? '')
    assert.deepEqual(call.response, [{ type: 'text', text: 'Good morning, everyone.' }])
    const session = await client.createSession('guide')
    await client.runAgent('guide', { input: 'Hi', sessionId: session.id })
    assert.equal((await client.listSessionTurns(session.id)).items.length, 1)
    assert.equal((await client.listRuns({ sessionId: session.id })).items.length, 1)
  })

  it('tries again after 503s, cuts and lost answers, and makes one thing', async () => {
    proxy.fates.push({ status: 503 }, 'lose-request', 'lose-answer')
    const made = await client.createSession('guide')
    assert.equal(proxy.seen.length, 4)
    const keys = new Set(proxy.seen.map(({ headers }) => headers['idempotency-key']))
    assert.equal(keys.size, 1)
    assert.ok(!keys.has(undefined))
    const rows = await bench.db.tenant(bench.ada.tenantId).read((reader) =>
      reader.query((db, tenantId) =>
        db
          .selectFrom('sessions')
          .select('id')
          .where('tenantId', '=', tenantId)
          .where('id', '>=', made.id as SessionId),
      ),
    )
    assert.equal(rows.length, 1)
  })

  it('waits as long as the server asks, and not for ever', async () => {
    proxy.fates.push({ status: 429, retryAfter: '1' })
    const begun = performance.now()
    await client.whoami()
    assert.ok(performance.now() - begun >= 950)
    proxy.fates.push({ status: 503, retryAfter: '3600' })
    await assert.rejects(client.whoami(), (error) => isApiError(error, 'server.unavailable'))
    proxy.fates.push(...Array.from({ length: 4 }, () => ({ status: 502 })))
    await assert.rejects(client.whoami(), (error) => isApiError(error) && error.status === 502)
  })

  it('does not repeat what may have had its effect, nor what was refused', async () => {
    proxy.fates.push('lose-answer')
    await assert.rejects(client.testTool('nothing', {}), ConnectionError)
    assert.equal(proxy.seen.length, 1)
    await assert.rejects(client.getRun('run_x'), (error) => isApiError(error, 'run.not-found'))
    assert.equal(proxy.seen.length, 2)
  })

  it('takes a deletion whose answer was lost for done', async () => {
    await client.createAgent({ ...guide, name: 'short-lived' })
    proxy.fates.push('lose-answer')
    await client.deleteAgent('short-lived')
  })

  it('streams a run over cut connections, each event once and in order', async () => {
    for (const cutAfterBytes of [1, 60, 400, 900]) {
      const run = await client.runAgent('guide', 'Hi', { wait: false })
      proxy.fates.push({ cutAfterBytes }, { status: 503 }, { cutAfterBytes: cutAfterBytes * 2 })
      const items: RunStreamItem[] = await Array.fromAsync(client.streamRun(run.id))
      const seqs = items.flatMap((item) => (item.type === 'event' ? [item.event.runSeq] : []))
      assert.deepEqual(
        seqs,
        seqs.map((_, i) => i + 1),
      )
      const last = items.at(-1)
      assert.equal(last?.type === 'event' && last.event.type, 'run.completed')
    }
    assert.ok(proxy.seen.some(({ headers }) => Number(headers['last-event-id']) > 0))
  })

  it('streams nothing more of a run that has ended, and stops when it is told to', async () => {
    const run = await client.runAgent('guide', 'Hi')
    const all = await Array.fromAsync(client.streamRun(run.id))
    assert.deepEqual(await Array.fromAsync(client.streamRun(run.id, { after: all.length })), [])
    const stop = new AbortController()
    const started = await client.runAgent('guide', 'Hi', { wait: false })
    const watch = async (): Promise<void> => {
      for await (const _ of client.streamRun(started.id, { signal: stop.signal }))
        stop.abort(new Error('enough'))
    }
    await assert.rejects(watch(), /enough/)
    await assert.rejects(Array.fromAsync(client.streamRun('run_x')), (error) =>
      isApiError(error, 'run.not-found'),
    )
  })

  it('gives up after the time limit, and ends what is open when it is closed', async () => {
    const hang: typeof fetch = (_, init) =>
      new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
    const slow = new Client({ baseUrl: proxy.url, apiKey: 'x', fetch: hang, timeoutMs: 10, retry: false })
    await assert.rejects(
      slow.whoami(),
      (error) => error instanceof ConnectionError && /in time/.test(error.message),
    )
    let open: Promise<unknown>
    {
      await using short = new Client({ baseUrl: proxy.url, apiKey: 'x', fetch: hang })
      open = short.whoami()
      open.catch(() => undefined)
    }
    await assert.rejects(open, /closed/)
    assert.throws(() => new Client({ baseUrl: 'ftp://x' }), /baseUrl must be a URL/)
  })

  it('sends its credential as a bearer, whatever it is called', async () => {
    const withToken = new Client({ baseUrl: proxy.url, token: bench.ada.key })
    const me = await withToken.whoami()
    assert.equal(me.tenantId, bench.ada.tenantId)
    assert.equal((await withToken.getTenant(me.tenantId)).name, 'Ada & Co')
    const { key, id } = await withToken.createApiKey({ name: 'ci', permissions: ['READ_AGENTS'] })
    assert.match(key ?? '', /^af_/)
    await withToken.revokeApiKey(id)
    assert.ok((await withToken.getApiKey(id)).revokedAt)
    assert.ok((await withToken.listAudit({ limit: 1 })).items[0]?.type.startsWith('api-key.'))
  })
})

/** The names of the methods that an object of that prototype has, wherever in the chain they stand. */
function methodsOf(prototype: object): ReadonlySet<string> {
  const names = new Set<string>()
  for (let of = prototype; of !== Object.prototype; of = Object.getPrototypeOf(of) as object)
    for (const name of Object.getOwnPropertyNames(of)) names.add(name)
  return names
}
