// Billing for tests: tenants with an account and a subscription, usage of a chosen time, and a clock that is set.

import {
  type InvoiceId,
  newId,
  type SubscriptionId,
  type TenantId,
  type UsageId,
} from '../../src/base/ids.ts'
import type { EpochMs } from '../../src/base/time.ts'
import type { Metric } from '../../src/contract/money.ts'
import { PERMISSIONS } from '../../src/contract/permission.ts'
import type { CreatePlan } from '../../src/contract/plan.ts'
import type { Principal } from '../../src/contract/principal.ts'
import { insertTenant } from '../../src/identity/tenant-store.ts'
import { closePeriods } from '../../src/money/invoices/closing/close-periods.ts'
import { finaliseDrafts } from '../../src/money/invoices/closing/finalise-drafts.ts'
import { createInvoices, type Invoices } from '../../src/money/invoices/create-invoices.ts'
import { writeDraft } from '../../src/money/invoices/drafting.ts'
import { planOf } from '../../src/money/plans/plan.ts'
import { selectPlanByKey } from '../../src/money/plans/plan-store.ts'
import { createPlans, type Plans } from '../../src/money/plans/plans.ts'
import { createAccounts } from '../../src/money/subscriptions/accounts.ts'
import { insertAccount } from '../../src/money/subscriptions/subscription-store.ts'
import { createSubscriptions, type Subscriptions } from '../../src/money/subscriptions/subscriptions.ts'
import { usageIdOf } from '../../src/money/usage/fact-id.ts'
import { type IngestedFact, insertFacts } from '../../src/money/usage/ingest-store.ts'
import type { Database } from '../../src/storage/database.ts'

export interface BilledTenant {
  readonly tenantId: TenantId
  readonly principal: Principal
  readonly subscriptionId: SubscriptionId
}

export interface UsedFact {
  readonly kind: Metric
  readonly quantity: number
  /** When it was accepted. */
  readonly at: EpochMs
  /** The same fact has the same name. */
  readonly fact: string
}

export interface BillingScene {
  readonly db: Database
  readonly invoices: Invoices
  readonly plans: Plans
  readonly subscriptions: Subscriptions
  now(): EpochMs
  set(at: EpochMs | string): EpochMs
  tenant(): Promise<Principal>
  plan(plan: Partial<CreatePlan> & { readonly key: string }): Promise<void>
  /** A tenant with an account, subscribed to the plan now. */
  subscribed(
    plan: string,
    options?: { readonly seats?: number; readonly currency?: string; readonly timeZone?: string },
  ): Promise<BilledTenant>
  use(tenantId: TenantId, facts: readonly UsedFact[]): Promise<void>
  /** Closes what has ended at that time, and finalises every draft, as if the grace had passed. */
  bill(at: EpochMs | string): Promise<void>
}

const CONTEXT = { requestId: undefined }
const LONG_MS = 2 * 3_600_000

export function openBilling(db: Database, startsAt: string): BillingScene {
  let now = Date.parse(startsAt)
  const clock = (): EpochMs => now
  const invoices = createInvoices({ db, clock })
  const plans = createPlans({ db, clock })
  const accounts = createAccounts({ db, clock })
  const subscriptions = createSubscriptions({ db, clock, changed: () => undefined })
  const tenant = async (): Promise<Principal> => {
    const id = newId('tenant')
    const row = {
      id,
      name: 'Tenant',
      status: 'active',
      capturePolicy: 'full',
      maxConcurrentJobs: null,
      createdAt: now,
      updatedAt: now,
    } as const
    await db.system.write((tx) => tx.run(insertTenant, row))
    return {
      tenantId: id,
      userId: newId('user'),
      kind: 'human',
      apiKeyId: undefined,
      role: 'ADMIN',
      permissions: new Set(PERMISSIONS),
      operator: true,
    }
  }
  const set = (at: EpochMs | string): EpochMs => {
    now = typeof at === 'string' ? Date.parse(at) : at
    return now
  }
  let maker: Principal | undefined
  return {
    db,
    invoices,
    plans,
    subscriptions,
    now: clock,
    set,
    tenant,
    async plan(plan) {
      maker ??= await tenant()
      const whole: CreatePlan = {
        name: plan.key,
        currency: 'USD',
        interval: 'month',
        basePrice: '0',
        ...plan,
      }
      await plans.create(maker, whole, CONTEXT)
    },
    async subscribed(plan, { seats, currency = 'USD', timeZone = 'UTC' } = {}) {
      const principal = await tenant()
      await accounts.put(principal, { name: 'Ada & Co', email: null, currency, timeZone }, CONTEXT)
      const { row } = await subscriptions.create(principal, { plan, seats }, CONTEXT)
      return { tenantId: principal.tenantId, principal, subscriptionId: row.id }
    },
    async use(tenantId, facts) {
      for (const { kind, quantity, at, fact } of facts) {
        const id: UsageId = usageIdOf(fact)
        const given: IngestedFact = [id, kind, quantity, at, null, null, null, null, null]
        const batch = { facts: JSON.stringify([given]), apiKeyId: null, at }
        await db.tenant(tenantId).write((tx) => tx.all(insertFacts, batch))
      }
    },
    async bill(at) {
      const closedAt = set(at)
      await closePeriods(db, closedAt)
      await finaliseDrafts(db, set(closedAt + LONG_MS))
    },
  }
}

/** An invoice of the tenant, not yet finalised, with one line of usage. */
export async function addInvoice(db: Database, tenantId: TenantId): Promise<InvoiceId> {
  const at = Date.now()
  const scene = openBilling(db, new Date(at).toISOString())
  const key = `plan-${at.toString(36)}`
  await scene.plan({
    key,
    name: 'secret-plan',
    basePrice: '5',
    overage: [{ metric: 'agent_run', model: 'per_unit', unitPrice: '1' }],
  })
  const row = await db.system.read((reader) => reader.first(selectPlanByKey, { key }))
  if (row === undefined) throw new Error('The plan was not made.')
  const account = { name: 'secret-account', email: null, currency: 'USD', timeZone: 'UTC', at }
  return db.tenant(tenantId).write(async (tx) => {
    await tx.run(insertAccount, account)
    const used = { plan: planOf(row), share: { part: 1, whole: 1 }, trial: false }
    const basis = { currency: 'USD', periodStart: at - 1, periodEnd: at, used, next: undefined }
    const written = await writeDraft(tx, newId('subscription'), basis, at)
    if (written === undefined) throw new Error('The invoice was not made.')
    return written.id
  })
}
