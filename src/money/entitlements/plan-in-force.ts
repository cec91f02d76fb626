// Which plan holds for a tenant now, whatever it subscribed to and ended.

import type { TenantReader, TenantTransaction } from '../../storage/database.ts'
import { type Plan, planOf } from '../plans/plan.ts'
import { planByKey, planOfId } from '../plans/plan-store.ts'
import {
  type AccountRow,
  accountOf,
  lastSubscription,
  type SubscriptionRow,
  setConcurrency,
} from '../subscriptions/subscription-store.ts'

/** The plan of those whose subscription has ended. */
export const FALLBACK_PLAN = 'free'

export interface InForce {
  readonly account: AccountRow | undefined
  /** The open subscription, else the last one. */
  readonly subscription: SubscriptionRow | undefined
  /**
   * `unlimited`: it never subscribed to anything (self-hosted use). `plan`: the plan holds; of a subscription that has ended
   * it is the fallback. `none`: what it subscribed to has ended, and there is no plan for those.
   */
  readonly holds:
    | { readonly kind: 'unlimited' }
    | { readonly kind: 'plan'; readonly plan: Plan }
    | { readonly kind: 'none' }
}

export async function planInForce(reader: TenantReader): Promise<InForce> {
  const account = await reader.first(accountOf, {})
  const subscription = account === undefined ? undefined : await reader.first(lastSubscription, {})
  if (subscription === undefined) return { account, subscription, holds: { kind: 'unlimited' } }
  if (subscription.state !== 'cancelled') {
    const plan = await planOfId(reader, subscription.planId)
    return { account, subscription, holds: { kind: 'plan', plan } }
  }
  const row = await reader.first(planByKey, { key: FALLBACK_PLAN })
  if (row === undefined) return { account, subscription, holds: { kind: 'none' } }
  return { account, subscription, holds: { kind: 'plan', plan: planOf(row) } }
}

/** Writes how many jobs the plan lets run at once to where the queue reads it. Called with each change of a subscription. */
export async function keepConcurrency(tx: TenantTransaction): Promise<void> {
  const { account, holds } = await planInForce(tx)
  if (account === undefined) return
  const max = holds.kind === 'plan' ? (holds.plan.limits.max_concurrent_jobs ?? null) : null
  if (account.maxConcurrentJobs !== max) await tx.run(setConcurrency, { max })
}
