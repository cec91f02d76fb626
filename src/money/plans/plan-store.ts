// Plans in the database: they are the platform's, and every tenant may read them.

import type { PlanId } from '../../base/ids.ts'
import type { TenantReader } from '../../storage/database.ts'
import { lockText } from '../../storage/dialect.ts'
import type { NewRowOf } from '../../storage/schema/tables.ts'
import { type Bind, type SystemBind, statement, systemStatement } from '../../storage/statement.ts'
import { type Plan, type PlanRow, planOf } from './plan.ts'

const PLATFORM = 'plans are sold by the platform to every tenant'
const IN_USE = 'a plan is in use by subscriptions of any tenant'

/** Within a tenant's transaction, where a subscription names it. */
export const planById = statement('plans.of-tenant', (db, p: Bind<{ id: PlanId }>) =>
  db.selectFrom('plans').selectAll().where('id', '=', p.id),
)

/** The newest active version. */
export const planByKey = statement('plans.by-key', (db, p: Bind<{ key: string }>) =>
  db
    .selectFrom('plans')
    .selectAll()
    .where('key', '=', p.key)
    .where('state', '=', 'active')
    .orderBy('version', 'desc')
    .limit(1),
)

export const selectPlan = systemStatement('plans.get', PLATFORM, (db, p: SystemBind<{ id: PlanId }>) =>
  db.selectFrom('plans').selectAll().where('id', '=', p.id),
)

export const selectPlanByKey = systemStatement(
  'plans.newest',
  PLATFORM,
  (db, p: SystemBind<{ key: string }>) =>
    db
      .selectFrom('plans')
      .selectAll()
      .where('key', '=', p.key)
      .where('state', '=', 'active')
      .orderBy('version', 'desc')
      .limit(1),
)

export const selectPlans = systemStatement(
  'plans.list',
  PLATFORM,
  (db, p: SystemBind<{ before: string; limit: number; state: string | null; key: string | null }>) =>
    db
      .selectFrom('plans')
      .selectAll()
      .where('id', '<', p.before as PlanId)
      .where((eb) =>
        eb.or([
          eb(eb.cast<string | null>(eb.val(p.state), 'text'), 'is', null),
          eb('state', '=', p.state as PlanRow['state']),
        ]),
      )
      .where((eb) =>
        eb.or([
          eb(eb.cast<string | null>(eb.val(p.key), 'text'), 'is', null),
          eb('key', '=', p.key as string),
        ]),
      )
      .orderBy('id', 'desc')
      .limit(p.limit),
)

/** Those who add a version stand in line, so that its number is the next one. */
export const lockPlans = systemStatement('plans.lock', PLATFORM, (db, _p: SystemBind<object>, dialect) =>
  db.selectNoFrom(lockText(dialect, 'plans').as('locked')),
)

export const selectLastVersion = systemStatement(
  'plans.last-version',
  PLATFORM,
  (db, p: SystemBind<{ key: string }>) =>
    db
      .selectFrom('plans')
      .select((eb) => eb.fn.max('version').as('version'))
      .where('key', '=', p.key),
)

export const insertPlan = systemStatement('plans.insert', PLATFORM, (db, p: SystemBind<NewRowOf<'plans'>>) =>
  db
    .insertInto('plans')
    .values({
      id: p.id,
      key: p.key,
      version: p.version,
      name: p.name,
      description: p.description,
      currency: p.currency,
      interval: p.interval,
      baseMinor: p.baseMinor,
      perSeat: p.perSeat,
      trialDays: p.trialDays,
      included: p.included,
      overage: p.overage,
      features: p.features,
      limits: p.limits,
      state: 'active',
      stripePriceId: p.stripePriceId,
      createdBy: p.createdBy,
      createdAt: p.createdAt,
    })
    .onConflict((conflict) => conflict.columns(['key', 'version']).doNothing()),
)

export const updatePlanState = systemStatement(
  'plans.archive',
  PLATFORM,
  (db, p: SystemBind<{ id: PlanId }>) =>
    db.updateTable('plans').set({ state: 'archived' }).where('id', '=', p.id).where('state', '=', 'active'),
)

export const selectAnyPlan = systemStatement('plans.any', PLATFORM, (db) =>
  db.selectFrom('plans').select('id').limit(1),
)

export const countSubscriptions = systemStatement(
  'plans.in-use',
  IN_USE,
  (db, p: SystemBind<{ id: PlanId }>) =>
    db
      .selectFrom('subscriptions')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('state', '<>', 'cancelled')
      .where((eb) => eb.or([eb('planId', '=', p.id), eb('nextPlanId', '=', p.id)])),
)

/** Changes that are to come go to the plan that is offered instead. */
export const redirectNext = systemStatement(
  'plans.redirect',
  IN_USE,
  (db, p: SystemBind<{ id: PlanId; replacement: PlanId; at: number }>) =>
    db
      .updateTable('subscriptions')
      .set((eb) => ({ nextPlanId: p.replacement, revision: eb('revision', '+', 1), updatedAt: p.at }))
      .where('nextPlanId', '=', p.id)
      .where('state', '<>', 'cancelled'),
)

/** The plan that a subscription names: it is there, for versions are never deleted. */
export async function planOfId(reader: TenantReader, id: PlanId): Promise<Plan> {
  const row = await reader.first(planById, { id })
  if (row === undefined) throw new Error(`The plan ${id} is not there.`)
  return planOf(row)
}
