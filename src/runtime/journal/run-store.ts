// Runs in the database: SQL in, types out. Every write of a worker carries its fence.

import type { RunId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import { forUpdate } from '../../storage/dialect.ts'
import type { NewRowOf, RowOf } from '../../storage/schema/tables.ts'
import type { Bind } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'
import { statesBefore } from '../run-state.ts'

export type RunRow = RowOf<'runs'>

export const runById = statement('runs.get', (db, p: Bind<{ id: RunId }>) =>
  db.selectFrom('runs').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

/**
 * A run as it is now, and stays until the transaction ends. Who locks several runs of a tree locks from the top down,
 * so that no two wait for each other.
 */
export const lockRun = statement('runs.lock', (db, p: Bind<{ id: RunId }>, dialect) =>
  forUpdate(dialect)(
    db.selectFrom('runs').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
  ),
)

/** What is known of a run when it is recorded; counts begin at zero. */
export type NewRun = Pick<
  NewRowOf<'runs'>,
  | 'id'
  | 'kind'
  | 'definitionId'
  | 'definitionName'
  | 'definitionVersion'
  | 'digest'
  | 'state'
  | 'input'
  | 'sessionId'
  | 'parentRunId'
  | 'parentStep'
  | 'rootRunId'
  | 'depth'
  | 'createdBy'
  | 'userId'
  | 'projectId'
  | 'workflowId'
  | 'permissions'
  | 'limits'
  | 'pins'
  | 'fence'
  | 'eventCount'
  | 'traceId'
  | 'triggerId'
  | 'replayOf'
  | 'replayFrom'
  | 'replayChanges'
  | 'redriveOf'
  | 'createdAt'
  | 'startedAt'
  | 'activeSince'
>

export const insertRun = statement('runs.insert', (db, p: Bind<NewRun>) =>
  db.insertInto('runs').values({
    tenantId: p.tenantId,
    id: p.id,
    kind: p.kind,
    definitionId: p.definitionId,
    definitionName: p.definitionName,
    definitionVersion: p.definitionVersion,
    digest: p.digest,
    state: p.state,
    waitingReason: null,
    input: p.input,
    output: null,
    errorCode: null,
    errorMessage: null,
    sessionId: p.sessionId,
    parentRunId: p.parentRunId,
    parentStep: p.parentStep,
    rootRunId: p.rootRunId,
    depth: p.depth,
    createdBy: p.createdBy,
    userId: p.userId,
    projectId: p.projectId,
    workflowId: p.workflowId,
    permissions: p.permissions,
    limits: p.limits,
    pins: p.pins,
    fence: p.fence,
    eventCount: p.eventCount,
    stepCount: 0,
    messageCount: 0,
    toolCallCount: 0,
    inputTokens: 0,
    outputTokens: 0,
    costNanos: 0n,
    unpricedCount: 0,
    traceId: p.traceId,
    triggerId: p.triggerId,
    replayOf: p.replayOf,
    replayFrom: p.replayFrom,
    replayChanges: p.replayChanges,
    redriveOf: p.redriveOf,
    cancelRequestedAt: null,
    createdAt: p.createdAt,
    startedAt: p.startedAt,
    activeSince: p.activeSince,
    finishedAt: null,
    contentRemovedAt: null,
  }),
)

/** A worker takes a run: from now on only writes with this fence or a higher one are accepted. */
export const adoptRun = statement('runs.adopt', (db, p: Bind<{ id: RunId; fence: number; at: EpochMs }>) =>
  db
    .updateTable('runs')
    .set((eb) => ({
      state: 'running' as const,
      waitingReason: null,
      fence: p.fence,
      eventCount: eb('eventCount', '+', 1),
      startedAt: eb.fn.coalesce('startedAt', eb.val(p.at)),
      activeSince: eb.fn.coalesce('activeSince', eb.val(p.at)),
    }))
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('fence', '<=', p.fence)
    .where('state', 'in', [...statesBefore('running')])
    .returningAll(),
)

/** What a journal write adds to the run's counts. */
export interface Progress {
  readonly id: RunId
  readonly fence: number
  readonly events: number
  readonly steps: number
  readonly messages: number
  readonly toolCalls: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costNanos: bigint
  readonly unpriced: number
}

/** The first statement of each journal write: proves that the lease still holds, and counts. No row: it was lost. */
export const advanceRun = statement('runs.advance', (db, p: Bind<Progress>) =>
  db
    .updateTable('runs')
    .set((eb) => ({
      eventCount: eb('eventCount', '+', p.events),
      stepCount: eb('stepCount', '+', p.steps),
      messageCount: eb('messageCount', '+', p.messages),
      toolCallCount: eb('toolCallCount', '+', p.toolCalls),
      inputTokens: eb('inputTokens', '+', p.inputTokens),
      outputTokens: eb('outputTokens', '+', p.outputTokens),
      costNanos: eb('costNanos', '+', p.costNanos),
      unpricedCount: eb('unpricedCount', '+', p.unpriced),
    }))
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('fence', '=', p.fence)
    .where('state', '=', 'running')
    .returning(['eventCount', 'cancelRequestedAt']),
)

export interface RunEnd {
  readonly id: RunId
  readonly state: 'completed' | 'failed' | 'cancelled'
  readonly output: string | null
  readonly errorCode: string | null
  readonly errorMessage: string | null
  readonly at: EpochMs
}

/** Ends a run that this worker drives; follows `advanceRun` in the same transaction. */
export const finishRun = statement('runs.finish', (db, p: Bind<RunEnd & { fence: number }>) =>
  db
    .updateTable('runs')
    .set({
      state: p.state,
      waitingReason: null,
      output: p.output,
      errorCode: p.errorCode,
      errorMessage: p.errorMessage,
      finishedAt: p.at,
    })
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('fence', '=', p.fence)
    .where('state', '=', 'running'),
)

/** The run lets go of its worker: it waits for somebody, or for another worker. */
export const setAside = statement(
  'runs.set-aside',
  (
    db,
    p: Bind<{
      id: RunId
      fence: number
      state: 'waiting' | 'queued'
      waitingReason: RunRow['waitingReason']
    }>,
  ) =>
    db
      .updateTable('runs')
      .set({ state: p.state, waitingReason: p.waitingReason })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('fence', '=', p.fence)
      .where('state', '=', 'running'),
)

/** An answer came: a run that waits is queued again, with a new time limit. */
export const wakeRun = statement('runs.wake', (db, p: Bind<{ id: RunId; at: EpochMs }>) =>
  db
    .updateTable('runs')
    .set({ state: 'queued', waitingReason: null, activeSince: p.at })
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('state', '=', 'waiting'),
)

/** Gives the place of one more event of a run that is not terminal, whoever drives it. */
export const countEvent = statement('runs.count-event', (db, p: Bind<{ id: RunId }>) =>
  db
    .updateTable('runs')
    .set((eb) => ({ eventCount: eb('eventCount', '+', 1) }))
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('state', 'in', [...statesBefore('cancelled')])
    .returning('eventCount'),
)

/** Marks a run for cancelling; the first request's time stays. */
export const markCancel = statement('runs.mark-cancel', (db, p: Bind<{ id: RunId; at: EpochMs }>) =>
  db
    .updateTable('runs')
    .set((eb) => ({ cancelRequestedAt: eb.fn.coalesce('cancelRequestedAt', eb.val(p.at)) }))
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('state', 'in', [...statesBefore('cancelled')]),
)

/** Ends a run that nobody drives, and makes place for its last events. */
export const closeOpenRun = statement(
  'runs.close',
  (
    db,
    p: Bind<
      Omit<RunEnd, 'output' | 'state'> & { state: 'cancelled' | 'failed'; events: number; unpriced: number }
    >,
  ) =>
    db
      .updateTable('runs')
      .set((eb) => ({
        state: p.state,
        waitingReason: null,
        errorCode: p.errorCode,
        errorMessage: p.errorMessage,
        finishedAt: p.at,
        eventCount: eb('eventCount', '+', p.events),
        unpricedCount: eb('unpricedCount', '+', p.unpriced),
      }))
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('state', 'in', [...statesBefore('cancelled')])
      .returningAll(),
)

export const cancelFlag = statement('runs.cancel-flag', (db, p: Bind<{ id: RunId }>) =>
  db.selectFrom('runs').select('cancelRequestedAt').where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)
