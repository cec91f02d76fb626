import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { adminOf } from '../storage/admin.ts'
import { createCompiler } from '../storage/compile.ts'
import type { Database } from '../storage/database.ts'
import { createDueWork, dueWork } from './due-work.ts'

const INDEXES = [
  'triggers_due',
  'signal_waits_claimed',
  'trigger_ticks_pending',
  'approvals_expiring',
  'approvals_escalating',
  'budget_waits_due',
]

forEachDatabase((name, open) => {
  it('one look for all tasks finds nothing where nothing is due, and reads no more than what waits', async () => {
    await using db = await open()
    assert.deepEqual(await createDueWork(db, () => true)(1_000), {
      schedules: false,
      deliveries: false,
      approvals: false,
      budgetWaits: false,
    })
    const { sql } = createCompiler(db.dialect).system(dueWork)
    const plan = await adminOf(db).session(async (session) => {
      if (session.dialect === 'sqlite') return await session.rows(`explain query plan ${sql}`)
      // Its tables are empty here: what it would do with full ones.
      await session.script('set enable_seqscan = off')
      try {
        return await session.rows(`explain (generic_plan, costs off) ${sql}`)
      } finally {
        await session.script('reset enable_seqscan')
      }
    })
    const text = JSON.stringify(plan)
    for (const index of INDEXES) assert.ok(text.includes(index), `${index} on ${name}\n${text}`)
    assert.doesNotMatch(text, /TEMP B-TREE|"Sort/)
  })

  it('tasks that look at the same time share one read, a later one looks again, and none out of its turn', async () => {
    await using db = await open()
    let reads = 0
    const counted: Database = {
      ...db,
      system: {
        ...db.system,
        read: (work) => {
          reads += 1
          return db.system.read(work)
        },
      },
    }
    const due = createDueWork(counted, (at) => at < 3_000)
    await Promise.all([due(1_000), due(1_000), due(1_001)])
    assert.equal(reads, 1)
    await due(2_000)
    assert.equal(reads, 2)
    assert.deepEqual(await due(3_000), {
      schedules: false,
      deliveries: false,
      approvals: false,
      budgetWaits: false,
    })
    assert.equal(reads, 2, 'another process looks')
  })
})
