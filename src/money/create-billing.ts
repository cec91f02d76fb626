// Plans, accounts, subscriptions and what they allow, put together.

import type { TenantId } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import type { Clock } from '../base/time.ts'
import type { Principal } from '../contract/principal.ts'
import type { IngestedUsage } from '../contract/subscription.ts'
import type { Database } from '../storage/database.ts'
import { createEntitlements, type Entitlements } from './entitlements/entitlements.ts'
import { createPlans, type Plans } from './plans/plans.ts'
import { type Accounts, createAccounts } from './subscriptions/accounts.ts'
import { createSubscriptions, type Subscriptions } from './subscriptions/subscriptions.ts'
import { type AskedUsage, type UsageSummary, usageSummary } from './subscriptions/usage-summary.ts'
import { ingestUsage } from './usage/ingest.ts'

export interface Billing {
  readonly plans: Plans
  readonly accounts: Accounts
  readonly subscriptions: Subscriptions
  readonly entitlements: Entitlements
  /** Takes a batch of usage records as they came. */
  ingest(principal: Principal, records: readonly Json[]): Promise<IngestedUsage>
  usage(tenantId: TenantId, asked: AskedUsage): Promise<UsageSummary>
}

export function createBilling(deps: { readonly db: Database; readonly clock: Clock }): Billing {
  const entitlements = createEntitlements(deps)
  return {
    plans: createPlans(deps),
    accounts: createAccounts(deps),
    subscriptions: createSubscriptions({ ...deps, changed: entitlements.forget }),
    entitlements,
    ingest: (principal, records) => ingestUsage(deps, principal, records),
    usage: (tenantId, asked) => usageSummary(deps, tenantId, asked),
  }
}
