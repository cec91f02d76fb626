// Named events and the steps that wait for them, in the database.

import type { RunId, SignalId, TenantId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import { lockText } from '../../storage/dialect.ts'
import type { NewRowOf, RowOf } from '../../storage/schema/tables.ts'
import type { Bind, SystemBind } from '../../storage/statement.ts'
import { statement, systemStatement } from '../../storage/statement.ts'

export type SignalRow = RowOf<'signals'>
export type SignalWaitRow = RowOf<'signalWaits'>

/** What an event and a wait must share to find each other. */
export interface SignalTopic {
  readonly name: string
  readonly correlation: string
}

/** The key of `lockTopic`. */
export function topicKey(tenantId: TenantId, { name, correlation }: SignalTopic): string {
  return JSON.stringify(['signal', tenantId, name, correlation])
}

/**
 * Who sends an event and who begins to wait for it stand in line here: the second of two at the same moment sees the
 * first.
 */
export const lockTopic = statement('signals.lock-topic', (db, p: Bind<{ key: string }>, dialect) =>
  db.selectNoFrom(lockText(dialect, p.key).as('locked')),
)

export const insertSignal = statement(
  'signals.insert',
  (db, p: Bind<Omit<NewRowOf<'signals'>, 'tenantId'>>) =>
    db.insertInto('signals').values({
      tenantId: p.tenantId,
      id: p.id,
      name: p.name,
      correlation: p.correlation,
      data: p.data,
      createdBy: p.createdBy,
      createdAt: p.createdAt,
    }),
)

export const signalById = statement('signals.get', (db, p: Bind<{ id: SignalId }>) =>
  db.selectFrom('signals').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

/** The earliest event of the topic since a moment that no wait of the run has. */
export const untakenSignal = statement(
  'signals.untaken',
  (db, p: Bind<SignalTopic & { runId: RunId; since: EpochMs }>) =>
    db
      .selectFrom('signals')
      .select(['signals.id', 'signals.data'])
      .where('signals.tenantId', '=', p.tenantId)
      .where('signals.name', '=', p.name)
      .where('signals.correlation', '=', p.correlation)
      .where('signals.createdAt', '>=', p.since)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('signalWaits')
              .select('signalWaits.step')
              .where('signalWaits.tenantId', '=', p.tenantId)
              .where('signalWaits.runId', '=', p.runId)
              .whereRef('signalWaits.signalId', '=', 'signals.id'),
          ),
        ),
      )
      .orderBy('signals.id')
      .limit(1),
)

export const insertWait = statement(
  'signal-waits.insert',
  (db, p: Bind<Omit<NewRowOf<'signalWaits'>, 'tenantId'>>) =>
    db.insertInto('signalWaits').values({
      tenantId: p.tenantId,
      runId: p.runId,
      step: p.step,
      name: p.name,
      correlation: p.correlation,
      state: p.state,
      signalId: p.signalId,
      createdAt: p.createdAt,
    }),
)

interface WaitKey {
  readonly runId: RunId
  readonly step: number
}

export const waitByStep = statement('signal-waits.get', (db, p: Bind<WaitKey>) =>
  db
    .selectFrom('signalWaits')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('step', '=', p.step),
)

/** The event goes to everyone who waits for it; of a run that waits twice, to the step that came first. */
export const claimWaits = statement(
  'signal-waits.claim',
  (db, p: Bind<SignalTopic & { signalId: SignalId }>) =>
    db
      .updateTable('signalWaits')
      .set({ state: 'claimed', signalId: p.signalId })
      .where('tenantId', '=', p.tenantId)
      .where('state', '=', 'open')
      .where((eb) =>
        eb(
          eb.refTuple('runId', 'step'),
          'in',
          eb
            .selectFrom('signalWaits as w')
            .select((inner) => ['w.runId', inner.fn.min<number>('w.step').as('step')])
            .where('w.tenantId', '=', p.tenantId)
            .where('w.name', '=', p.name)
            .where('w.correlation', '=', p.correlation)
            .where('w.state', '=', 'open')
            .groupBy('w.runId')
            .$asTuple('runId', 'step'),
        ),
      ),
)

export const takeWait = statement('signal-waits.take', (db, p: Bind<WaitKey>) =>
  db
    .updateTable('signalWaits')
    .set({ state: 'taken' })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('step', '=', p.step)
    .where('state', '=', 'claimed'),
)

/** What was taken stays on record: the run does not take it again. */
export const deleteWait = statement('signal-waits.delete', (db, p: Bind<WaitKey>) =>
  db
    .deleteFrom('signalWaits')
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('step', '=', p.step)
    .where('state', '!=', 'taken'),
)

export const deleteWaitsOfRun = statement('signal-waits.delete-run', (db, p: Bind<{ runId: RunId }>) =>
  db.deleteFrom('signalWaits').where('tenantId', '=', p.tenantId).where('runId', '=', p.runId),
)

export const claimedWaits = systemStatement(
  'signal-waits.claimed',
  'events of any tenant are handed on by whichever process comes first',
  (db, p: SystemBind<{ limit: number }>) =>
    db
      .selectFrom('signalWaits')
      .select(['tenantId', 'runId', 'step'])
      .where('state', '=', 'claimed')
      .orderBy('createdAt')
      .orderBy('runId')
      .orderBy('step')
      .limit(p.limit),
)

export const waitsOfEndedRuns = systemStatement(
  'signal-waits.ended',
  'the waits of ended runs of any tenant are cleared away',
  (db, p: SystemBind<{ limit: number }>) =>
    db
      .selectFrom('signalWaits')
      .innerJoin('runs', (join) =>
        join.onRef('runs.tenantId', '=', 'signalWaits.tenantId').onRef('runs.id', '=', 'signalWaits.runId'),
      )
      .select(['signalWaits.tenantId', 'signalWaits.runId'])
      .distinct()
      .where('runs.finishedAt', 'is not', null)
      .limit(p.limit),
)

export const deleteOldSignals = systemStatement(
  'signals.prune',
  'events of any tenant are kept for the same time',
  (db, p: SystemBind<{ before: EpochMs; limit: number }>) =>
    db.deleteFrom('signals').where((eb) =>
      eb(
        eb.refTuple('tenantId', 'id'),
        'in',
        eb
          .selectFrom('signals as old')
          .select(['old.tenantId', 'old.id'])
          .where('old.createdAt', '<', p.before)
          .where((inner) =>
            inner.not(
              inner.exists(
                inner
                  .selectFrom('signalWaits')
                  .select('signalWaits.step')
                  .where('signalWaits.state', '=', 'claimed')
                  .whereRef('signalWaits.tenantId', '=', 'old.tenantId')
                  .whereRef('signalWaits.signalId', '=', 'old.id'),
              ),
            ),
          )
          .where((inner) =>
            inner.not(
              inner.exists(
                inner
                  .selectFrom('triggerTicks')
                  .select('triggerTicks.tick')
                  .where('triggerTicks.state', '=', 'pending')
                  .whereRef('triggerTicks.tenantId', '=', 'old.tenantId')
                  .whereRef('triggerTicks.tick', '=', 'old.id'),
              ),
            ),
          )
          .orderBy('old.createdAt')
          .limit(p.limit)
          .$asTuple('tenantId', 'id'),
      ),
    ),
)
