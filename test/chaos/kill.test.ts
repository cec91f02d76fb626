// Kills the process at every boundary of a run, starts it again, and looks at what is on record: promises 1 to 3.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { migrate } from '../../src/storage/migrations/migrate.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { systemStatement } from '../../src/storage/statement.ts'
import { createDatabase } from '../support/postgres.ts'
import { testDatabases } from '../support/test-databases.ts'

const PHASES = ['inside', 'after'] as const
/** More writes than the run has: a walk that reaches it has no end, and fails. */
const WRITES_MAX = 60

const ALL = 'a test looks at everything'
const allRuns = systemStatement('test.runs', ALL, (db) => db.selectFrom('runs').selectAll())
const allSteps = systemStatement('test.steps', ALL, (db) => db.selectFrom('steps').selectAll())
const allUsage = systemStatement('test.usage', ALL, (db) =>
  db.selectFrom('usageRecords').selectAll().where('kind', '=', 'model_call'),
)
const allJobs = systemStatement('test.jobs', ALL, (db) => db.selectFrom('jobs').selectAll())
const allEvents = systemStatement('test.events', ALL, (db) =>
  db.selectFrom('events').selectAll().where('runId', 'is not', null).orderBy('runSeq'),
)

for (const kind of testDatabases()) {
  describe(`kill -9 at every boundary, on ${kind}`, () => {
    it('the run ends completed or in doubt, each attempt is billed once, the once tool ran once', async () => {
      const places = ['tool:before', 'tool:after', 'model']
      // Postgres takes the same path through the same code; there the walk skips the phases that its own tests cover.
      const phases = kind === 'sqlite' ? PHASES : (['after'] as const)
      for (const place of places) assert.equal(await survives(kind, place), 'killed')
      await Promise.all(phases.map((phase) => walk(kind, phase)))
    })
  })
}

/** Kills at the first write of a run, then at the second, until a process gets through unharmed. */
async function walk(kind: 'sqlite' | 'postgres', phase: string): Promise<void> {
  let killed = 0
  for (let write = 1; ; write++) {
    assert.ok(write < WRITES_MAX, 'the walk found no end')
    if ((await survives(kind, `write:${write}:${phase}`)) === 'finished') break
    killed += 1
  }
  assert.ok(killed >= 8, `only ${killed} writes were killed`)
}

async function survives(kind: 'sqlite' | 'postgres', place: string): Promise<'killed' | 'finished'> {
  const folder = mkdtempSync(join(tmpdir(), 'af-kill-'))
  const created = kind === 'postgres' ? await createDatabase(process.env.TEST_POSTGRES_URL ?? '') : undefined
  try {
    const url = created?.url ?? `sqlite:${join(folder, 'test.db')}`
    const ledger = join(folder, 'ledger')
    writeFileSync(ledger, '')
    await using db = await openDatabase(url)
    await migrate(db)
    const first = await spawned(url, ledger, place)
    const second = first.signal === null ? first : await spawned(url, ledger, 'never')
    assert.equal(second.signal, null, `${place}: the second process died as well: ${second.errors}`)
    const said = JSON.parse(second.output || '{}') as { state?: string }
    const notes = readFileSync(ledger, 'utf8').split('\n')
    const [runs, steps, usage, jobs, events] = await db.system.read(async (reader) => [
      await reader.all(allRuns, {}),
      await reader.all(allSteps, {}),
      await reader.all(allUsage, {}),
      await reader.all(allJobs, {}),
      await reader.all(allEvents, {}),
    ])
    const facts = `${place}: ${second.output} ${second.errors} ${JSON.stringify(steps.map(({ seq, name, state }) => [seq, name, state]))}`
    assert.equal(runs.length, 1, facts)
    const run = runs[0] ?? assert.fail()
    assert.equal(said.state, run.state, facts)
    const inDoubt = run.state === 'waiting' && run.waitingReason === 'in_doubt'
    assert.ok(run.state === 'completed' || inDoubt, `${facts} ${run.state} ${run.errorMessage ?? ''}`)
    assert.equal(jobs[0]?.state, inDoubt ? 'parked' : 'done', facts)
    const paid = notes.filter((line) => line.startsWith('pay ')).length
    assert.ok(paid === 1 || (inDoubt && paid === 0), `${facts}: paid ${paid} times`)
    const attempts = steps.filter((step) => step.kind === 'model')
    assert.equal(usage.length, attempts.length, facts)
    assert.equal(new Set(usage.map(({ modelCallId }) => modelCallId)).size, usage.length, facts)
    assert.ok(notes.filter((line) => line === 'model').length <= attempts.length, facts)
    // The model is asked again only for an attempt whose answer was not on record.
    assert.equal(attempts.filter(({ state }) => state === 'done').length, inDoubt ? 1 : 2, facts)
    assert.deepEqual(
      events.map(({ runSeq }) => runSeq),
      events.map((_, index) => index + 1),
      facts,
    )
    const ends = events.filter(
      ({ type }) => type === 'run.completed' || type === 'run.failed' || type === 'run.cancelled',
    )
    assert.equal(ends.length, inDoubt ? 0 : 1, facts)
    return first.signal === null ? 'finished' : 'killed'
  } finally {
    await created?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Spawned {
  readonly signal: NodeJS.Signals | null
  readonly output: string
  readonly errors: string
}

function spawned(url: string, ledger: string, place: string): Promise<Spawned> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'doomed.ts'), url, ledger, place], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString()
  })
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString()
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (signal === null && code !== 0) reject(new Error(`${place}: exit ${code}: ${errors}`))
      else resolve({ signal, output: output.trim(), errors: errors.trim() })
    })
  })
}
