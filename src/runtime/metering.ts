// What the runtime asks of money: the price of an attempt, and a usage record in the transaction of its result.

import type { ModelCallId, RunId } from '../base/ids.ts'
import type { Nanos } from '../base/money.ts'
import type { EpochMs } from '../base/time.ts'
import type { ModelUsage } from '../contract/usage.ts'
import type { TenantTransaction } from '../storage/database.ts'

/** What an attempt cost, or why that is not known. It is never zero for want of knowledge. */
export type AttemptCost =
  | { readonly costState: 'priced'; readonly costNanos: Nanos; readonly priceId: string | null }
  | { readonly costState: 'unpriced' }
  | { readonly costState: 'usage_missing' }

export interface UsageFact {
  readonly modelCallId: ModelCallId
  readonly runId: RunId
  readonly agentId: string
  readonly model: string
  readonly usage: ModelUsage
  readonly rating: AttemptCost
  /** Of a replay: nobody's usage of a plan. */
  readonly replay: boolean
  readonly at: EpochMs
}

export interface Metering {
  rate(model: string, usage: ModelUsage, at: EpochMs): AttemptCost
  /** Writes the attempt's usage record; the same attempt has one for ever. */
  record(tx: TenantTransaction, fact: UsageFact): Promise<unknown>
}
