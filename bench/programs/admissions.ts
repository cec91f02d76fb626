// Admissions: money is set aside over four budgets, and what it cost takes its place; both as the runtime asks for it,
// each in a transaction of its own. So many a second by the clock, or as many as there can be.

import { newId, type TenantId } from '../../src/base/ids.ts'
import { createReservations } from '../../src/money/budgets/holds/reserve.ts'
import { freed } from '../../src/runtime/budget-waits.ts'
import { holdOwner } from '../../src/runtime/budgets.ts'
import { adminOf } from '../../src/storage/admin.ts'
import type { Database } from '../../src/storage/database.ts'
import { migrate } from '../../src/storage/migrations/migrate.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { addBudget, NOBODY, periodsOf } from '../../test/support/budgets.ts'
import { answerQuestions } from '../support/answer.ts'
import { load } from '../support/load.ts'
import { type LockWaits, watchLocks } from '../support/lock-waits.ts'
import { openLoad } from '../support/open-load.ts'
import { type Quantiles, quantilesOf } from '../support/statistics.ts'

export interface AdmissionsInput {
  readonly databaseUrl: string
  readonly tenants: number
}

export interface AdmissionsQuestion {
  /** `offered`: so many a second, whether the ones before have ended or not; `most`: so many at a time. */
  readonly kind: 'offered' | 'most'
  readonly rate: number
  readonly durationMs: number
}

export interface AdmissionsAnswer {
  readonly perSecond: number
  /** From the moment it was due to the commit. */
  readonly reserveMs: Quantiles
  readonly settleMs: Quantiles
  readonly bothMs: Quantiles
  /** Undefined where the database is no Postgres. */
  readonly locks: LockWaits | undefined
}

const WORST_NANOS = 2_000n
const COST_NANOS = 1_234n
const HOLD_MS = 1_000_000
const BUDGET = { limitNanos: 1_000_000_000_000_000n, thresholds: [50, 80, 100] } as const

type Admit = (n: number, dueAt: number) => Promise<void>

await answerQuestions<AdmissionsInput, null, AdmissionsQuestion, AdmissionsAnswer>(async (input) => {
  await using opened = new AsyncDisposableStack()
  const db = opened.use(await openDatabase(input.databaseUrl))
  await migrate(db)
  const watched =
    db.dialect === 'sqlite'
      ? undefined
      : opened.use(await openDatabase(input.databaseUrl, { postgres: { connectionsMax: 1 } }))
  const payers: Payer[] = []
  for (let n = 0; n < input.tenants; n++) payers.push(await payerWithBudgets(db))
  const reservations = createReservations({ freed })
  let admitted = 0
  const answer = async ({ kind, rate, durationMs }: AdmissionsQuestion): Promise<AdmissionsAnswer> => {
    const times: Times = { reserve: [], settle: [], both: [] }
    const admit: Admit = async (n, dueAt) => {
      await admitOne(db, reservations, payerOf(payers, n), times, dueAt)
      admitted += 1
    }
    await using locks = watched && watchLocks(adminOf(watched))
    const { perSecond } =
      kind === 'offered'
        ? await openLoad(admit, { perSecond: rate, durationMs })
        : await load((n) => admit(n, performance.now()), { concurrency: rate, durationMs })
    return {
      perSecond,
      reserveMs: quantilesOf(times.reserve),
      settleMs: quantilesOf(times.settle),
      bothMs: quantilesOf(times.both),
      locks: await locks?.stop(),
    }
  }
  const stack = opened.move()
  return {
    ready: null,
    answer,
    close: async () => {
      await checkLedger(db, payers, BigInt(admitted) * COST_NANOS)
      await stack.disposeAsync()
    },
  }
})

interface Payer {
  readonly tenantId: TenantId
  readonly of: typeof NOBODY
}

/** A tenant, and who of it runs: a budget on each. */
async function payerWithBudgets(db: Database): Promise<Payer> {
  const tenantId = newId('tenant')
  const of = { ...NOBODY, agentId: newId('agent'), userId: newId('user'), apiKeyId: newId('apiKey') }
  await addBudget(db, tenantId, BUDGET)
  await addBudget(db, tenantId, { ...BUDGET, scopeType: 'agent', scopeId: of.agentId })
  await addBudget(db, tenantId, { ...BUDGET, scopeType: 'user', scopeId: of.userId, period: 'day' })
  await addBudget(db, tenantId, { ...BUDGET, scopeType: 'key', scopeId: of.apiKeyId, period: 'day' })
  return { tenantId, of }
}

function payerOf(payers: readonly Payer[], n: number): Payer {
  const payer = payers[n % payers.length]
  if (payer === undefined) throw new Error('There is no tenant.')
  return payer
}

interface Times {
  readonly reserve: number[]
  readonly settle: number[]
  readonly both: number[]
}

async function admitOne(
  db: Database,
  { reserve, settle }: ReturnType<typeof createReservations>,
  { tenantId, of }: Payer,
  times: Times,
  dueAt: number,
): Promise<void> {
  const tenant = db.tenant(tenantId)
  const runId = newId('run')
  const owner = holdOwner(runId, 1)
  const at = Date.now()
  const amounts = { worstNanos: WORST_NANOS, estimateNanos: COST_NANOS }
  const reservation = { owner, of: { ...of, runId }, rootRunId: runId, ...amounts, at, expiresAt: at + HOLD_MS }
  const { outcome } = await tenant.write((tx) => reserve(tx, reservation))
  const reservedAt = performance.now()
  if (outcome !== 'held') throw new Error(`A reservation of the bench is ${outcome}.`)
  await tenant.write((tx) => settle(tx, owner, COST_NANOS, Date.now()))
  const settledAt = performance.now()
  times.reserve.push(reservedAt - dueAt)
  times.settle.push(settledAt - reservedAt)
  times.both.push(settledAt - dueAt)
}

/** Each admission is in four budgets once, and nothing is held any more: otherwise what was measured was not the work. */
async function checkLedger(db: Database, payers: readonly Payer[], costNanos: bigint): Promise<void> {
  let settled = 0n
  for (const { tenantId } of payers) {
    for (const { heldNanos, settledNanos } of await periodsOf(db, tenantId)) {
      if (heldNanos !== 0n) throw new Error('A hold of the bench is left over.')
      settled += settledNanos
    }
  }
  if (settled !== 4n * costNanos) throw new Error(`The budgets count ${settled}, not ${4n * costNanos}.`)
}
