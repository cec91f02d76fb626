// What the runtime asks of money: prices as they hold for a tenant, and what is on record of each fact that is metered, in
// the transaction of the fact. Implemented by src/money/usage.

import type { ModelCallId, RunId, TenantId } from '../base/ids.ts'
import type { Nanos } from '../base/money.ts'
import type { EpochMs } from '../base/time.ts'
import type { Dimensions } from '../contract/money.ts'
import type { ModelUsage } from '../contract/usage.ts'
import type { TenantTransaction } from '../storage/database.ts'

/** What an attempt cost, or why that is not known. It is never zero for want of knowledge. */
export type AttemptCost =
  | { readonly costState: 'priced'; readonly costNanos: Nanos; readonly priceId: string | null }
  | { readonly costState: 'unpriced' }
  | { readonly costState: 'usage_missing' }

/** At most so many tokens. */
export interface TokenBound {
  readonly promptTokens: number
  readonly outputTokens: number
}

/** The prices of a tenant: its own, and the book's where it has none. */
export interface RunPrices {
  rate(model: string, usage: ModelUsage, at: EpochMs): AttemptCost
  /** The most that an attempt can cost; undefined where nobody knows: no price for the model. */
  worstCase(model: string, bound: TokenBound, at: EpochMs): Nanos | undefined
  /** What one call of a tool costs; undefined where it has no price, and so no cost. */
  toolPrice(tool: string, at: EpochMs): Nanos | undefined
  /** What it costs that a run at the top is active for so long; undefined where that has no price. */
  computeCost(activeMs: number, at: EpochMs): Nanos | undefined
}

export interface UsageFact {
  readonly modelCallId: ModelCallId
  readonly of: Dimensions
  readonly model: string
  readonly usage: ModelUsage
  readonly rating: AttemptCost
  /** Of a replay: nobody's usage of a plan. */
  readonly replay: boolean
  readonly at: EpochMs
  /** When it is written. */
  readonly acceptedAt: EpochMs
}

interface FactOfRun {
  readonly runId: RunId
  readonly of: Dimensions
  readonly replay: boolean
  readonly at: EpochMs
}

export interface RunEndedFact extends FactOfRun {
  readonly kind: 'agent' | 'workflow'
  /** Where the time of a run has a price: how long it was active, and what that cost. */
  readonly compute?: { readonly activeMs: number; readonly costNanos: Nanos } | undefined
}

export interface ToolCalledFact extends FactOfRun {
  /** `toolFact` of the call: taken up again by another run it is the same. */
  readonly fact: string
  readonly tool: string
  /** Where the tool has a price. */
  readonly costNanos: Nanos | undefined
}

/** A tool call by its idempotency key, which a run that goes on for a dead one takes over, and its attempt. */
export function toolFact(idempotencyKey: string, attempt: number): string {
  return `${idempotencyKey}:${attempt}`
}

/** Each fact has one record for ever, however often it is told. Budgets are the runtime's to settle. */
export interface Metering {
  /** As they hold now; those that were read within the last second may be answered again. */
  prices(tenantId: TenantId): Promise<RunPrices>
  /** An attempt at a model has ended. */
  record(tx: TenantTransaction, fact: UsageFact): Promise<unknown>
  /** A run that had begun has ended. */
  runEnded(tx: TenantTransaction, fact: RunEndedFact): Promise<void>
  /** A tool was really called. Answers whether that was not on record yet. */
  toolCalled(tx: TenantTransaction, fact: ToolCalledFact): Promise<boolean>
}
