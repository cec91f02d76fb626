// How many of a tenant's jobs run at once: what the operator says of the tenant and what its plan allows, the less of both.

import { sql } from 'kysely'

const own = sql.ref<number | null>('tenants.maxConcurrentJobs')
const byPlan = sql.ref<number | null>('billingAccounts.maxConcurrentJobs')

/** Null where neither says anything. Over `tenants`, with `billingAccounts` joined to it. */
export const TENANT_CAP = sql<
  number | null
>`(case when ${byPlan} < coalesce(${own}, ${byPlan} + 1) then ${byPlan} else ${own} end)`
