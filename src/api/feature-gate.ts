// Routes that a plan may hold back: those that make something new with a feature. What is there already can be looked at,
// changed and deleted. A tenant without a subscription has them all.

import type { Principal } from '../contract/principal.ts'
import type { Route } from '../contract/route.ts'
import type { ApiDeps } from './api-deps.ts'

/** Throws `plan.feature-missing` where the plan of the tenant does not have what the route is of. */
export async function requireFeatureOf(
  deps: Pick<ApiDeps, 'money'>,
  { feature }: Pick<Route, 'feature'>,
  principal: Principal | undefined,
): Promise<void> {
  if (feature === undefined || principal === undefined) return
  await deps.money.billing.entitlements.requireFeature(principal.tenantId, feature)
}
