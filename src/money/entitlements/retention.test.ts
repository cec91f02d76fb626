import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openBilling } from '../../../test/support/billing.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { type Factory, openFactory } from '../../../test/support/factory.ts'
import { newId, type RunId, type SessionId } from '../../base/ids.ts'
import { defineTool } from '../../define/define-tool.ts'
import type { ModelRequest } from '../../models/model.ts'
import type { ScriptedTurn } from '../../models/scripted/script.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import { hashOf, putBody } from '../../runtime/journal/message-store.ts'
import { dropBody, dropSignals, runsWithContent, sessionsWithContent } from '../../runtime/remove-content.ts'
import { insertSession, insertTurn } from '../../runtime/session-store.ts'
import { insertSignal } from '../../runtime/triggers/signal-store.ts'
import { adminOf } from '../../storage/admin.ts'
import { createCompiler } from '../../storage/compile.ts'
import type { Database } from '../../storage/database.ts'
import { TABLES } from '../../storage/schema/tables.ts'
import { systemStatement } from '../../storage/statement.ts'
import { applyRetention, PORTION, retentionTask } from './retention.ts'

const CONTEXT = { requestId: undefined }
const START = Date.parse('2027-01-01T00:00:00Z')
const DAY_MS = 86_400_000
const WAIT_MS = 10_000
const CANARY = 'canary-7f3a'
const OTHER = 'another-tenants-words'
/** Larger than what lies in a row. */
const LARGE = `${CANARY} ${'word '.repeat(3_000)}`
const EMPTY = { runs: 0, sessions: 0, turns: 0, signals: 0 }

const look = defineTool({
  name: 'look',
  description: 'Looks.',
  input: { type: 'object' },
  effect: 'read',
  run: async () => ({ found: LARGE }),
})
const pay = defineTool({
  name: 'pay',
  description: 'Pays.',
  input: { type: 'object' },
  effect: 'once',
  approval: 'always',
  run: async () => CANARY,
})

/** Says the canary wherever it can: in calls, in answers, in failures. */
function says({ messages, tools, instructions }: ModelRequest): ScriptedTurn {
  if (instructions.startsWith('You keep the memory')) return { text: `Summary with ${CANARY}.` }
  if (messages.at(-1)?.role === 'tool') return { text: `Answer with ${CANARY}.` }
  const [tool] = tools.map(({ name }) => name)
  if (tool === 'below') return { toolCalls: [{ tool, arguments: { input: `Please ${CANARY}.` } }] }
  if (tool !== undefined) return { toolCalls: [{ tool, arguments: { about: CANARY } }] }
  const last = messages.at(-1)
  if (last?.role === 'user' && last.text.includes('fail'))
    return { failure: { kind: 'bad_request', message: `No ${CANARY}.` }, partialText: CANARY }
  return { text: `Said ${CANARY}.` }
}

const retentionEvents = systemStatement('test.retention-events', 'a test', (db) =>
  db.selectFrom('events').select(['tenantId', 'data']).where('type', '=', 'retention.applied').orderBy('seq'),
)

async function told(db: Database) {
  const rows = await db.system.read((reader) => reader.all(retentionEvents, {}))
  return rows.map(({ data }) => JSON.parse(data) as typeof EMPTY & { retention_days: number })
}

/** Each table and column in which the text is found. */
async function whereIs(db: Database, text: string): Promise<readonly string[]> {
  const places: string[] = []
  for (const [, table] of Object.entries(TABLES)) {
    const found = await adminOf(db).session((session) => session.rows(`select * from ${table.name}`))
    for (const row of found)
      for (const [column, value] of Object.entries(row))
        if (String(value).includes(text)) places.push(`${table.name}.${column}`)
  }
  return [...new Set(places)].toSorted()
}

async function subscribe({ money, admin }: Factory, retentionDays: number): Promise<void> {
  const { plans, accounts, subscriptions } = money.billing
  const plan = { key: 'kept', name: 'Kept', currency: 'USD', interval: 'month', basePrice: '0' } as const
  await plans.create(admin, { ...plan, limits: { retention_days: retentionDays } }, CONTEXT)
  await accounts.put(admin, { name: 'A', currency: 'USD' }, CONTEXT)
  await subscriptions.create(admin, { plan: 'kept' }, CONTEXT)
}

forEachDatabase((_name, open) => {
  async function opened(db: Database) {
    const clock = { now: START }
    const models = [createScriptedModel('scripted', says)]
    const factory = await openFactory({ db, clock: () => clock.now, models, codeTools: [look, pay] })
    await factory.agent({ name: 'plain', maxHistoryTokens: 10 })
    await factory.agent({ name: 'looker', tools: ['look'] })
    await factory.agent({ name: 'payer', tools: ['pay'] })
    await factory.agent({ name: 'below', tools: ['look'] })
    await factory.agent({ name: 'top', subAgents: ['below'] })
    return { factory, clock }
  }

  async function talk({ runtime, admin, tenantId }: Factory, times: number): Promise<SessionId> {
    const { id } = await runtime.createSession(admin, 'plain', CONTEXT)
    for (let n = 0; n < times; n++) {
      const input = { agent: 'plain', input: `Turn ${n} ${CANARY}.`, sessionId: id }
      await runtime.wait(tenantId, (await runtime.start(admin, input, CONTEXT)).id, WAIT_MS)
    }
    return id
  }

  /** Another tenant, without a plan, with a conversation, an event and a text of the same hash. */
  async function addOther(db: Database, hashes: readonly string[]): Promise<void> {
    const { tenantId } = await openBilling(db, '2026-01-01T00:00:00Z').tenant()
    const at = START - 400 * DAY_MS
    const sessionId = newId('session', at)
    await db.tenant(tenantId).write(async (tx) => {
      await tx.run(insertSession, { id: sessionId, agentId: newId('agent', at), createdBy: 'x', at })
      const turn = { sessionId, seq: 1, runId: newId('run', at), input: OTHER, output: OTHER, createdAt: at }
      await tx.run(insertTurn, turn)
      const signal = { id: newId('signal', at), name: 'news', correlation: '', data: `"${OTHER}"` }
      await tx.run(insertSignal, { ...signal, createdBy: 'x', createdAt: at })
      for (const hash of hashes) await putBody(tx, hash, OTHER, at)
    })
  }

  it('leaves nothing of what was said, and all that is known beside, once it was kept for so long', async () => {
    await using db = await open()
    const { factory, clock } = await opened(db)
    await using _factory = factory
    const { runtime, admin, tenantId } = factory
    await subscribe(factory, 7)
    const ids: RunId[] = []
    for (const agent of ['looker', 'top']) ids.push((await factory.run(agent, `Go ${CANARY}.`)).id)
    ids.push((await factory.run('plain', `Do fail ${CANARY}.`)).id)
    const asked = await factory.run('payer', `Pay ${CANARY}.`)
    const decision = { outcome: 'approve', reason: CANARY } as const
    await runtime.resolve(admin, asked.id, asked.stepCount, decision, CONTEXT)
    assert.equal((await runtime.wait(tenantId, asked.id, WAIT_MS)).state, 'completed')
    const sessionId = await talk(factory, 3)
    await runtime.triggers.send(admin, { name: 'news', correlation: '', data: CANARY }, CONTEXT)
    const before = await whereIs(db, CANARY)
    for (const place of ['bodies.content', 'sessions.summary', 'signals.data', 'approvals.arguments'])
      assert.ok(before.includes(place), `${place} of ${before.join(', ')}`)
    const kept = await Promise.all(ids.map((id) => runtime.get(tenantId, id)))
    await addOther(db, [hashOf(JSON.stringify({ found: LARGE }))])
    const ofOther = await whereIs(db, OTHER)
    assert.equal(ofOther.length, 4)

    await applyRetention({ db }, START + 7 * DAY_MS)
    assert.deepEqual(await whereIs(db, CANARY), before, 'not yet')
    assert.deepEqual(await told(db), [])

    clock.now = START + 7 * DAY_MS + 60_000
    await retentionTask({ db }).run(clock.now)
    assert.deepEqual(await whereIs(db, CANARY), [])
    assert.deepEqual(await whereIs(db, OTHER), ofOther)
    const [fact, ...more] = await told(db)
    assert.deepEqual(more, [])
    assert.deepEqual(
      [fact?.retention_days, fact?.runs, fact?.sessions, fact?.turns, fact?.signals],
      [7, 8, 1, 3, 1],
    )
    for (const was of kept) {
      const run = await runtime.get(tenantId, was.id)
      assert.deepEqual([run?.input, run?.output], [null, null])
      for (const name of ['state', 'costNanos', 'inputTokens', 'stepCount', 'finishedAt'] as const)
        assert.equal(run?.[name], was[name])
      const events = await runtime.events(tenantId, was.id, { limit: 100, after: 0 })
      assert.equal(events.at(-1)?.type, `run.${was.state}`)
      const [call] = (await runtime.modelCalls(tenantId, was.id, { limit: 10 })).items
      assert.equal(call?.capture, 'metadata')
    }

    // It is done once; the conversation goes on from nothing, and is looked after again.
    await applyRetention({ db }, clock.now)
    assert.equal((await told(db)).length, 1)
    const input = { agent: 'plain', input: `Again ${CANARY}.`, sessionId }
    const again = await runtime.start(admin, input, CONTEXT)
    assert.equal((await runtime.wait(tenantId, again.id, WAIT_MS)).state, 'completed')
    await applyRetention({ db }, clock.now + 8 * DAY_MS)
    assert.deepEqual(await whereIs(db, CANARY), [])
    assert.deepEqual((await told(db)).map(({ runs, turns }) => [runs, turns])[1], [1, 1])
  })

  it('keeps a conversation that is in use, what goes on, and a text that another run names', async () => {
    await using db = await open()
    const { factory, clock } = await opened(db)
    await using _factory = factory
    const { runtime, admin, tenantId } = factory
    await subscribe(factory, 7)
    const first = await factory.run('looker', 'Go.')
    const sessionId = await talk(factory, 1)
    const waiting = await factory.run('payer', `Pay ${CANARY}.`)
    assert.equal(waiting.state, 'waiting')
    clock.now = START + 5 * DAY_MS
    const second = await factory.run('looker', 'Go.')
    const input = { agent: 'plain', input: 'Again.', sessionId }
    await runtime.wait(tenantId, (await runtime.start(admin, input, CONTEXT)).id, WAIT_MS)
    await applyRetention({ db }, START + 8 * DAY_MS)
    const turns = await runtime.sessionTurns(tenantId, sessionId, { limit: 10, after: 0 })
    assert.match(JSON.stringify(turns), new RegExp(CANARY))
    const steps = (id: RunId) => runtime.steps(tenantId, id, { limit: 10, after: 0 })
    assert.doesNotMatch(JSON.stringify(await steps(first.id)), new RegExp(CANARY))
    assert.ok(JSON.stringify(await steps(second.id)).includes(LARGE), 'its large text is there still')
    assert.match(JSON.stringify(await steps(waiting.id)), new RegExp(CANARY))
    await applyRetention({ db }, START + 13 * DAY_MS)
    assert.deepEqual(await whereIs(db, LARGE), [], 'it goes with the last run that names it')
    assert.match(JSON.stringify(await steps(waiting.id)), new RegExp(CANARY))
  })

  it('touches nobody without such a plan, and goes through many in portions, several processes at once', async () => {
    await using db = await open()
    const { factory, clock } = await opened(db)
    await using _factory = factory
    const { tenantId } = factory
    const runs = PORTION.runs + 5
    for (let n = 0; n < runs; n++) await factory.run('plain', `Go ${CANARY}.`)
    const before = await whereIs(db, CANARY)
    clock.now = START + 100 * DAY_MS
    await applyRetention({ db }, clock.now)
    assert.deepEqual(await whereIs(db, CANARY), before, 'without a subscription nothing is limited')
    await subscribe(factory, 0)
    await Promise.all([1, 2, 3].map(() => applyRetention({ db }, clock.now)))
    assert.deepEqual(await whereIs(db, CANARY), [])
    const facts = await told(db)
    assert.equal(
      facts.reduce((sum, fact) => sum + fact.runs, 0),
      runs,
    )
    assert.ok(facts.every((fact) => fact.runs <= PORTION.runs))
    // Who has just ended is read first, whatever the plan says.
    const { id } = await factory.run('plain', 'Go.')
    await applyRetention({ db }, clock.now + 60_000)
    assert.notEqual((await factory.runtime.get(tenantId, id))?.output, null)
  })

  it('finds what is due by its indexes', async () => {
    await using db = await open()
    const compiler = createCompiler(db.dialect)
    for (const [statement, ...indexes] of [
      [runsWithContent, 'runs_with_content'],
      [sessionsWithContent, 'sessions_with_content'],
      [dropSignals, 'signals_of_tenant_by_age'],
      [
        dropBody,
        'steps_by_input_body',
        'steps_by_output_body',
        'run_messages_by_body',
        'model_calls_by_own_head',
      ],
    ] as const) {
      const { sql } = compiler.tenant<never, unknown>(statement as never)
      const plan = await adminOf(db).session(async (session) => {
        if (session.dialect === 'sqlite')
          return (await session.rows(`explain query plan ${sql}`))
            .map(({ detail }) => String(detail))
            .join('\n')
        await session.rows('set enable_seqscan = off')
        const rows = await session.rows(`explain (generic_plan, costs off) ${sql}`)
        return rows.map((row) => String(row['QUERY PLAN'])).join('\n')
      })
      for (const index of indexes) assert.match(plan, new RegExp(index), plan)
    }
  })
})
