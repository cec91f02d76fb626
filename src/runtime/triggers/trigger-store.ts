// Triggers and what set them off, in the database.

import type { RunId, TriggerId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import { forUpdate, lockText } from '../../storage/dialect.ts'
import type { NewRowOf, RowOf } from '../../storage/schema/tables.ts'
import type { Bind, SystemBind } from '../../storage/statement.ts'
import { statement, systemStatement } from '../../storage/statement.ts'
import type { TriggerRow } from './trigger.ts'

export type TickRow = RowOf<'triggerTicks'>

/** Those who add a trigger stand in line, so that a count is true. */
export const lockTriggers = statement('triggers.lock', (db, p: Bind<{ key: string }>, dialect) =>
  db.selectNoFrom(lockText(dialect, p.key).as('locked')),
)

export const countTriggers = statement('triggers.count', (db, p: Bind<object>) =>
  db
    .selectFrom('triggers')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('tenantId', '=', p.tenantId),
)

type NewTrigger = Omit<
  NewRowOf<'triggers'>,
  'tenantId' | 'secretVersion' | 'secretRotatedAt' | 'lastAt' | 'lastRunId' | 'lastError'
>

export const insertTrigger = statement('triggers.insert', (db, p: Bind<NewTrigger>) =>
  db
    .insertInto('triggers')
    .values({
      tenantId: p.tenantId,
      id: p.id,
      name: p.name,
      kind: p.kind,
      targetKind: p.targetKind,
      target: p.target,
      input: p.input,
      state: p.state,
      cron: p.cron,
      timezone: p.timezone,
      missed: p.missed,
      eventName: p.eventName,
      eventCondition: p.eventCondition,
      secretVersion: 1,
      secretRotatedAt: null,
      nextAt: p.nextAt,
      lastAt: null,
      lastRunId: null,
      lastError: null,
      ownerId: p.ownerId,
      permissions: p.permissions,
      createdBy: p.createdBy,
      createdAt: p.createdAt,
      updatedAt: p.updatedAt,
    })
    .onConflict((conflict) => conflict.columns(['tenantId', 'name']).doNothing()),
)

export const triggerById = statement('triggers.get', (db, p: Bind<{ id: TriggerId }>) =>
  db.selectFrom('triggers').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

/** Everything that a change may change. Only where nobody else changed it meanwhile: `nextAt` moves with each tick. */
export const updateTriggerRow = statement(
  'triggers.update',
  (
    db,
    p: Bind<
      Pick<
        TriggerRow,
        | 'id'
        | 'state'
        | 'targetKind'
        | 'target'
        | 'input'
        | 'cron'
        | 'timezone'
        | 'missed'
        | 'eventName'
        | 'eventCondition'
        | 'nextAt'
        | 'ownerId'
        | 'permissions'
        | 'updatedAt'
      >
    >,
  ) =>
    db
      .updateTable('triggers')
      .set({
        state: p.state,
        targetKind: p.targetKind,
        target: p.target,
        input: p.input,
        cron: p.cron,
        timezone: p.timezone,
        missed: p.missed,
        eventName: p.eventName,
        eventCondition: p.eventCondition,
        nextAt: p.nextAt,
        ownerId: p.ownerId,
        permissions: p.permissions,
        updatedAt: p.updatedAt,
      })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id),
)

export const lockTrigger = statement('triggers.lock-row', (db, p: Bind<{ id: TriggerId }>, dialect) =>
  forUpdate(dialect)(
    db.selectFrom('triggers').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
  ),
)

export const nextSecret = statement(
  'triggers.next-secret',
  (db, p: Bind<Pick<TriggerRow, 'id' | 'ownerId' | 'permissions'> & { at: EpochMs }>) =>
    db
      .updateTable('triggers')
      .set((eb) => ({
        secretVersion: eb('secretVersion', '+', 1),
        secretRotatedAt: p.at,
        ownerId: p.ownerId,
        permissions: p.permissions,
        updatedAt: p.at,
      }))
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .returning('secretVersion'),
)

export const deleteTicks = statement('trigger-ticks.delete', (db, p: Bind<{ triggerId: TriggerId }>) =>
  db.deleteFrom('triggerTicks').where('tenantId', '=', p.tenantId).where('triggerId', '=', p.triggerId),
)

export const deleteTriggerRow = statement('triggers.delete', (db, p: Bind<{ id: TriggerId }>) =>
  db.deleteFrom('triggers').where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

/** The active triggers that a named event sets off. */
export const triggersOfEvent = statement(
  'triggers.of-event',
  (db, p: Bind<{ eventName: string; limit: number }>) =>
    db
      .selectFrom('triggers')
      .selectAll()
      .where('tenantId', '=', p.tenantId)
      .where('eventName', '=', p.eventName)
      .where('state', '=', 'active')
      .orderBy('id')
      .limit(p.limit),
)

/** Claims a tick: of those who are first at the same time, one changes a row. */
export const insertTick = statement(
  'trigger-ticks.insert',
  (db, p: Bind<Omit<NewRowOf<'triggerTicks'>, 'tenantId'>>) =>
    db
      .insertInto('triggerTicks')
      .values({
        tenantId: p.tenantId,
        triggerId: p.triggerId,
        tick: p.tick,
        state: p.state,
        runId: p.runId,
        error: p.error,
        createdAt: p.createdAt,
      })
      .onConflict((conflict) => conflict.columns(['tenantId', 'triggerId', 'tick']).doNothing()),
)

export const tickOf = statement('trigger-ticks.get', (db, p: Bind<{ triggerId: TriggerId; tick: string }>) =>
  db
    .selectFrom('triggerTicks')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('triggerId', '=', p.triggerId)
    .where('tick', '=', p.tick),
)

/** Settles a tick that waited for somebody to start its run. */
export const settleTick = statement(
  'trigger-ticks.settle',
  (
    db,
    p: Bind<{
      triggerId: TriggerId
      tick: string
      state: 'started' | 'failed'
      runId: RunId | null
      error: string | null
    }>,
  ) =>
    db
      .updateTable('triggerTicks')
      .set({ state: p.state, runId: p.runId, error: p.error })
      .where('tenantId', '=', p.tenantId)
      .where('triggerId', '=', p.triggerId)
      .where('tick', '=', p.tick)
      .where('state', '=', 'pending'),
)

/** What the last tick came to. */
export const markFired = statement(
  'triggers.mark-fired',
  (db, p: Bind<{ id: TriggerId; at: EpochMs; runId: RunId | null; error: string | null }>) =>
    db
      .updateTable('triggers')
      .set((eb) => ({
        lastAt: p.at,
        lastRunId: eb.fn.coalesce(eb.val(p.runId), 'lastRunId'),
        lastError: p.error,
      }))
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id),
)

/** Moves a schedule on from a tick. Changes nothing where somebody did before, or it was paused or changed. */
export const moveSchedule = statement(
  'triggers.move',
  (db, p: Bind<{ id: TriggerId; from: EpochMs; to: EpochMs | null }>) =>
    db
      .updateTable('triggers')
      .set({ nextAt: p.to })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('state', '=', 'active')
      .where('nextAt', '=', p.from),
)

export const dueSchedules = systemStatement(
  'triggers.due',
  'the schedules of every tenant tick by the same clock',
  (db, p: SystemBind<{ at: EpochMs; limit: number }>) =>
    db
      .selectFrom('triggers')
      .selectAll()
      .where('state', '=', 'active')
      .where('nextAt', 'is not', null)
      .where('nextAt', '<=', p.at)
      .orderBy('nextAt')
      .orderBy('id')
      .limit(p.limit),
)

export const webhookById = systemStatement(
  'triggers.webhook',
  'a delivery comes before anybody knows its tenant; its signature proves it',
  (db, p: SystemBind<{ id: TriggerId }>) =>
    db.selectFrom('triggers').selectAll().where('id', '=', p.id).where('kind', '=', 'webhook'),
)

export const pendingTicks = systemStatement(
  'trigger-ticks.pending',
  'what an event set off in any tenant is started by whichever process comes first',
  (db, p: SystemBind<{ limit: number }>) =>
    db
      .selectFrom('triggerTicks')
      .select(['tenantId', 'triggerId', 'tick'])
      .where('state', '=', 'pending')
      .orderBy('createdAt')
      .orderBy('tick')
      .limit(p.limit),
)

export const deleteOldTicks = systemStatement(
  'trigger-ticks.prune',
  'ticks of any tenant are kept for the same time',
  (db, p: SystemBind<{ before: EpochMs; limit: number }>) =>
    db
      .deleteFrom('triggerTicks')
      .where((eb) =>
        eb(
          eb.refTuple('tenantId', 'triggerId', 'tick'),
          'in',
          eb
            .selectFrom('triggerTicks as old')
            .select(['old.tenantId', 'old.triggerId', 'old.tick'])
            .where('old.createdAt', '<', p.before)
            .where('old.state', '!=', 'pending')
            .limit(p.limit)
            .$asTuple('tenantId', 'triggerId', 'tick'),
        ),
      ),
)
