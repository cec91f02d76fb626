// Runs that wait until a budget has room again: each is a waiting step and a row that says for which budget. Whoever gives
// a budget room marks the rows, in that transaction; a maintenance task lets the runs go on. The mark takes no lock of a
// run, because those who free a budget hold its lock, and a run's own writes lock the run first.

import type { BudgetId, RunId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import type { Database, TenantReader, TenantTransaction } from '../storage/database.ts'
import type { NewRowOf, RowOf } from '../storage/schema/tables.ts'
import { type Bind, type SystemBind, statement, systemStatement } from '../storage/statement.ts'
import { lockTree, wakeTree } from './wake-tree.ts'

/** How many runs one pass lets go on; the next takes the rest. */
export const BUDGET_WAKES_MAX = 100

export interface BudgetWait {
  readonly runId: RunId
  readonly step: number
  readonly budgetId: BudgetId
  readonly neededNanos: bigint
  readonly againAt: EpochMs | null
  readonly createdAt: EpochMs
}

/** The step waits, and is tried again at `againAt`, or once the budget is freed. */
export async function openBudgetWait(tx: TenantTransaction, wait: BudgetWait): Promise<void> {
  await tx.run(upsertWait, wait)
}

/** A step is tried, or given up: it waits for no budget. */
export async function closeBudgetWait(tx: TenantTransaction, runId: RunId, step: number): Promise<void> {
  await tx.run(deleteWait, { runId, step })
}

/** A run has ended: nothing of it waits for a budget any more. */
export async function closeBudgetWaits(tx: TenantTransaction, runId: RunId): Promise<void> {
  await tx.run(deleteWaitsOf, { runId })
}

/** These budgets have more room, or are gone: the runs that wait for them try again. */
export async function freed(
  tx: TenantTransaction,
  budgetIds: readonly BudgetId[],
  at: EpochMs,
): Promise<void> {
  for (const budgetId of budgetIds) await tx.run(markFreed, { budgetId, at })
}

/** The budget that a run, or one below it, waits for; the first that there is. */
export function budgetWaitOf(reader: TenantReader, runId: RunId): Promise<BudgetWaitRow | undefined> {
  return reader.first(firstWaitOf, { runId })
}

export type BudgetWaitRow = Pick<RowOf<'budgetWaits'>, 'budgetId' | 'neededNanos' | 'againAt'>

export interface WakeDeps {
  readonly db: Database
  readonly woken: () => void
  readonly written: (runId: RunId) => void
}

/** Lets the runs whose time to try again has come go on. Answers how many. */
export async function wakeBudgetWaits({ db, woken, written }: WakeDeps, at: EpochMs): Promise<number> {
  const due = await db.system.read((reader) => reader.all(dueWaits, { at, limit: BUDGET_WAKES_MAX }))
  let count = 0
  for (const { tenantId, runId, step } of due) {
    if (!(await db.tenant(tenantId).write((tx) => goOn(tx, runId, step, at)))) continue
    count += 1
    written(runId)
  }
  if (count > 0) woken()
  return count
}

/** The step may be begun again; whether there is room, the try will show. */
async function goOn(tx: TenantTransaction, runId: RunId, step: number, at: EpochMs): Promise<boolean> {
  const tree = await lockTree(tx, runId)
  if ((await tx.run(takeDue, { runId, step, at })) !== 1) return false
  if ((await tx.run(letStepGo, { runId, seq: step })) !== 1) return false
  await wakeTree(tx, tree, at)
  return true
}

const upsertWait = statement('budget-waits.open', (db, p: Bind<Omit<NewRowOf<'budgetWaits'>, 'tenantId'>>) =>
  db
    .insertInto('budgetWaits')
    .values({
      tenantId: p.tenantId,
      runId: p.runId,
      step: p.step,
      budgetId: p.budgetId,
      neededNanos: p.neededNanos,
      againAt: p.againAt,
      createdAt: p.createdAt,
    })
    .onConflict((conflict) =>
      conflict.columns(['tenantId', 'runId', 'step']).doUpdateSet((eb) => ({
        budgetId: eb.ref('excluded.budgetId'),
        neededNanos: eb.ref('excluded.neededNanos'),
        againAt: eb.ref('excluded.againAt'),
        createdAt: eb.ref('excluded.createdAt'),
      })),
    ),
)

const deleteWait = statement('budget-waits.close', (db, p: Bind<{ runId: RunId; step: number }>) =>
  db
    .deleteFrom('budgetWaits')
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('step', '=', p.step),
)

const deleteWaitsOf = statement('budget-waits.close-run', (db, p: Bind<{ runId: RunId }>) =>
  db.deleteFrom('budgetWaits').where('tenantId', '=', p.tenantId).where('runId', '=', p.runId),
)

const markFreed = statement('budget-waits.freed', (db, p: Bind<{ budgetId: BudgetId; at: EpochMs }>) =>
  db
    .updateTable('budgetWaits')
    .set({ againAt: p.at })
    .where('tenantId', '=', p.tenantId)
    .where('budgetId', '=', p.budgetId)
    .where((eb) => eb.or([eb('againAt', 'is', null), eb('againAt', '>', p.at)])),
)

const takeDue = statement('budget-waits.take', (db, p: Bind<{ runId: RunId; step: number; at: EpochMs }>) =>
  db
    .deleteFrom('budgetWaits')
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('step', '=', p.step)
    .where('againAt', '<=', p.at),
)

const letStepGo = statement('steps.budget-freed', (db, p: Bind<{ runId: RunId; seq: number }>) =>
  db
    .updateTable('steps')
    .set({ state: 'approved', waitingReason: null })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('seq', '=', p.seq)
    .where('state', '=', 'waiting')
    .where('waitingReason', '=', 'budget'),
)

const firstWaitOf = statement('budget-waits.of-run', (db, p: Bind<{ runId: RunId }>) =>
  db
    .selectFrom('budgetWaits')
    .innerJoin('runs', (join) =>
      join.onRef('runs.tenantId', '=', 'budgetWaits.tenantId').onRef('runs.id', '=', 'budgetWaits.runId'),
    )
    .select(['budgetWaits.budgetId', 'budgetWaits.neededNanos', 'budgetWaits.againAt'])
    .where('budgetWaits.tenantId', '=', p.tenantId)
    .where('runs.tenantId', '=', p.tenantId)
    .where((eb) => eb.or([eb('runs.id', '=', p.runId), eb('runs.rootRunId', '=', p.runId)]))
    .orderBy('budgetWaits.createdAt')
    .limit(1),
)

const dueWaits = systemStatement(
  'budget-waits.due',
  'runs of any tenant that wait for a budget go on by whichever process comes first',
  (db, p: SystemBind<{ at: EpochMs; limit: number }>) =>
    db
      .selectFrom('budgetWaits')
      .select(['tenantId', 'runId', 'step'])
      .where('againAt', 'is not', null)
      .where('againAt', '<=', p.at)
      .orderBy('againAt')
      .limit(p.limit),
)
