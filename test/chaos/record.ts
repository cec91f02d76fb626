// What must be on record once every run has ended, whatever befell the workers.

import assert from 'node:assert/strict'
import type { Database } from '../../src/storage/database.ts'
import { systemStatement } from '../../src/storage/statement.ts'

const ALL = 'a test looks at everything'
const runs = systemStatement('chaos.runs', ALL, (db) => db.selectFrom('runs').selectAll())
const steps = systemStatement('chaos.steps', ALL, (db) => db.selectFrom('steps').selectAll())
const usage = systemStatement('chaos.usage', ALL, (db) =>
  db.selectFrom('usageRecords').selectAll().where('kind', '=', 'model_call'),
)
const jobs = systemStatement('chaos.jobs', ALL, (db) => db.selectFrom('jobs').selectAll())
const sessions = systemStatement('chaos.sessions', ALL, (db) => db.selectFrom('sessions').selectAll())
const events = systemStatement('chaos.events', ALL, (db) =>
  db.selectFrom('events').selectAll().where('runId', 'is not', null).orderBy('runSeq'),
)

const ENDS: Readonly<Record<string, string>> = {
  'run.completed': 'completed',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled',
}
const CLOSED = ['done', 'failed', 'interrupted']

/** `effects`: the key of each `once` call that was made. `retried`: how often a person let it be made again. */
export async function assertRecord(
  db: Database,
  effects: readonly string[],
  retried: ReadonlyMap<string, number>,
): Promise<void> {
  const all = await db.system.read(async (reader) => ({
    runs: await reader.all(runs, {}),
    steps: await reader.all(steps, {}),
    usage: await reader.all(usage, {}),
    jobs: await reader.all(jobs, {}),
    sessions: await reader.all(sessions, {}),
    events: await reader.all(events, {}),
  }))
  const eventsOf = Map.groupBy(all.events, ({ runId }) => runId)
  const stepsOf = Map.groupBy(all.steps, ({ runId }) => runId)
  const usageOf = Map.groupBy(all.usage, ({ runId }) => runId)
  for (const run of all.runs) {
    const of = `${run.id} ${run.definitionName} ${run.state} ${run.errorMessage ?? ''}`
    const told = eventsOf.get(run.id) ?? []
    const ends = told.filter(({ type }) => type in ENDS)
    assert.deepEqual(
      told.map(({ runSeq }) => runSeq),
      told.map((_, index) => index + 1),
      `${of}: its events have no gap`,
    )
    assert.equal(ends.length, 1, `${of}: it ended once`)
    assert.equal(ENDS[ends[0]?.type ?? ''], run.state, `${of}: its last event says how`)
    assert.equal(told.at(-1), ends[0], `${of}: nothing follows its end`)
    assert.equal(run.eventCount, told.length, of)
    assert.notEqual(run.errorCode, 'internal', of)
    const made = stepsOf.get(run.id) ?? []
    assert.deepEqual(
      made.filter(({ state }) => !CLOSED.includes(state)).map(({ seq, name, state }) => [seq, name, state]),
      [],
      `${of}: no step is open`,
    )
    assert.equal(run.stepCount, made.length, `${of}: its steps are counted`)
    const attempts = made.filter(({ kind }) => kind === 'model').length
    assert.equal(usageOf.get(run.id)?.length ?? 0, attempts, `${of}: each attempt has a usage record`)
  }
  assert.equal(new Set(all.usage.map(({ modelCallId }) => modelCallId)).size, all.usage.length)
  assert.ok(all.jobs.every(({ state }) => state === 'done' || state === 'cancelled' || state === 'dead'))
  assert.ok(all.sessions.every(({ activeRunId }) => activeRunId === null))
  for (const [key, made] of Map.groupBy(effects, (effect) => effect)) {
    const allowed = 1 + (retried.get(key) ?? 0)
    assert.ok(made.length <= allowed, `${key} was made ${made.length} times, and ${allowed} were allowed`)
  }
  const completed = all.runs.filter(({ state }) => state === 'completed').length
  assert.ok(completed > all.runs.length / 4, `${completed} of ${all.runs.length} runs completed`)
}
