// Money, put together: what the runtime asks for (prices, budgets, usage), what the API calls, and what has to be done from
// time to time. Each part is made by its own folder.

import type { Clock } from '../base/time.ts'
import { freed as freeWaitingRuns } from '../runtime/budget-waits.ts'
import type { Budgets } from '../runtime/budgets.ts'
import type { MaintenanceTask } from '../runtime/maintenance.ts'
import type { Metering } from '../runtime/metering.ts'
import type { Database } from '../storage/database.ts'
import type { Freed } from './budgets/holds/end-hold.ts'
import { createReservations } from './budgets/holds/reserve.ts'
import { sweepTask } from './budgets/holds/sweep-holds.ts'
import type { ManagedBudgets } from './budgets/manage/managed-budget.ts'
import { createManagedBudgets } from './budgets/managed-budgets.ts'
import { type Costs, createCosts } from './costs/create-costs.ts'
import { type Billing, createBilling } from './create-billing.ts'
import { admittedByPlan } from './entitlements/admission.ts'
import { retentionTask } from './entitlements/retention.ts'
import { createInvoices, type Invoices } from './invoices/create-invoices.ts'
import { createOwnPrices, type OwnPrices } from './prices/own/own-prices.ts'
import { type PriceBook, priceBook } from './prices/price-book.ts'
import { createStripeBilling, type StripeBilling } from './stripe/stripe.ts'
import { openStripe, type StripeConfig } from './stripe/stripe-api.ts'
import { createMetering } from './usage/metering.ts'

export interface MoneyDeps {
  readonly db: Database
  readonly clock: Clock
  /** The product's own prices; tests give others. */
  readonly book?: PriceBook
  /** Told of budgets that have more room than before. By default the runs that wait for one go on. */
  readonly freed?: Freed
  /** Undefined: invoices are paid by hand. */
  readonly stripe?: StripeConfig | undefined
}

export interface Money {
  /** What the runtime asks of prices and usage records. */
  readonly metering: Metering
  /** Tenants' own prices, the book, and what another source says. */
  readonly prices: OwnPrices
  /** What the runtime asks of budgets. */
  readonly reservations: Budgets
  /** What the API asks of budgets. */
  readonly budgets: ManagedBudgets
  /** Invoices, credits, summaries. */
  readonly invoices: Invoices
  /** Plans, accounts, subscriptions, what they allow, and usage that is told. */
  readonly billing: Billing
  /** Costs: told, asked for, estimated, rated anew, reported. */
  readonly costs: Costs
  /** Customers, links, usage and events at Stripe. */
  readonly stripe: StripeBilling
  /** For the maintenance loop. */
  readonly tasks: readonly MaintenanceTask[]
}

export function createMoney({
  db,
  clock,
  book = priceBook(),
  freed = freeWaitingRuns,
  stripe: config,
}: MoneyDeps): Money {
  const billing = createBilling({ db, clock })
  const prices = createOwnPrices({ db, clock, book })
  const stripe = createStripeBilling({ db, clock, stripe: config && openStripe(config) })
  const invoices = createInvoices({ db, clock, onFinalised: stripe.finalised })
  const reservations = admittedByPlan(createReservations({ freed }), billing.entitlements)
  const { charge } = reservations
  return {
    prices,
    metering: createMetering({ pricesOf: prices.pricesOf }),
    reservations,
    budgets: createManagedBudgets({ db, clock, freed }),
    invoices,
    billing,
    stripe,
    costs: createCosts({ db, clock, pricesOf: prices.pricesOf, charge }),
    tasks: [...invoices.tasks, ...stripe.tasks, sweepTask({ db, freed }), retentionTask({ db })],
  }
}
