// Routes that a plan may hold back. A tenant without a subscription has them all.

import type { Feature } from '../contract/plan.ts'
import type { Principal } from '../contract/principal.ts'
import type { RouteId } from '../contract/routes.ts'
import type { ApiDeps } from './api-deps.ts'

/** What makes something new with the feature; what is there already can be looked at, changed and deleted. */
const FEATURE_OF: Readonly<Partial<Record<RouteId, Feature>>> = {
  startWorkflow: 'workflows',
  createTrigger: 'triggers',
  replayRun: 'replay',
  createBudget: 'budgets',
  setPrice: 'own_prices',
  listAudit: 'audit_log',
}

/** Throws `plan.feature-missing` where the plan of the tenant does not have what the route is of. */
export async function requireFeatureOf(
  deps: Pick<ApiDeps, 'money'>,
  route: { readonly id: RouteId },
  principal: Principal | undefined,
): Promise<void> {
  const feature = FEATURE_OF[route.id]
  if (feature === undefined || principal === undefined) return
  await deps.money.billing.entitlements.requireFeature(principal.tenantId, feature)
}
