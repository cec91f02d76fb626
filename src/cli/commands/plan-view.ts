// How plans, subscriptions, accounts and usage are shown.

import type { PlanResource } from '../../contract/plan.ts'
import type {
  BillingAccountResource,
  EntitlementsResource,
  IngestedUsage,
  SubscriptionResource,
  UsageSummaryResource,
} from '../../contract/subscription.ts'
import { showDetails } from '../output/details.ts'
import { type Column, tableLines } from '../output/table.ts'
import { fullTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'

export function planColumns(): readonly Column<PlanResource>[] {
  return [
    { title: 'ID', value: ({ id }) => id, keep: true },
    { title: 'KEY', value: ({ key }) => key },
    { title: 'VERSION', value: ({ version }) => String(version), align: 'right' },
    { title: 'NAME', value: ({ name }) => name },
    { title: 'PRICE', value: priceText },
    { title: 'STATE', value: ({ state }) => state },
  ]
}

export function showPlan(session: Session, plan: PlanResource): void {
  showDetails(session.out, [
    ['id', plan.id],
    ['key', `${plan.key} (version ${plan.version})`],
    ['name', plan.name],
    ['description', plan.description],
    ['price', priceText(plan)],
    ['trial', plan.trialDays === 0 ? '' : `${plan.trialDays} days`],
    ...Object.entries(plan.included).map(([metric, n]) => ['included', `${metric} ${n}`] as const),
    ...plan.overage.map(
      (overage) => [`above, ${overage.metric}`, overageText(overage, plan.currency)] as const,
    ),
    ['features', plan.features.join(', ')],
    ...Object.entries(plan.limits).map(([name, limit]) => ['limit', `${name} ${limit}`] as const),
    ['price at Stripe', plan.stripePriceId ?? undefined],
    ['state', plan.state],
    ['created', fullTime(plan.createdAt, session.now())],
  ])
}

export function showSubscription(session: Session, found: SubscriptionResource): void {
  const at = session.now()
  showDetails(session.out, [
    ['id', found.id],
    ['plan', `${found.plan.name} (${found.plan.key}, version ${found.plan.version})`],
    ['seats', String(found.seats)],
    ['state', found.state],
    ['period', `${fullTime(found.periodStart, at)} until ${fullTime(found.periodEnd, at)}`],
    ['trial ends', fullTime(found.trialEndsAt, at)],
    [
      'ends',
      found.cancelAtPeriodEnd && found.endedAt === null ? 'with the period' : fullTime(found.endedAt, at),
    ],
    ['next plan', found.nextPlan?.name],
    ['next seats', found.nextSeats === null ? undefined : String(found.nextSeats)],
    ['paused', fullTime(found.pausedAt, at)],
    ['revision', String(found.revision)],
  ])
}

export function showAccount(session: Session, account: BillingAccountResource): void {
  showDetails(session.out, [
    ['name', account.name],
    ['email', account.email ?? undefined],
    ['currency', account.currency],
    ['time zone', account.timeZone],
    ['collection', account.collection],
    ['standing', account.standing],
    ['since', fullTime(account.standingSince, session.now())],
  ])
}

export function showEntitlements(session: Session, found: EntitlementsResource): void {
  const limit = (value: number | null): string => (value === null ? 'no limit' : String(value))
  showDetails(session.out, [
    ['plan', found.plan === null ? 'none: nothing is limited' : found.plan.name],
    ['subscription', found.subscriptionState ?? undefined],
    ['standing', found.standing],
    ['new runs', found.acceptsRuns ? 'accepted' : 'refused'],
    ['features', found.features.join(', ')],
    ['runs a minute', limit(found.limits.runsPerMinute)],
    ['jobs at once', limit(found.limits.maxConcurrentJobs)],
    ['seats', limit(found.limits.seats)],
    ['retention days', limit(found.limits.retentionDays)],
  ])
}

export function showUsage(session: Session, found: UsageSummaryResource): void {
  const at = session.now()
  session.out.line(`${fullTime(found.periodStart, at)} until ${fullTime(found.periodEnd, at)}`)
  const count = (value: number | null): string => (value === null ? '' : value.toLocaleString('en-US'))
  const columns: readonly Column<UsageSummaryResource['metrics'][number]>[] = [
    { title: 'METRIC', value: ({ metric }) => metric, keep: true },
    { title: 'USED', value: ({ quantity }) => count(quantity), align: 'right' },
    { title: 'INCLUDED', value: ({ included }) => count(included), align: 'right' },
    { title: 'LEFT', value: ({ left }) => count(left), align: 'right' },
    { title: 'PROJECTED', value: ({ projected }) => count(projected), align: 'right' },
  ]
  for (const line of tableLines(session.out, columns, found.metrics)) session.out.line(line)
}

export function showIngested(session: Session, told: IngestedUsage): void {
  showDetails(session.out, [
    ['accepted', String(told.accepted)],
    ['duplicates', String(told.duplicates)],
    ['refused', String(told.refused)],
    ...told.errors.flatMap(({ index, errors }) =>
      errors.map(({ path, message }) => [`record ${index}`, `${path} ${message}`] as const),
    ),
    ...told.conflicts.map(
      ({ index, quantity, storedQuantity }) =>
        [`record ${index}`, `says ${quantity}; ${storedQuantity} is on record and stays`] as const,
    ),
  ])
}

function priceText({ basePrice, currency, perSeat, interval }: PlanResource): string {
  return `${basePrice} ${currency} a ${interval}${perSeat ? ' and seat' : ''}`
}

function overageText(overage: PlanResource['overage'][number], currency: string): string {
  switch (overage.model) {
    case 'per_unit':
      return `${overage.unitPrice} ${currency} each`
    case 'package':
      return `${overage.packagePrice} ${currency} for each ${overage.packageSize} begun`
    case 'graduated':
    case 'volume': {
      const tiers = overage.tiers.map(
        ({ upTo, unitPrice, flatPrice }) =>
          `${upTo === null ? 'above' : `up to ${upTo}`}: ${unitPrice}${flatPrice === undefined ? '' : ` and ${flatPrice}`}`,
      )
      return `${overage.model}, ${currency}: ${tiers.join('; ')}`
    }
    default:
      return overage satisfies never
  }
}
