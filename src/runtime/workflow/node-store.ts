// What a workflow changes of its steps' rows, and asks of its tree, beyond what the journal's own statements do.

import type { RunId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { Bind } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'
import type { RunRow } from '../journal/run-store.ts'

/** Notes in a race's open row which branch has won. */
export const noteWinner = statement(
  'steps.note-winner',
  (db, p: Bind<{ runId: RunId; seq: number; output: string }>) =>
    db
      .updateTable('steps')
      .set({ output: p.output })
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('seq', '=', p.seq)
      .where('state', '=', 'intended'),
)

/** The pause before another attempt is over. */
export const beginDue = statement(
  'steps.begin-due',
  (db, p: Bind<{ runId: RunId; seq: number; dueAt: EpochMs | null; at: EpochMs }>) =>
    db
      .updateTable('steps')
      .set({ state: 'intended', waitingReason: null, dueAt: p.dueAt, startedAt: p.at })
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('seq', '=', p.seq)
      .where('state', '=', 'waiting')
      .where('waitingReason', '=', 'time'),
)

/** The pause before another attempt is over, and the step waits for a person or an event. */
export const waitForMore = statement(
  'steps.wait-for-more',
  (
    db,
    p: Bind<{
      runId: RunId
      seq: number
      waitingReason: 'time' | 'event' | 'approval'
      dueAt: EpochMs | null
      at: EpochMs
    }>,
  ) =>
    db
      .updateTable('steps')
      .set({ waitingReason: p.waitingReason, dueAt: p.dueAt, startedAt: p.at })
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('seq', '=', p.seq)
      .where('state', '=', 'waiting')
      .where('waitingReason', '=', 'time'),
)

/** A step is given up while its run goes on. */
export const interruptStep = statement(
  'steps.interrupt-one',
  (db, p: Bind<{ runId: RunId; seq: number; at: EpochMs }>) =>
    db
      .updateTable('steps')
      .set({ state: 'interrupted', waitingReason: null, finishedAt: p.at })
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('seq', '=', p.seq)
      .where('state', 'in', ['intended', 'approved', 'waiting']),
)

export const waitingSeqs = statement('steps.waiting-seqs', (db, p: Bind<{ runId: RunId }>) =>
  db
    .selectFrom('steps')
    .select('seq')
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('state', '=', 'waiting'),
)

/** When the first of a run's open steps goes on, or is over, by itself. */
export const firstDue = statement('steps.first-due', (db, p: Bind<{ runId: RunId }>) =>
  db
    .selectFrom('steps')
    .select((eb) => eb.fn.min('dueAt').as('dueAt'))
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('state', 'in', ['intended', 'waiting'])
    .where('dueAt', 'is not', null),
)

/** The waiting runs of a tree, and when each is due. */
export const waitingInTree = statement('runs.waiting-in-tree', (db, p: Bind<{ rootRunId: RunId }>) =>
  db
    .selectFrom('runs')
    .leftJoin('steps', (join) =>
      join
        .onRef('steps.tenantId', '=', 'runs.tenantId')
        .onRef('steps.runId', '=', 'runs.id')
        .on('steps.state', 'in', ['intended', 'waiting']),
    )
    .select(['runs.id', 'runs.parentRunId', 'runs.waitingReason'])
    .select((eb) => eb.fn.min('steps.dueAt').as('dueAt'))
    .where('runs.tenantId', '=', p.tenantId)
    .where('runs.rootRunId', '=', p.rootRunId)
    .where('runs.parentRunId', 'is not', null)
    .where('runs.state', '=', 'waiting')
    .groupBy(['runs.id', 'runs.parentRunId', 'runs.waitingReason']),
)

/** The run fails: what is done is being undone, and this is what it will have failed of. */
export const markFailing = statement(
  'runs.mark-failing',
  (db, p: Bind<{ id: RunId; fence: number; code: string; message: string }>) =>
    db
      .updateTable('runs')
      .set({ errorCode: p.code, errorMessage: p.message })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('fence', '=', p.fence)
      .where('state', '=', 'running'),
)

/** The run waits. Its time limit stands still: it counts anew from when a worker goes on with it. */
export const setWaiting = statement(
  'runs.set-waiting',
  (db, p: Bind<{ id: RunId; fence: number; waitingReason: RunRow['waitingReason'] }>) =>
    db
      .updateTable('runs')
      .set({ state: 'waiting', waitingReason: p.waitingReason, activeSince: null })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('fence', '=', p.fence)
      .where('state', '=', 'running'),
)
