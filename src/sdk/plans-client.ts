// The part of the client that is about plans, subscriptions, what they allow, and usage that is told.

import type { ArchivePlan, CreatePlan, PlanResource } from '../contract/plan.ts'
import { ROUTES, type Routes } from '../contract/routes.ts'
import type {
  BillingAccountResource,
  CancelSubscription,
  ChangeSubscription,
  CreateSubscription,
  EntitlementsResource,
  IngestedUsage,
  PutBillingAccount,
  SubscriptionResource,
  SubscriptionStep,
  UsageRecordInput,
  UsageSummaryResource,
} from '../contract/subscription.ts'
import { CostClient } from './cost-client.ts'
import { type ListOptions, listRoute } from './list-route.ts'
import type { PageList } from './page-list.ts'
import type { CallOptions, Transport } from './transport.ts'

export interface UsageOptions extends CallOptions {
  /** RFC 3339. Without both: the period of the subscription. */
  readonly from?: string | undefined
  readonly until?: string | undefined
  readonly metric?: UsageRecordInput['metric'] | undefined
}

/** What `Client` has of plans and subscriptions. */
export class PlansClient extends CostClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    super(transport)
    this.#transport = transport
  }

  /** Makes the next version of a plan: for the operator of the platform. */
  createPlan(plan: CreatePlan, options?: CallOptions): Promise<PlanResource> {
    return this.#transport.send(ROUTES.createPlan, { body: plan }, options)
  }
  listPlans(options: ListOptions<Routes['listPlans']> = {}): PageList<PlanResource> {
    return listRoute(this.#transport, ROUTES.listPlans, {}, options)
  }
  getPlan(id: string, options?: CallOptions): Promise<PlanResource> {
    return this.#transport.send(ROUTES.getPlan, { params: { id } }, options)
  }
  archivePlan(id: string, body: ArchivePlan = {}, options?: CallOptions): Promise<PlanResource> {
    return this.#transport.send(ROUTES.archivePlan, { params: { id }, body }, options)
  }
  getBillingAccount(options?: CallOptions): Promise<BillingAccountResource> {
    return this.#transport.send(ROUTES.getBillingAccount, {}, options)
  }
  putBillingAccount(account: PutBillingAccount, options?: CallOptions): Promise<BillingAccountResource> {
    return this.#transport.send(ROUTES.putBillingAccount, { body: account }, options)
  }
  createSubscription(body: CreateSubscription, options?: CallOptions): Promise<SubscriptionResource> {
    return this.#transport.send(ROUTES.createSubscription, { body }, options)
  }
  /** The one that is open, else the last one. */
  getSubscription(options?: CallOptions): Promise<SubscriptionResource> {
    return this.#transport.send(ROUTES.getSubscription, {}, options)
  }
  changeSubscription(
    id: string,
    body: ChangeSubscription,
    options?: CallOptions,
  ): Promise<SubscriptionResource> {
    return this.#transport.send(ROUTES.changeSubscription, { params: { id }, body }, options)
  }
  /** At the end of its period, unless `when` is `now`. */
  cancelSubscription(
    id: string,
    body: CancelSubscription = {},
    options?: CallOptions,
  ): Promise<SubscriptionResource> {
    return this.#transport.send(ROUTES.cancelSubscription, { params: { id }, body }, options)
  }
  pauseSubscription(
    id: string,
    body: SubscriptionStep = {},
    options?: CallOptions,
  ): Promise<SubscriptionResource> {
    return this.#transport.send(ROUTES.pauseSubscription, { params: { id }, body }, options)
  }
  /** Ends a pause, or takes back a cancellation that has not come yet. */
  resumeSubscription(
    id: string,
    body: SubscriptionStep = {},
    options?: CallOptions,
  ): Promise<SubscriptionResource> {
    return this.#transport.send(ROUTES.resumeSubscription, { params: { id }, body }, options)
  }
  getEntitlements(options?: CallOptions): Promise<EntitlementsResource> {
    return this.#transport.send(ROUTES.getEntitlements, {}, options)
  }
  /** Tells usage, as often as you like: each fact counts once. Answers what was taken, known already, and refused. */
  ingestUsage(records: readonly UsageRecordInput[], options?: CallOptions): Promise<IngestedUsage> {
    return this.#transport.send(ROUTES.ingestUsage, { body: { records: [...records] } }, options)
  }
  getUsage(options: UsageOptions = {}): Promise<UsageSummaryResource> {
    const { from, until, metric } = options
    return this.#transport.send(ROUTES.getUsage, { query: { from, until, metric } }, options)
  }
}
