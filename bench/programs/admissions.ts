// Admissions: money is set aside over four budgets, and what it cost takes its place; both as the runtime asks for it,
// each in a transaction of its own. So many a second by the clock, or as many as there can be.

import { newId, type TenantId } from '../../src/base/ids.ts'
import { createReservations } from '../../src/money/budgets/holds/reserve.ts'
import { freed } from '../../src/runtime/budget-waits.ts'
import { type Budgets, holdOwner } from '../../src/runtime/budgets.ts'
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
  /**
   * `offered`: so many a second, whether the ones before have ended or not, each settled at once. `settled`: so many at a
   * time, each settled at once. `held`: so many at a time, settled when all are made, which is not measured.
   */
  readonly kind: 'offered' | 'settled' | 'held'
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
  const port = createReservations({ freed })
  let admitted = 0
  const answer = async ({ kind, rate, durationMs }: AdmissionsQuestion): Promise<AdmissionsAnswer> => {
    const times: Times = { reserve: [], settle: [], both: [] }
    const open: Hold[] = []
    const admit = async (n: number, dueAt: number): Promise<void> => {
      admitted += 1
      const hold = await reserveOne(db, port, payerOf(payers, n), times, dueAt)
      if (kind === 'held') open.push(hold)
      else await settleOne(db, port, hold, times)
    }
    const offer = (): Promise<{ readonly perSecond: number }> =>
      kind === 'offered'
        ? openLoad(admit, { perSecond: rate, durationMs })
        : load((n) => admit(n, performance.now()), { concurrency: rate, durationMs })
    const { perSecond, locks } = await watchedBy(watched, offer)
    const settleLeft = async (): Promise<void> => {
      for (let hold = open.pop(); hold !== undefined; hold = open.pop())
        await settleOne(db, port, hold, times)
    }
    await Promise.all(Array.from({ length: rate }, settleLeft))
    return {
      perSecond,
      reserveMs: quantilesOf(times.reserve),
      settleMs: quantilesOf(times.settle),
      bothMs: quantilesOf(times.both),
      locks,
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

/** Does the work, and says who waited for locks meanwhile where there are others. */
async function watchedBy<T extends object>(
  watched: Database | undefined,
  work: () => Promise<T>,
): Promise<T & { readonly locks: LockWaits | undefined }> {
  await using watch = watched && watchLocks(adminOf(watched))
  const done = await work()
  return { ...done, locks: await watch?.stop() }
}

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

interface Hold {
  readonly tenantId: TenantId
  readonly owner: string
  readonly dueAt: number
  readonly heldAt: number
}

async function reserveOne(
  db: Database,
  { reserve }: Budgets,
  { tenantId, of }: Payer,
  times: Times,
  dueAt: number,
): Promise<Hold> {
  const runId = newId('run')
  const owner = holdOwner(runId, 1)
  const at = Date.now()
  const amounts = { worstNanos: WORST_NANOS, estimateNanos: COST_NANOS }
  const reservation = {
    owner,
    of: { ...of, runId },
    rootRunId: runId,
    ...amounts,
    at,
    expiresAt: at + HOLD_MS,
  }
  const { outcome } = await db.tenant(tenantId).write((tx) => reserve(tx, reservation))
  if (outcome !== 'held') throw new Error(`A reservation of the bench is ${outcome}.`)
  const heldAt = performance.now()
  times.reserve.push(heldAt - dueAt)
  return { tenantId, owner, dueAt, heldAt }
}

async function settleOne(
  db: Database,
  { settle }: Budgets,
  { tenantId, owner, dueAt, heldAt }: Hold,
  times: Times,
): Promise<void> {
  await db.tenant(tenantId).write((tx) => settle(tx, owner, COST_NANOS, Date.now()))
  const settledAt = performance.now()
  times.settle.push(settledAt - heldAt)
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
