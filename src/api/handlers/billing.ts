import type { PlanId, SubscriptionId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import { parseTime } from '../../base/time.ts'
import type { Subscription } from '../../money/subscriptions/subscriptions.ts'
import type { ApiDeps } from '../api-deps.ts'
import { created, type Handlers, ok, type RequestFacts } from '../call.ts'
import { idOf } from '../id-of.ts'
import { once, onceClaimed } from '../idempotency.ts'
import { page } from '../paging.ts'
import {
  accountView,
  entitlementsView,
  planView,
  subscriptionView,
  usageView,
} from '../views/billing-view.ts'

type BillingRoutes = typeof import('../../contract/routes/billing.ts').billingRoutes

export function billingHandlers(deps: ApiDeps): Pick<Handlers, keyof BillingRoutes> {
  const { plans, accounts, subscriptions, entitlements, ingest, usage } = deps.money.billing
  return {
    createPlan: (call) =>
      once(deps.idempotency, call, {
        status: 201,
        make: async (inTransaction) => {
          const context = { ...contextOf(call.request), inTransaction }
          const plan = await plans.create(call.principal, call.body, context)
          return created(planView(plan), planPath(plan.id))
        },
        again: async (id) => created(planView(await plans.get(planOf({ id }))), planPath(id)),
      }),
    async listPlans({ principal: { tenantId }, query }) {
      const { state, key } = query
      const list = `plans ${state ?? ''} ${key ?? ''}`
      return ok(await page(list, tenantId, query, (asked) => plans.list({ ...asked, state, key }), planView))
    },
    getPlan: async ({ params }) => ok(planView(await plans.get(planOf(params)))),
    archivePlan: async ({ principal, params, body, request }) =>
      ok(planView(await plans.archive(principal, planOf(params), body, contextOf(request)))),
    getBillingAccount: async ({ principal }) => ok(accountView(await accounts.get(principal.tenantId))),
    putBillingAccount: async ({ principal, body, request }) =>
      ok(accountView(await accounts.put(principal, body, contextOf(request)))),
    createSubscription: (call) => {
      const { principal, body } = call
      const answer = (made: Subscription) => created(subscriptionView(made), '/api/v1/billing/subscription')
      // It may be of another tenant, whose transaction cannot carry the key.
      return onceClaimed(deps.idempotency, call, {
        status: 201,
        make: async () => answer(await subscriptions.create(principal, body, contextOf(call.request))),
        again: async (id) =>
          answer(
            await subscriptions.get(subscriptions.tenantOf(principal, body.tenantId), subscriptionOf({ id })),
          ),
      })
    },
    getSubscription: async ({ principal }) =>
      ok(subscriptionView(await subscriptions.current(principal.tenantId))),
    changeSubscription: async ({ principal, params, body, request }) =>
      ok(
        subscriptionView(
          await subscriptions.change(principal, subscriptionOf(params), body, contextOf(request)),
        ),
      ),
    cancelSubscription: async ({ principal, params, body, request }) =>
      ok(
        subscriptionView(
          await subscriptions.cancel(principal, subscriptionOf(params), body, contextOf(request)),
        ),
      ),
    pauseSubscription: async ({ principal, params, body, request }) =>
      ok(
        subscriptionView(
          await subscriptions.pause(principal, subscriptionOf(params), body, contextOf(request)),
        ),
      ),
    resumeSubscription: async ({ principal, params, body, request }) =>
      ok(
        subscriptionView(
          await subscriptions.resume(principal, subscriptionOf(params), body, contextOf(request)),
        ),
      ),
    getEntitlements: async ({ principal }) => ok(entitlementsView(await entitlements.of(principal.tenantId))),
    // They are JSON as it came: each is checked by itself.
    ingestUsage: async ({ principal, body }) =>
      ok(await ingest(principal, body.records as unknown as readonly Json[])),
    async getUsage({ principal, query: { from, until, metric } }) {
      const asked = { from: timeOf(from), until: timeOf(until), metric }
      return ok(usageView(await usage(principal.tenantId, asked)))
    },
  }
}

function contextOf(request: RequestFacts) {
  return { requestId: request.requestId }
}

function planPath(id: string): string {
  return `/api/v1/billing/plans/${id}`
}

function planOf(params: { readonly id: string }): PlanId {
  return idOf('plan', params.id, 'plan.not-found')
}

function subscriptionOf(params: { readonly id: string }): SubscriptionId {
  return idOf('subscription', params.id, 'subscription.not-found')
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseTime(text)
}
