import { pageOf } from '../fields.ts'
import { OPERATE } from '../permission.ts'
import { archivePlan, createPlan, plan, planQuery } from '../plan.ts'
import { route } from '../route.ts'
import {
  billingAccount,
  cancelSubscription,
  changeSubscription,
  createSubscription,
  entitlements,
  ingestedUsage,
  ingestUsage,
  putBillingAccount,
  subscription,
  subscriptionStep,
  usageQuery,
  usageSummary,
} from '../subscription.ts'
import { idParam } from './path-params.ts'

const shared = { tag: 'billing' } as const
const planParams = { id: idParam('plan', 'plan.not-found') } as const
const subscriptionParams = { id: idParam('subscription', 'subscription.not-found') } as const
const manage = { ...shared, permission: 'MANAGE_BILLING' } as const
const read = { ...shared, permission: 'READ_BILLING' } as const
const changes = ['tenant.not-found', 'subscription.state-conflict'] as const

export const billingRoutes = {
  createPlan: route({
    ...shared,
    method: 'POST',
    path: '/billing/plans',
    permission: OPERATE,
    summary: 'Make the next version of a plan',
    description:
      'A version never changes. Who subscribes by the key gets the newest active one; who has another keeps it.',
    body: { schema: createPlan },
    responses: { 201: plan },
    errors: ['plan.key-taken'],
    idempotent: true,
  }),
  listPlans: route({
    ...read,
    method: 'GET',
    path: '/billing/plans',
    summary: 'List the versions of plans, newest first',
    query: planQuery,
    responses: { 200: pageOf(plan) },
  }),
  getPlan: route({
    ...read,
    method: 'GET',
    path: '/billing/plans/{id}',
    summary: 'Get a version of a plan',
    params: planParams,
    responses: { 200: plan },
  }),
  archivePlan: route({
    ...shared,
    method: 'POST',
    path: '/billing/plans/{id}/archive',
    permission: OPERATE,
    summary: 'Archive a version of a plan: nobody can subscribe to it any more',
    description:
      'One that is in use needs a `replacement`: changes that were to come go there; current subscriptions keep what they have.',
    params: planParams,
    body: { schema: archivePlan, optional: true },
    responses: { 200: plan },
    errors: ['plan.in-use'],
  }),
  getBillingAccount: route({
    ...read,
    method: 'GET',
    path: '/billing/account',
    summary: 'Get who is billed',
    responses: { 200: billingAccount },
    errors: ['billing.not-set-up'],
  }),
  putBillingAccount: route({
    ...manage,
    method: 'PUT',
    path: '/billing/account',
    summary: 'Say who is billed, in which currency and time zone',
    description: 'The currency stays as it is once there is a subscription or an invoice in it.',
    body: { schema: putBillingAccount },
    responses: { 200: billingAccount },
  }),
  createSubscription: route({
    ...manage,
    method: 'POST',
    path: '/billing/subscriptions',
    summary: 'Subscribe to a plan',
    description:
      'A tenant has one open subscription. Without a trial the base price of the first period is invoiced at once.',
    body: { schema: createSubscription },
    responses: { 201: subscription },
    errors: ['tenant.not-found', 'billing.not-set-up', 'subscription.exists', 'plan.not-found', 'plan.limit'],
    idempotent: true,
  }),
  getSubscription: route({
    ...read,
    method: 'GET',
    path: '/billing/subscription',
    summary: "Get the tenant's subscription: the open one, else the last one",
    responses: { 200: subscription },
    errors: ['subscription.not-found'],
  }),
  changeSubscription: route({
    ...manage,
    method: 'POST',
    path: '/billing/subscriptions/{id}/change',
    summary: 'Change the plan or the seats',
    description:
      'What costs more holds now: the unused time of the old plan is credited and the rest of the period charged. What costs less holds from the next period on. `when` says otherwise.',
    params: subscriptionParams,
    body: { schema: changeSubscription },
    responses: { 200: subscription },
    errors: [...changes, 'plan.not-found', 'plan.limit'],
    unrepeatable: true,
  }),
  cancelSubscription: route({
    ...manage,
    method: 'POST',
    path: '/billing/subscriptions/{id}/cancel',
    summary: 'Cancel a subscription at the end of its period, or now',
    params: subscriptionParams,
    body: { schema: cancelSubscription, optional: true },
    responses: { 200: subscription },
    errors: changes,
    unrepeatable: true,
  }),
  pauseSubscription: route({
    ...manage,
    method: 'POST',
    path: '/billing/subscriptions/{id}/pause',
    summary: 'Pause a subscription: no new runs, no base price from the next period on',
    params: subscriptionParams,
    body: { schema: subscriptionStep, optional: true },
    responses: { 200: subscription },
    errors: changes,
    unrepeatable: true,
  }),
  resumeSubscription: route({
    ...manage,
    method: 'POST',
    path: '/billing/subscriptions/{id}/resume',
    summary: 'End a pause, or take back a cancellation that has not come yet',
    params: subscriptionParams,
    body: { schema: subscriptionStep, optional: true },
    responses: { 200: subscription },
    errors: changes,
    unrepeatable: true,
  }),
  getEntitlements: route({
    ...read,
    method: 'GET',
    path: '/billing/entitlements',
    summary: 'What the tenant may do by its plan and its standing',
    responses: { 200: entitlements },
  }),
  ingestUsage: route({
    ...manage,
    method: 'POST',
    path: '/billing/usage',
    summary: 'Tell usage that happened elsewhere, many records at once',
    description:
      'A fact is known by its `metric` and `event_id` for ever: sent again it counts once, and the first one stays. The period in which it is first accepted is the one that is billed. Send as often as you like.',
    body: { schema: ingestUsage },
    responses: { 200: ingestedUsage },
  }),
  getUsage: route({
    ...read,
    method: 'GET',
    path: '/billing/usage',
    summary: 'Usage of a period by metric: how much, what is included, what is left, what it comes to',
    query: usageQuery,
    responses: { 200: usageSummary },
  }),
} as const
