import assert from 'node:assert/strict'
import { it } from 'node:test'
import { addBudget, NOBODY, NOW, reservation } from '../../../test/support/budgets.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { newId } from '../../base/ids.ts'
import { adminOf } from '../../storage/admin.ts'
import { type Compiled, createCompiler } from '../../storage/compile.ts'
import type { Database } from '../../storage/database.ts'
import { bucketAt } from './budget-period.ts'
import * as budgets from './budget-store.ts'
import * as holds from './holds/hold-store.ts'
import { createReservations } from './holds/reserve.ts'
import * as periods from './period-store.ts'

const WINDOW_MS = 3_600_000

/** The index that each statement on the way of a reservation must walk: SQLite's name, Postgres's name. */
const EXPECTED = {
  lockByScopes: ['budgets_by_scope', 'budgets_'],
  selectByScopes: ['budgets_by_scope', 'budgets_'],
  lockByIds: ['sqlite_autoindex_budgets_1', 'budgets_pkey'],
  periodBalances: ['sqlite_autoindex_budget_periods_1', 'budget_periods_pkey'],
  sumWindows: ['budget_periods_by_start', 'budget_periods_by_start'],
  selectBuckets: ['budget_periods_by_start', 'budget_periods_by_start'],
  selectState: ['sqlite_autoindex_budget_holds_2', 'budget_holds_tenant_id_owner_key'],
  endHeld: ['sqlite_autoindex_budget_holds_2', 'budget_holds_tenant_id_owner_key'],
  endEstimated: ['sqlite_autoindex_budget_holds_2', 'budget_holds_tenant_id_owner_key'],
  estimateHeld: ['sqlite_autoindex_budget_holds_2', 'budget_holds_tenant_id_owner_key'],
  expiredHolds: ['budget_holds_expiring', 'budget_holds_expiring'],
} as const

const WASTEFUL = {
  sqlite: /SCAN budget/,
  postgres: /Seq Scan on budget/,
}

async function fill(db: Database): Promise<void> {
  const port = createReservations({ freed: async () => undefined })
  for (let n = 0; n < 10; n++) {
    const tenantId = newId('tenant')
    await addBudget(db, tenantId, { mode: 'soft' })
    for (let agent = 0; agent < 10; agent++) {
      const agentId = `agt_${agent}`
      await addBudget(db, tenantId, { scopeType: 'agent', scopeId: agentId, mode: 'soft', period: 'day' })
      await Promise.all(
        Array.from({ length: 10 }, (_, day) => {
          const of = { ...NOBODY, agentId, runId: newId('run') }
          const at = NOW + day * 86_400_000
          return db.tenant(tenantId).write(async (tx) => {
            await port.reserve(tx, reservation(1n, { of, at, expiresAt: at }))
            if (day > 0) await port.settle(tx, `run:${of.runId}:1`, 1n, at)
          })
        }),
      )
    }
  }
}

/** A tenant with many budgets, of which nobody has spent anything. */
async function fillBudgets(db: Database): Promise<void> {
  const tenantId = newId('tenant')
  await Promise.all(
    Array.from({ length: 1_000 }, (_, n) =>
      addBudget(db, tenantId, { scopeType: 'user', scopeId: `usr_${n}` }),
    ),
  )
}

/** A rolling budget that was used for a long time. */
async function fillWindow(db: Database): Promise<void> {
  const tenantId = newId('tenant')
  const budgetId = await addBudget(db, tenantId, { period: 'rolling', rollingMs: WINDOW_MS })
  const changes = Array.from({ length: 2_000 }, (_, n) => ({
    budgetId,
    period: bucketAt(WINDOW_MS, NOW - n * 60_000),
    settledNanos: 1n,
  }))
  await db.tenant(tenantId).write((tx) => periods.addToPeriods(tx, changes, NOW))
}

async function planOf(db: Database, { sql }: Compiled): Promise<string> {
  return adminOf(db).session(async (session) => {
    if (session.dialect === 'sqlite') {
      const rows = await session.rows(`explain query plan ${sql}`)
      return rows.map(({ detail }) => String(detail)).join('\n')
    }
    const rows = await session.rows(`explain (generic_plan, costs off) ${sql}`)
    return rows.map((row) => String(row['QUERY PLAN'])).join('\n')
  })
}

forEachDatabase((name, open) => {
  it('no statement on the way of a reservation reads more rows than it needs', async () => {
    await using db = await open()
    await fill(db)
    await fillBudgets(db)
    await fillWindow(db)
    if (name === 'postgres')
      await adminOf(db).session((session) =>
        session.script('analyze budgets; analyze budget_periods; analyze budget_holds'),
      )
    const compiler = createCompiler(db.dialect)
    const statements = { ...budgets, ...periods, ...holds }
    for (const [key, [sqlite, postgres]] of Object.entries(EXPECTED)) {
      const value = statements[key as keyof typeof EXPECTED] as { readonly kind: string }
      const compiled =
        value.kind === 'tenant' ? compiler.tenant(value as never) : compiler.system(value as never)
      const plan = await planOf(db, compiled)
      assert.ok(plan.includes(name === 'sqlite' ? sqlite : postgres), `${key}\n${plan}`)
      assert.doesNotMatch(plan, WASTEFUL[name], key)
    }
  })
})
