// A factory whose scripted model has a price, and what its budgets have at the end.

import type { BudgetId, RunId } from '../../src/base/ids.ts'
import type { PriceFile } from '../../src/money/prices/price-book.ts'
import { wakeBudgetWaits } from '../../src/runtime/budget-waits.ts'
import type { Database } from '../../src/storage/database.ts'
import { systemStatement } from '../../src/storage/statement.ts'
import { holdsOf, periodsOf } from './budgets.ts'
import { type Factory, type FactoryOptions, openFactory } from './factory.ts'

/** 1,000 nano-USD for a token of a prompt, 2,000 for one of an answer. */
export const PRICES: PriceFile = {
  models: [
    {
      provider: 'scripted',
      model: 'test',
      aliases: [],
      source: 'a test',
      prices: [{ effectiveFrom: null, input: '1000000', output: '2000000' }],
    },
  ],
}
/** What a scripted call costs: ten tokens of prompt, five of answer. */
export const CALL_NANOS = 20_000n
/** More than a short call with a cap of ten tokens can cost, and less than two of them. */
export const ROOM_NANOS = 1_800_000n

export const SHORT = { modelSettings: { maxOutputTokens: 10 } } as const

export function openBudgeted(options: FactoryOptions): Promise<Factory> {
  return openFactory({ prices: PRICES, ...options })
}

/** What the budget of a factory has spent and holds, in all periods. */
export async function spentOf({ db, tenantId }: Factory, budgetId: BudgetId) {
  const rows = (await periodsOf(db, tenantId)).filter((row) => row.budgetId === budgetId)
  const sum = (of: (row: (typeof rows)[number]) => bigint): bigint =>
    rows.reduce((total, row) => total + of(row), 0n)
  return { settled: sum((row) => row.settledNanos), held: sum((row) => row.heldNanos) }
}

/** The states of all holds, oldest first. */
export async function holdStates({ db, tenantId }: Factory): Promise<readonly string[]> {
  return (await holdsOf(db, tenantId)).map(({ state }) => state)
}

/** Lets the runs whose time to try again has come go on, as the maintenance does every second. */
export function wakeWaiting({ db, worker }: Factory, at: number): Promise<number> {
  return wakeBudgetWaits({ db, woken: () => worker.wake(), written: () => undefined }, at)
}

const ALL = 'a test looks at everything'
const usage = systemStatement('test.usage-kinds', ALL, (db) =>
  db.selectFrom('usageRecords').select(['kind', 'runId', 'replay', 'costNanos']).orderBy('id'),
)
const costs = systemStatement('test.costs', ALL, (db) =>
  db.selectFrom('costs').select(['type', 'amountNanos', 'description', 'runId', 'replay', 'quantity']),
)
const waits = systemStatement('test.budget-waits', ALL, (db) =>
  db.selectFrom('budgetWaits').select(['runId', 'step', 'budgetId', 'againAt']),
)

export async function usageOf(db: Database, runId?: RunId) {
  const rows = await db.system.read((reader) => reader.all(usage, {}))
  return runId === undefined ? rows : rows.filter((row) => row.runId === runId)
}

export function kindsOf(rows: readonly { readonly kind: string }[]): readonly string[] {
  return rows.map(({ kind }) => kind).sort()
}

export function costsOf(db: Database) {
  return db.system.read((reader) => reader.all(costs, {}))
}

export function waitsOf(db: Database) {
  return db.system.read((reader) => reader.all(waits, {}))
}
