import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { defineAgent, defineTool } from '../define.ts'
import { createLogger, type Logger } from '../operations/logging/logger.ts'
import { type App, compose, type Overrides } from './compose.ts'
import { ensureFirstAdmin } from './credentials.ts'
import { EMPTY_PROJECT, type HostProject, syncHostProject } from './host-code.ts'
import { readSettings, type Settings } from './settings.ts'

const double = defineTool({
  name: 'double_number',
  description: 'Doubles a number.',
  effect: 'read',
  input: { type: 'object', properties: { number: { type: 'number' } }, required: ['number'] },
  run: ({ number }) => ({ doubled: Number(number) * 2 }),
})
const doubler = defineAgent({
  name: 'doubler',
  instructions: 'Double.',
  model: 'offline/extractive',
  tools: [double],
})
const HOST: HostProject = { ...EMPTY_PROJECT, agents: [doubler], codeTools: [double] }

describe('the application', () => {
  let folder = ''
  let logged: string[] = []
  const log = (): Logger => {
    const service = { name: 'agent-factory', version: '1' }
    return createLogger({
      level: 'debug',
      format: 'json',
      secrets: [],
      service,
      color: false,
      write: (line) => logged.push(line),
    })
  }
  const settings = (): Settings =>
    readSettings({ AGENT_FACTORY_DATA_DIR: folder, DATABASE_URL: 'sqlite::memory:' })
  const open = async (overrides: Overrides = {}, change: Partial<Settings> = {}) => {
    const app = await compose({ ...settings(), ...change }, { log: log(), ...overrides })
    const { apiKey } = await ensureFirstAdmin(app.identity, folder)
    return { app, apiKey, [Symbol.asyncDispose]: () => app.close() }
  }
  const call = async (app: App, apiKey: string, path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...init.headers }
    return app.fetch(new Request(`http://localhost${path}`, { ...init, headers }))
  }

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'af-compose-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  it('runs an agent of the host’s code from the request to the metrics', async () => {
    logged = []
    await using opened = await open({ host: HOST })
    const { app, apiKey } = opened
    const principal = await app.identity.authenticateKey(apiKey)
    const synced = await syncHostProject(app, principal, HOST)
    assert.deepEqual(
      synced.map(({ name, result }) => `${name} ${result.action}`),
      ['double_number created', 'doubler created'],
    )
    const again = await syncHostProject(app, principal, HOST)
    assert.deepEqual(
      again.map(({ result }) => result),
      [
        { action: 'unchanged', version: 1 },
        { action: 'unchanged', version: 1 },
      ],
    )

    const response = await call(app, apiKey, '/api/v1/agents/doubler/runs?wait=20', {
      method: 'POST',
      body: JSON.stringify({ input: 'Double the number 21' }),
    })
    assert.equal(response.status, 200)
    const run = (await response.json()) as { state: string; output: string }
    assert.equal(run.state, 'completed')
    assert.match(run.output, /42/)

    const metrics = await (await call(app, apiKey, '/metrics')).text()
    assert.match(metrics, /agent_factory_runs_ended_total\{state="completed"\} 1/)
    assert.match(metrics, /agent_factory_tool_calls_total\{outcome="done"\} 1/)
    assert.match(
      metrics,
      /agent_factory_http_requests_total\{route="startRun",method="POST",status_class="2xx"\} 1/,
    )
    assert.match(metrics, /agent_factory_database_write_duration_seconds_count\{outcome="done"\} \d/)
    assert.match(metrics, /agent_factory_queue_jobs\{state="queued"\} 0/)
    assert.match(logged.join(''), /"run_id":"run_[^"]+","agent":"doubler".*"run completed"/)
    assert.doesNotMatch(logged.join(''), new RegExp(apiKey))
  })

  it('sends one trace of a request, its run and what the run did', async () => {
    const spans: { name: string; traceId: string; spanId: string; parentSpanId?: string }[] = []
    const collector = createServer(async (request, response) => {
      let text = ''
      for await (const chunk of request) text += chunk
      for (const { scopeSpans } of JSON.parse(text).resourceSpans) spans.push(...scopeSpans[0].spans)
      response.end('{}')
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    try {
      const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
      const traceId = 'c'.repeat(32)
      {
        const tracing = { state: 'on', endpoint, headers: {} } as const
        await using opened = await open({ host: HOST }, { tracing })
        const { app, apiKey } = opened
        await syncHostProject(app, await app.identity.authenticateKey(apiKey), HOST)
        const response = await call(app, apiKey, '/api/v1/agents/doubler/runs?wait=20', {
          method: 'POST',
          body: JSON.stringify({ input: 'Double the number 21' }),
          headers: { traceparent: `00-${traceId}-${'d'.repeat(16)}-01` },
        })
        assert.match(response.headers.get('traceparent') ?? '', new RegExp(`^00-${traceId}-`))
      }
      const tree = spans.filter((span) => span.traceId === traceId)
      const named = (name: string) => tree.find((span) => span.name.startsWith(name))
      const [request, run, tool] = [
        named('POST /api/v1/agents/{id}/runs'),
        named('invoke_agent doubler'),
        named('execute_tool double_number'),
      ]
      assert.equal(request?.parentSpanId, 'd'.repeat(16))
      assert.equal(run?.parentSpanId, request?.spanId)
      assert.equal(tool?.parentSpanId, run?.spanId)
      assert.equal(tree.filter((span) => span.name === 'chat extractive').length, 2)
    } finally {
      collector.close()
    }
  })

  it('runs what an engine carries tickets for, and is not ready when they are no longer sent', async () => {
    let now = Date.now()
    let silent = false
    const wrapDatabase: Overrides['wrapDatabase'] = (db) => ({
      ...db,
      system: {
        ...db.system,
        write: (work) => (silent ? Promise.reject(new Error('silent')) : db.system.write(work)),
      },
    })
    const change = { jobQueue: { engine: 'memory' } } as const
    await using opened = await open({ host: HOST, wrapDatabase, clock: () => now }, change)
    const { app, apiKey } = opened
    await syncHostProject(app, await app.identity.authenticateKey(apiKey), HOST)
    const response = await call(app, apiKey, '/api/v1/agents/doubler/runs?wait=20', {
      method: 'POST',
      body: JSON.stringify({ input: 'Double the number 21' }),
    })
    assert.equal(((await response.json()) as { state: string }).state, 'completed')
    const metrics = await (await call(app, apiKey, '/metrics')).text()
    assert.match(metrics, /agent_factory_relay_lag_seconds \d/)
    assert.match(metrics, /agent_factory_workers_live 1/)
    const checks = async () => {
      const { checks: told } = (await (await app.fetch(new Request('http://localhost/readyz'))).json()) as {
        readonly checks: readonly { readonly name: string; readonly ok: boolean }[]
      }
      return told.find(({ name }) => name === 'relay')?.ok
    }
    assert.equal(await checks(), true)
    silent = true
    now += 60_000
    assert.equal(await checks(), false)
    silent = false
  })

  it('is ready, until it begins to stop', async () => {
    await using opened = await open()
    const ready = async () => (await opened.app.fetch(new Request('http://localhost/readyz'))).status
    assert.equal(await ready(), 200)
    opened.app.stopping()
    assert.equal(await ready(), 503)
    assert.equal((await call(opened.app, opened.apiKey, '/api/v1/runs')).status, 503)
  })

  it('is not ready when the database does not answer', async () => {
    let broken = false
    const wrapDatabase: Overrides['wrapDatabase'] = (db) => ({
      ...db,
      ping: () => (broken ? Promise.reject(new Error('gone')) : db.ping()),
    })
    let now = Date.now()
    await using app = await compose(settings(), { log: log(), wrapDatabase, clock: () => now })
    const ready = async () => app.fetch(new Request('http://localhost/readyz'))
    assert.equal((await ready()).status, 200)
    broken = true
    now += 1_000
    const refused = await ready()
    assert.equal(refused.status, 503)
    // Anybody may ask: which part, and nothing of why.
    const { checks } = (await refused.json()) as { readonly checks: readonly object[] }
    assert.deepEqual(checks[0], { name: 'database', ok: false })
    assert.ok(checks.length > 1 && checks.every((check) => Object.keys(check).join() === 'name,ok'))
  })

  it('closes what it had opened when a later part fails', async () => {
    let closed = false
    const wrapDatabase: Overrides['wrapDatabase'] = (db) => ({
      ...db,
      system: { ...db.system, read: () => Promise.reject(new Error('no reads')) },
      [Symbol.asyncDispose]: async () => {
        await db[Symbol.asyncDispose]()
        closed = true
      },
    })
    await assert.rejects(compose(settings(), { log: log(), wrapDatabase }), /no reads/)
    assert.equal(closed, true)
  })

  it('refuses tables that somebody else is to bring up to date', async () => {
    const environment = {
      DEPLOYMENT_TYPE: 'KUBERNETES',
      AGENT_FACTORY_DATA_DIR: folder,
      DATABASE_URL: 'sqlite::memory:',
    }
    await assert.rejects(compose(readSettings(environment), { log: log() }), {
      code: 'settings.invalid',
      message: /db migrate/,
    })
  })
})
