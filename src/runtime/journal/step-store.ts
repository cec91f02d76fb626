// Steps in the database: the journal's rows.

import type { RunId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { NewRowOf, RowOf } from '../../storage/schema/tables.ts'
import type { Bind } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'

export type StepRow = RowOf<'steps'>
export type NewStep = Omit<NewRowOf<'steps'>, 'tenantId'>

export const insertStep = statement('steps.insert', (db, p: Bind<NewStep>) =>
  db.insertInto('steps').values({
    tenantId: p.tenantId,
    runId: p.runId,
    seq: p.seq,
    kind: p.kind,
    name: p.name,
    path: p.path,
    state: p.state,
    waitingReason: p.waitingReason,
    dueAt: p.dueAt,
    attempt: p.attempt,
    callId: p.callId,
    parentStep: p.parentStep,
    effect: p.effect,
    idempotencyKey: p.idempotencyKey,
    input: p.input,
    inputHash: p.inputHash,
    output: p.output,
    outputHash: p.outputHash,
    errorCode: p.errorCode,
    errorMessage: p.errorMessage,
    childRunId: p.childRunId,
    startedAt: p.startedAt,
    finishedAt: p.finishedAt,
  }),
)

export interface StepEnd {
  readonly runId: RunId
  readonly seq: number
  readonly state: StepRow['state']
  readonly waitingReason: StepRow['waitingReason']
  readonly output: string | null
  readonly outputHash: string | null
  readonly errorCode: string | null
  readonly errorMessage: string | null
  readonly at: EpochMs | null
}

/** Writes the result of an intended step. A step that has ended is not written again: it answers 0. */
export const endStep = statement('steps.end', (db, p: Bind<StepEnd>) =>
  db
    .updateTable('steps')
    .set({
      state: p.state,
      waitingReason: p.waitingReason,
      output: p.output,
      outputHash: p.outputHash,
      errorCode: p.errorCode,
      errorMessage: p.errorMessage,
      finishedAt: p.at,
    })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('seq', '=', p.seq)
    .where('state', '=', 'intended'),
)

/** Answers a waiting step: one of two answers at the same moment changes a row. */
export const answerStep = statement(
  'steps.answer',
  (db, p: Bind<StepEnd & { expected: NonNullable<StepRow['waitingReason']> }>) =>
    db
      .updateTable('steps')
      .set({
        state: p.state,
        waitingReason: null,
        output: p.output,
        outputHash: p.outputHash,
        errorCode: p.errorCode,
        errorMessage: p.errorMessage,
        finishedAt: p.at,
      })
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('seq', '=', p.seq)
      .where('state', '=', 'waiting')
      .where('waitingReason', '=', p.expected),
)

export const stepBySeq = statement('steps.get', (db, p: Bind<{ runId: RunId; seq: number }>) =>
  db
    .selectFrom('steps')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('seq', '=', p.seq),
)

/** A run's steps after a place, in order. */
export const stepsAfter = statement(
  'steps.after',
  (db, p: Bind<{ runId: RunId; after: number; limit: number }>) =>
    db
      .selectFrom('steps')
      .selectAll()
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('seq', '>', p.after)
      .orderBy('seq')
      .limit(p.limit),
)

/** A worker takes up a call that a person let go ahead. */
export const beginApproved = statement(
  'steps.begin-approved',
  (db, p: Bind<{ runId: RunId; seq: number; at: EpochMs }>) =>
    db
      .updateTable('steps')
      .set({ state: 'intended', startedAt: p.at })
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('seq', '=', p.seq)
      .where('state', '=', 'approved'),
)

/** A `once` call that was intended and not made: whoever goes on with the run may make it. */
export const putBackStep = statement('steps.put-back', (db, p: Bind<{ runId: RunId; seq: number }>) =>
  db
    .updateTable('steps')
    .set({ state: 'approved' })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('seq', '=', p.seq)
    .where('state', '=', 'intended'),
)

/** The attempts at a model that have no end on record. */
export const openModelSteps = statement('steps.open-model', (db, p: Bind<{ runId: RunId }>) =>
  db
    .selectFrom('steps')
    .select(['seq', 'name', 'attempt', 'startedAt'])
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('kind', 'in', ['model', 'compaction'])
    .where('state', '=', 'intended')
    .orderBy('seq'),
)

/** How many steps of a run wait for a person. */
export const waitingSteps = statement('steps.waiting', (db, p: Bind<{ runId: RunId }>) =>
  db
    .selectFrom('steps')
    .select((eb) => eb.fn.countAll<number>().as('waiting'))
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('state', '=', 'waiting'),
)

/** What was open when its run ended stays as it was left: nobody will end it. */
export const interruptSteps = statement('steps.interrupt', (db, p: Bind<{ runId: RunId; at: EpochMs }>) =>
  db
    .updateTable('steps')
    .set({ state: 'interrupted', finishedAt: p.at })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('state', 'in', ['intended', 'approved', 'waiting']),
)
