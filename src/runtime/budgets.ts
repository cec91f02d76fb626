// What the runtime asks of budgets: money is set aside before a step that costs, in the transaction of its intent, and
// settled in the transaction of its result. Implemented by src/money/budgets.

import type { BudgetId, RunId } from '../base/ids.ts'
import type { Nanos } from '../base/money.ts'
import type { EpochMs } from '../base/time.ts'
import type { Dimensions } from '../contract/money.ts'
import type { TenantReader, TenantTransaction } from '../storage/database.ts'

/** Who settles what is set aside for a step. */
export function holdOwner(runId: RunId, step: number): string {
  return `run:${runId}:${step}`
}

export interface Reservation {
  /** `run:<run id>:<step>`: an owner has one hold; reserved again, it is answered as it is. */
  readonly owner: string
  readonly of: Dimensions
  readonly rootRunId: RunId
  /** The most that it can cost; undefined where nobody knows (no price). */
  readonly worstNanos: Nanos | undefined
  /** What is charged where nobody ever says what it cost. */
  readonly estimateNanos: Nanos
  readonly at: EpochMs
  /** After this nobody is expected to settle it any more. */
  readonly expiresAt: EpochMs
}

/** `free`: no budget applies. Where it is `refused` or has to `wait`, nothing was written. */
export type Reserved =
  | { readonly outcome: 'free' }
  | { readonly outcome: 'held' }
  | {
      readonly outcome: 'refused'
      readonly code: 'budget.exceeded' | 'budget.unpriced' | 'budget.unavailable'
      readonly budgetId: BudgetId
      /** One line for people: which budget, what is left, what would have been needed. */
      readonly message: string
    }
  | {
      readonly outcome: 'wait'
      readonly budgetId: BudgetId
      readonly neededNanos: Nanos
      readonly message: string
      /** When it has room again by itself; undefined: only when somebody tops up. */
      readonly againAt: EpochMs | undefined
    }

export interface Budgets {
  reserve(tx: TenantTransaction, reservation: Reservation): Promise<Reserved>
  /** What it really cost; undefined: it may have cost something and nobody knows, so the estimate is charged and marked. */
  settle(tx: TenantTransaction, owner: string, costNanos: Nanos | undefined, at: EpochMs): Promise<void>
  /** It was certainly not spent. */
  release(tx: TenantTransaction, owner: string, at: EpochMs): Promise<void>
  /** A cost that nothing was set aside for. It is counted, also where it passes a limit. */
  charge(
    tx: TenantTransaction,
    of: Dimensions,
    rootRunId: RunId | null,
    costNanos: Nanos,
    at: EpochMs,
  ): Promise<void>
  /** Throws `budget.exceeded` where a hard budget of it has nothing left: the run is not accepted. */
  admit(reader: TenantReader, of: Dimensions, at: EpochMs): Promise<void>
}
