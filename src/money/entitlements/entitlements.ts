// What a tenant may do by its plan and its standing. Asked at the start of every run, so it is kept for a few seconds.

import { createBoundedMap } from '../../base/bounded-map.ts'
import { AppError } from '../../base/errors.ts'
import { firstIdAt, type RunId, type TenantId } from '../../base/ids.ts'
import type { Clock, EpochMs } from '../../base/time.ts'
import type { SubscriptionState } from '../../contract/money.ts'
import { FEATURES, type Feature, LIMITS, type LimitName } from '../../contract/plan.ts'
import type { Database, TenantReader } from '../../storage/database.ts'
import { lockText } from '../../storage/dialect.ts'
import { type Bind, statement } from '../../storage/statement.ts'
import type { Plan } from '../plans/plan.ts'
import type { AccountRow } from '../subscriptions/subscription-store.ts'
import { type InForce, planInForce } from './plan-in-force.ts'

/** How long what was read counts in this process; a change made by another one is seen after it. */
export const ENTITLEMENTS_AGE_MS_MAX = 5_000
const TENANTS_MAX = 10_000
const MINUTE_MS = 60_000

export interface EntitlementsOf {
  /** Undefined where nothing was ever subscribed to: nothing is limited. */
  readonly plan: Plan | undefined
  readonly subscriptionState: SubscriptionState | undefined
  readonly standing: AccountRow['standing']
  /** Why no new run is accepted; undefined where they are. */
  readonly refusal: string | undefined
  readonly features: readonly Feature[]
  /** Null: no limit. */
  readonly limits: Readonly<Record<LimitName, number | null>>
}

export interface Entitlements {
  of(tenantId: TenantId): Promise<EntitlementsOf>
  /** Throws `plan.feature-missing` where the plan lacks it. */
  requireFeature(tenantId: TenantId, feature: Feature): Promise<void>
  /**
   * Throws `billing.restricted` where no new runs are accepted and `rate.limited` where the plan's runs of the last minute
   * are used up. In the transaction that records the run, before it does: starts of a tenant with such a limit stand in line.
   */
  checkStart(tx: TenantReader, at: EpochMs): Promise<void>
  /** Throws `plan.limit` where so many members more are too many. For those who add members. */
  checkSeats(tx: TenantReader, adding: number): Promise<void>
  /** After the commit of a change. */
  forget(tenantId: TenantId): void
}

export function createEntitlements({
  db,
  clock,
}: {
  readonly db: Database
  readonly clock: Clock
}): Entitlements {
  const known = createBoundedMap<{ readonly at: EpochMs; readonly value: EntitlementsOf }>(TENANTS_MAX)

  const kept = (tenantId: TenantId): EntitlementsOf | undefined => {
    const found = known.get(tenantId)
    const age = found === undefined ? Number.POSITIVE_INFINITY : clock() - found.at
    return age >= 0 && age < ENTITLEMENTS_AGE_MS_MAX ? found?.value : undefined
  }
  const read = async (reader: TenantReader): Promise<EntitlementsOf> => {
    const at = clock()
    const value = entitlementsOf(await planInForce(reader))
    known.set(reader.tenantId, { at, value })
    return value
  }
  const of = async (tenantId: TenantId): Promise<EntitlementsOf> =>
    kept(tenantId) ?? (await db.tenant(tenantId).read(read))

  return {
    of,

    async requireFeature(tenantId, feature) {
      const { features, plan } = await of(tenantId)
      if (features.includes(feature)) return
      throw new AppError(
        'plan.feature-missing',
        `The plan ${plan?.name ?? 'in force'} does not have "${feature}"; change to one that does.`,
      )
    },

    async checkStart(tx, at) {
      const { refusal, limits } = kept(tx.tenantId) ?? (await read(tx))
      if (refusal !== undefined) throw new AppError('billing.restricted', refusal)
      const max = limits.runs_per_minute
      if (max === null) return
      const since = at - MINUTE_MS
      if (max > 0) await tx.first(lockStarts, { key: JSON.stringify(['run-starts', tx.tenantId]) })
      const oldest =
        max === 0
          ? { createdAt: at }
          : await tx.first(startBefore, { since, first: firstIdAt('run', since), skip: max - 1 })
      if (oldest === undefined) return
      throw new AppError(
        'rate.limited',
        `The plan allows ${max} runs a minute, and so many were started. Try again later, or change the plan.`,
        { retryAfterMs: Math.max(1, oldest.createdAt + MINUTE_MS - at) },
      )
    },

    async checkSeats(tx, adding) {
      const { limits } = await read(tx)
      if (limits.seats === null) return
      const count = Number((await tx.first(countMembers, {}))?.count ?? 0)
      if (count + adding <= limits.seats) return
      throw new AppError('plan.limit', `The plan has ${limits.seats} seats, of which ${count} are taken.`)
    },

    forget: (tenantId) => known.delete(tenantId),
  }
}

function entitlementsOf({ account, subscription, holds }: InForce): EntitlementsOf {
  const plan = holds.kind === 'plan' ? holds.plan : undefined
  const standing = account?.standing ?? 'active'
  return {
    plan,
    subscriptionState: subscription?.state,
    standing,
    refusal: refusalOf(standing, subscription?.state, holds.kind),
    features: holds.kind === 'unlimited' ? FEATURES : (plan?.features ?? []),
    limits: Object.fromEntries(LIMITS.map((name) => [name, limitOf(name, { plan, subscription })])) as Record<
      LimitName,
      number | null
    >,
  }
}

/** Seats that are paid one by one are the limit themselves. */
function limitOf(
  name: LimitName,
  { plan, subscription }: { readonly plan: Plan | undefined } & Pick<InForce, 'subscription'>,
): number | null {
  const limit = plan?.limits[name] ?? null
  if (name !== 'seats' || !plan?.perSeat || subscription === undefined) return limit
  return limit === null ? subscription.seats : Math.min(limit, subscription.seats)
}

function refusalOf(
  standing: AccountRow['standing'],
  state: SubscriptionState | undefined,
  holds: InForce['holds']['kind'],
): string | undefined {
  if (standing === 'restricted')
    return 'An invoice is long overdue: new runs are accepted again once it is paid. Those that run go on.'
  if (state === 'paused') return 'The subscription is paused: resume it to start runs.'
  if (holds === 'none') return 'The subscription has ended: subscribe to a plan to start runs.'
  return undefined
}

const lockStarts = statement('runs.lock-starts', (db, p: Bind<{ key: string }>, dialect) =>
  db.selectNoFrom(lockText(dialect, p.key).as('locked')),
)

/** The start that lies so many before the last one, within the window: its key is ordered by time, so few rows are read. */
const startBefore = statement(
  'runs.start-before',
  (db, p: Bind<{ since: EpochMs; first: RunId; skip: number }>) =>
    db
      .selectFrom('runs')
      .select('createdAt')
      .where('tenantId', '=', p.tenantId)
      .where('id', '>=', p.first)
      .where('createdAt', '>', p.since)
      .where('depth', '=', 0)
      .orderBy('id', 'desc')
      .limit(1)
      .offset(p.skip),
)

const countMembers = statement('memberships.count', (db, p: Bind<object>) =>
  db
    .selectFrom('memberships')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('tenantId', '=', p.tenantId),
)
