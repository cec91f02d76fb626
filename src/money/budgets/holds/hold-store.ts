// Holds in the database: money set aside, each for one owner. A hold ends once: who changes its row from its state first
// has ended it.

import { sql } from 'kysely'
import type { HoldId, RunId, TenantId } from '../../../base/ids.ts'
import type { Nanos } from '../../../base/money.ts'
import type { EpochMs } from '../../../base/time.ts'
import type { TenantReader, TenantTransaction } from '../../../storage/database.ts'
import type { RowOf } from '../../../storage/schema/tables.ts'
import type { Bind, SystemBind } from '../../../storage/statement.ts'
import { statement, systemStatement } from '../../../storage/statement.ts'

export type HoldState = RowOf<'budgetHolds'>['state']

export interface NewHold {
  readonly id: HoldId
  readonly owner: string
  readonly runId: RunId | null
  readonly amountNanos: Nanos
  readonly estimateNanos: Nanos
  /** JSON: `[{"budget_id","period_key"}]`. */
  readonly budgets: string
  readonly createdAt: EpochMs
  readonly expiresAt: EpochMs
}

/** What a hold had set aside, and where, when it was ended. */
export type EndedHold = Pick<NewHold, 'id' | 'runId' | 'owner' | 'amountNanos' | 'estimateNanos' | 'budgets'>

/** Adds the hold. One of the same owner that was released is held anew; any other stays as it is, and the answer is false. */
export async function insertHold(tx: TenantTransaction, hold: NewHold): Promise<boolean> {
  return (await tx.run(insertRow, hold)) > 0
}

/** Undoes `insertHold` in its own transaction: what was new is gone, what was released is so again. */
export async function takeBack(
  tx: TenantTransaction,
  hold: { readonly id: HoldId; readonly owner: string; readonly at: EpochMs },
): Promise<void> {
  if ((await tx.run(deleteRow, { id: hold.id })) > 0) return
  await tx.first(endHeld, { owner: hold.owner, to: 'released', settledNanos: 0n, at: hold.at })
}

/** The state of the owner's hold, where there is one. */
export async function holdStateOf(reader: TenantReader, owner: string): Promise<HoldState | undefined> {
  return (await reader.first(selectState, { owner }))?.state
}

/** Ends the owner's hold where it is in that state, and answers it as it was. */
export function endHold(
  tx: TenantTransaction,
  end: {
    readonly owner: string
    readonly from: 'held' | 'estimated'
    readonly to: 'settled' | 'released'
    readonly settledNanos: Nanos
    readonly at: EpochMs
  },
): Promise<EndedHold | undefined> {
  return tx.first(end.from === 'held' ? endHeld : endEstimated, end)
}

/** Charges the hold's estimate. Nothing where it has ended, or does not expire before that moment. */
export function chargeEstimate(
  tx: TenantTransaction,
  end: { readonly owner: string; readonly expiredBefore: EpochMs; readonly at: EpochMs },
): Promise<EndedHold | undefined> {
  return tx.first(estimateHeld, end)
}

export interface ExpiredHold {
  readonly tenantId: TenantId
  readonly owner: string
}

const ENDED = ['id', 'runId', 'owner', 'amountNanos', 'estimateNanos', 'budgets'] as const

export const insertRow = statement('budget-holds.insert', (db, p: Bind<NewHold>) =>
  db
    .insertInto('budgetHolds')
    .values({
      tenantId: p.tenantId,
      id: p.id,
      owner: p.owner,
      runId: p.runId,
      amountNanos: p.amountNanos,
      estimateNanos: p.estimateNanos,
      budgets: p.budgets,
      state: 'held',
      settledNanos: null,
      createdAt: p.createdAt,
      expiresAt: p.expiresAt,
      settledAt: null,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['tenantId', 'owner'])
        .doUpdateSet((eb) => ({
          amountNanos: eb.ref('excluded.amountNanos'),
          estimateNanos: eb.ref('excluded.estimateNanos'),
          budgets: eb.ref('excluded.budgets'),
          state: 'held',
          settledNanos: null,
          createdAt: eb.ref('excluded.createdAt'),
          expiresAt: eb.ref('excluded.expiresAt'),
          settledAt: null,
        }))
        .where('budgetHolds.state', '=', 'released'),
    ),
)

const deleteRow = statement('budget-holds.delete', (db, p: Bind<{ id: HoldId }>) =>
  db.deleteFrom('budgetHolds').where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

export const selectState = statement('budget-holds.state', (db, p: Bind<{ owner: string }>) =>
  db
    .selectFrom('budgetHolds')
    .select('state')
    .where('tenantId', '=', p.tenantId)
    .where('owner', '=', p.owner),
)

/** The state of a hold that its owner finds: written so that no index of held ones is walked instead. */
const STATE_BY_OWNER = sql<HoldState>`(state || '')`

type End = {
  readonly owner: string
  readonly to: HoldState
  readonly settledNanos: Nanos
  readonly at: EpochMs
}

export const endHeld = statement('budget-holds.end', (db, p: Bind<End>) =>
  db
    .updateTable('budgetHolds')
    .set({ state: p.to, settledNanos: p.settledNanos, settledAt: p.at })
    .where('tenantId', '=', p.tenantId)
    .where('owner', '=', p.owner)
    .where(STATE_BY_OWNER, '=', 'held')
    .returning([...ENDED]),
)

export const endEstimated = statement('budget-holds.end-estimated', (db, p: Bind<End>) =>
  db
    .updateTable('budgetHolds')
    .set({ state: p.to, settledNanos: p.settledNanos, settledAt: p.at })
    .where('tenantId', '=', p.tenantId)
    .where('owner', '=', p.owner)
    .where('state', '=', 'estimated')
    .returning([...ENDED]),
)

export const estimateHeld = statement(
  'budget-holds.estimate',
  (db, p: Bind<{ owner: string; expiredBefore: EpochMs; at: EpochMs }>) =>
    db
      .updateTable('budgetHolds')
      .set((eb) => ({ state: 'estimated' as const, settledNanos: eb.ref('estimateNanos'), settledAt: p.at }))
      .where('tenantId', '=', p.tenantId)
      .where('owner', '=', p.owner)
      .where(STATE_BY_OWNER, '=', 'held')
      .where('expiresAt', '<', p.expiredBefore)
      .returning([...ENDED]),
)

export const expiredHolds = systemStatement(
  'budget-holds.expired',
  'holds of any tenant may be left behind',
  (db, p: SystemBind<{ at: EpochMs; limit: number }>) =>
    db
      .selectFrom('budgetHolds')
      .select(['tenantId', 'owner'])
      .where('state', '=', 'held')
      .where('expiresAt', '<', p.at)
      .orderBy('expiresAt')
      .limit(p.limit),
)
