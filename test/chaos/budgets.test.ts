// The short chaos of budgets: actors in two processes that are killed, on each database. `npm run chaos:budgets` plays a
// million operations.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { createDatabase } from '../support/postgres.ts'
import { type TestDatabase, testDatabases } from '../support/test-databases.ts'
import { MUST_BE_ZERO, playBudgets } from './budgets/play.ts'
import { seeded } from './simulation/scheduler.ts'

const OPERATIONS = { sqlite: 5_000, postgres: 2_000 } as const
const PROCESSES = 2
const KILL_MS_MIN = 700

for (const kind of testDatabases()) {
  it(`budgets keep their limits and their sums while processes are killed, on ${kind}`, async () => {
    await using opened = new AsyncDisposableStack()
    const url = await openUrl(kind, opened)
    const played = await playBudgets({
      url,
      operations: OPERATIONS[kind],
      seed: 1,
      processes: PROCESSES,
      killMsMin: KILL_MS_MIN,
      random: seeded(1),
      progress: () => undefined,
    })
    for (const figure of MUST_BE_ZERO) assert.equal(played[figure], 0, `${figure}: ${JSON.stringify(played)}`)
    assert.ok(played.kills > 0, 'nothing was killed')
    assert.ok(played.holds > 0, 'nothing was held')
    assert.ok(played.refused > 0, 'nothing was refused')
  })
}

async function openUrl(kind: TestDatabase, opened: AsyncDisposableStack): Promise<string> {
  if (kind === 'postgres') return opened.use(await createDatabase(process.env.TEST_POSTGRES_URL ?? '')).url
  const folder = mkdtempSync(join(tmpdir(), 'af-budgets-'))
  opened.defer(() => rmSync(folder, { recursive: true, force: true }))
  return `sqlite:${join(folder, 'test.db')}`
}
