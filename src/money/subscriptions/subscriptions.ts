// Use cases of a tenant's subscription: begin, read, change, cancel, pause, resume. A tenant has one that is open.

import { isHoldable, UNITS_OF_AMOUNT_MAX } from '../../base/currency.ts'
import { AppError } from '../../base/errors.ts'
import { isId, newId, type SubscriptionId, type TenantId } from '../../base/ids.ts'
import type { Clock, EpochMs } from '../../base/time.ts'
import type { AuditEventType } from '../../contract/event.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import type {
  CancelSubscription,
  ChangeSubscription,
  CreateSubscription,
  SubscriptionStep,
} from '../../contract/subscription.ts'
import { appendAudit } from '../../events/append.ts'
import type { Database, TenantReader, TenantTransaction } from '../../storage/database.ts'
import { keepConcurrency } from '../entitlements/plan-in-force.ts'
import { closePeriod, closeUsage } from '../invoices/closing/close-periods.ts'
import { basePrice, type Plan, planOf } from '../plans/plan.ts'
import { planById, planByKey, planOfId } from '../plans/plan-store.ts'
import type { BillingContext } from '../plans/plans.ts'
import { accountOrThrow } from './accounts.ts'
import { cancelled, changed, paused, resumed, type Step } from './steps.ts'
import {
  type AccountRow,
  anyTrial,
  insertItem,
  insertSubscription,
  lastSubscription,
  lockAccount,
  openSubscription,
  type SubscriptionRow,
  subscriptionById,
  updateSubscription,
} from './subscription-store.ts'

export interface Subscription {
  readonly row: SubscriptionRow
  readonly plan: Plan
  readonly nextPlan: Plan | null
}

export interface Subscriptions {
  /** Begins one. Without a trial the base price of the first period is invoiced at once. */
  create(principal: Principal, input: CreateSubscription, context: BillingContext): Promise<Subscription>
  /** Whose it is about: of another tenant only the operator speaks; to anybody else it is not there. */
  tenantOf(principal: Principal, tenantId: string | undefined): TenantId
  get(tenantId: TenantId, id: SubscriptionId): Promise<Subscription>
  /** The one that is open, else the last one. */
  current(tenantId: TenantId): Promise<Subscription>
  change(
    principal: Principal,
    id: SubscriptionId,
    input: ChangeSubscription,
    context: BillingContext,
  ): Promise<Subscription>
  cancel(
    principal: Principal,
    id: SubscriptionId,
    input: CancelSubscription,
    context: BillingContext,
  ): Promise<Subscription>
  pause(
    principal: Principal,
    id: SubscriptionId,
    input: SubscriptionStep,
    context: BillingContext,
  ): Promise<Subscription>
  /** Ends a pause, or takes a cancellation back that has not come yet. */
  resume(
    principal: Principal,
    id: SubscriptionId,
    input: SubscriptionStep,
    context: BillingContext,
  ): Promise<Subscription>
}

export interface SubscriptionsDeps {
  readonly db: Database
  readonly clock: Clock
  /** Told after the commit of each change. */
  readonly changed?: ((tenantId: TenantId) => void) | undefined
}

const DAY_MS = 86_400_000

export function createSubscriptions(deps: SubscriptionsDeps): Subscriptions {
  const { db, clock } = deps

  const write = async (
    tenantId: TenantId,
    work: (tx: TenantTransaction) => Promise<Subscription>,
  ): Promise<Subscription> => {
    const made = await db.tenant(tenantId).write(work)
    deps.changed?.(tenantId)
    return made
  }

  const take = async (
    principal: Principal,
    id: SubscriptionId,
    input: SubscriptionStep,
    context: BillingContext,
    step: (facts: Situation) => Promise<Step> | Step,
  ): Promise<Subscription> => {
    const at = clock()
    const tenantId = tenantOf(principal, input.tenantId)
    return write(tenantId, async (tx) => {
      const account = accountOrMissing(await tx.first(lockAccount, {}), id)
      const row = await tx.first(subscriptionById, { id })
      if (row === undefined) throw missing(id)
      if (input.revision !== undefined && input.revision !== row.revision) {
        throw new AppError(
          'subscription.state-conflict',
          `The subscription is at revision ${row.revision}, not ${input.revision}: look at it again.`,
        )
      }
      if (row.stripeSubscriptionId !== null && row.state !== 'cancelled')
        throw new AppError(
          'subscription.state-conflict',
          'Stripe bills the subscription: change or cancel it there (POST /billing/stripe/portal), and it is taken over here.',
        )
      const plan = await planOfId(tx, row.planId)
      const done = await step({ tx, row, plan, account, at })
      return record(tx, row, done, { principal, context, at })
    })
  }

  return {
    create: async (principal, input, context) => {
      const at = clock()
      return write(tenantOf(principal, input.tenantId), (tx) => begin(tx, principal, input, context, at))
    },
    tenantOf,
    get: (tenantId, id) =>
      db.tenant(tenantId).read(async (reader) => {
        const row = await reader.first(subscriptionById, { id })
        if (row === undefined) throw missing(id)
        return withPlans(reader, row)
      }),
    current: (tenantId) =>
      db.tenant(tenantId).read(async (reader) => {
        const row = await reader.first(lastSubscription, {})
        if (row === undefined) {
          throw new AppError(
            'subscription.not-found',
            'The tenant has no subscription; make one with POST /billing/subscriptions.',
          )
        }
        return withPlans(reader, row)
      }),
    change: (principal, id, input, context) =>
      take(principal, id, input, context, async ({ tx, ...facts }) => {
        const plan = input.plan === undefined ? facts.plan : await planNamed(tx, input.plan, facts.plan)
        const seats = input.seats ?? facts.row.seats
        checkFits(plan, seats, facts.account)
        return changed(facts, { plan, seats, when: input.when })
      }),
    cancel: (principal, id, input, context) =>
      take(principal, id, input, context, (facts) => cancelled(facts, input)),
    pause: (principal, id, input, context) => take(principal, id, input, context, paused),
    resume: (principal, id, input, context) => take(principal, id, input, context, resumed),
  }
}

interface Situation {
  readonly tx: TenantTransaction
  readonly row: SubscriptionRow
  readonly plan: Plan
  readonly account: AccountRow
  readonly at: EpochMs
}

async function begin(
  tx: TenantTransaction,
  principal: Principal,
  input: CreateSubscription,
  context: BillingContext,
  at: EpochMs,
): Promise<Subscription> {
  const account = accountOrThrow(await tx.first(lockAccount, {}))
  const plan = await planNamed(tx, input.plan)
  const { seats = 1 } = input
  checkFits(plan, seats, account)
  const open = await tx.first(openSubscription, {})
  if (open !== undefined) {
    throw new AppError(
      'subscription.exists',
      `The tenant has the subscription "${open.id}" already; change that one, or cancel it and wait until it has ended.`,
    )
  }
  const hasTrial = input.trial !== false && plan.trialDays > 0 && (await tx.first(anyTrial, {})) === undefined
  const trialEndsAt = hasTrial ? at + plan.trialDays * DAY_MS : null
  const anchorAt = trialEndsAt ?? at
  const id = newId('subscription', at)
  const actor = actorOf(principal)
  await tx.run(insertSubscription, {
    id,
    planId: plan.id,
    seats,
    state: hasTrial ? 'trialing' : 'active',
    anchorAt,
    // Without a trial it begins with a period of no length, whose invoice has the base price of the first one.
    periodStart: at,
    periodEnd: anchorAt,
    trialEndsAt,
    createdBy: actor,
    at,
  })
  const opening = await tx.first(subscriptionById, { id })
  if (opening === undefined)
    throw new AppError('subscription.exists', 'The tenant has a subscription already.')
  await keepConcurrency(tx)
  await appendAudit(tx, {
    type: 'subscription.created',
    actor,
    subject: id,
    data: { before: null, after: factsOf(opening) },
    requestId: context.requestId,
    at,
  })
  await closePeriod(tx, id, at)
  const row = (await tx.first(subscriptionById, { id })) ?? opening
  await context.inTransaction?.(tx, id)
  return { row, plan, nextPlan: null }
}

/** Writes what a step decided: the row, the items for the next invoice, the audit. Somebody else's change wins. */
async function record(
  tx: TenantTransaction,
  before: SubscriptionRow,
  { after, items, event }: Step,
  {
    principal,
    context,
    at,
  }: { readonly principal: Principal; readonly context: BillingContext; readonly at: EpochMs },
): Promise<Subscription> {
  const actor = actorOf(principal)
  if ((await tx.run(updateSubscription, { ...after, revision: before.revision, updatedAt: at })) !== 1)
    throw new AppError(
      'subscription.state-conflict',
      'Somebody changed the subscription just now. Look at it again.',
    )
  for (const item of items) {
    await tx.run(insertItem, {
      ...item,
      id: newId('billingItem', at),
      remainingMinor: item.amountMinor,
      detail: JSON.stringify(item.detail),
      factKey: `${item.kind}:${before.id}:${before.revision}:${item.part}`,
      expiresAt: null,
      createdBy: actor,
      createdAt: at,
    })
  }
  await keepConcurrency(tx)
  const stepped = await tx.first(subscriptionById, { id: before.id })
  if (stepped === undefined) throw missing(before.id)
  const charged = items.map(({ kind, amountMinor }) => ({ kind, amount_minor: amountMinor.toString() }))
  await appendAudit(tx, {
    type: event satisfies AuditEventType,
    actor,
    subject: before.id,
    data: { before: factsOf(before), after: factsOf(stepped), items: charged },
    requestId: context.requestId,
    at,
  })
  await closeUsage(tx, before, stepped.usageFrom, at)
  // Cancelled now: its period has ended, and its usage is invoiced.
  await closePeriod(tx, before.id, at)
  await context.inTransaction?.(tx, before.id)
  return withPlans(tx, (await tx.first(subscriptionById, { id: before.id })) ?? stepped)
}

/** Of another tenant only the operator speaks; to anybody else it is not there. */
function tenantOf(principal: Principal, tenantId: string | undefined): TenantId {
  if (tenantId === undefined || tenantId === principal.tenantId) return principal.tenantId
  if (principal.operator && isId('tenant', tenantId)) return tenantId
  throw new AppError('tenant.not-found', 'There is no such tenant here.')
}

/** An active plan. `own` may be named although it is archived: who has it keeps it. */
async function planNamed(reader: TenantReader, name: string, own?: Plan): Promise<Plan> {
  if (own !== undefined && name === own.id) return own
  const row = isId('plan', name)
    ? await reader.first(planById, { id: name })
    : await reader.first(planByKey, { key: name })
  if (row !== undefined && row.state === 'active') return planOf(row)
  if (own !== undefined && name === own.key) return own
  throw new AppError('plan.not-found', `There is no active plan "${name}".`)
}

function checkFits(plan: Plan, seats: number, account: AccountRow): void {
  if (plan.currency !== account.currency) {
    const message = `The plan is in ${plan.currency}, the billing account in ${account.currency}.`
    throw new AppError('request.invalid', message, { errors: [{ path: '/plan', message }] })
  }
  if (!isHoldable(basePrice(plan, seats), plan.currency)) {
    const message = `So many seats cost more than an invoice can hold, ${UNITS_OF_AMOUNT_MAX} ${plan.currency}.`
    throw new AppError('request.invalid', message, { errors: [{ path: '/seats', message }] })
  }
  const most = plan.limits.seats
  if (most !== undefined && seats > most)
    throw new AppError('plan.limit', `The plan ${plan.name} has at most ${most} seats, not ${seats}.`)
}

async function withPlans(reader: TenantReader, row: SubscriptionRow): Promise<Subscription> {
  const plan = await planOfId(reader, row.planId)
  const nextPlan = row.nextPlanId === null ? null : await planOfId(reader, row.nextPlanId)
  return { row, plan, nextPlan }
}

function factsOf(row: SubscriptionRow) {
  return {
    plan: row.planId,
    seats: row.seats,
    state: row.state,
    period_start: row.periodStart,
    period_end: row.periodEnd,
    next_plan: row.nextPlanId,
    next_seats: row.nextSeats,
    cancel_at_period_end: row.cancelAtPeriodEnd === 1,
  }
}

function accountOrMissing(account: AccountRow | undefined, id: SubscriptionId): AccountRow {
  if (account === undefined) throw missing(id)
  return account
}

function missing(id: SubscriptionId): AppError {
  return new AppError('subscription.not-found', `There is no subscription "${id}".`)
}
