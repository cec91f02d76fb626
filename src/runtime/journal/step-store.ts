// Steps in the database: the journal's rows.

import type { RunId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { TenantReader } from '../../storage/database.ts'
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

/** What the end of a step changes. */
const ended = (p: Bind<StepEnd>) => ({
  state: p.state,
  waitingReason: p.waitingReason,
  output: p.output,
  outputHash: p.outputHash,
  errorCode: p.errorCode,
  errorMessage: p.errorMessage,
  finishedAt: p.at,
})

/** Writes the result of an intended step. A step that has ended is not written again: it answers 0. */
export const endStep = statement('steps.end', (db, p: Bind<StepEnd>) =>
  db
    .updateTable('steps')
    .set(ended(p))
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
      .set({ ...ended(p), waitingReason: null })
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

const STEPS_PAGE = 500

/** All steps of a run, in order. */
export async function stepsOf(reader: TenantReader, runId: RunId): Promise<readonly StepRow[]> {
  const steps: StepRow[] = []
  for (let after = 0; ; ) {
    const page = await reader.all(stepsAfter, { runId, after, limit: STEPS_PAGE })
    steps.push(...page)
    const last = page.at(-1)
    if (last === undefined || page.length < STEPS_PAGE) return steps
    after = last.seq
  }
}

/** An intended call has to wait until a budget has room for it. */
export const waitForBudget = statement(
  'steps.wait-for-budget',
  (db, p: Bind<{ runId: RunId; seq: number }>) =>
    db
      .updateTable('steps')
      .set({ state: 'waiting', waitingReason: 'budget' })
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('seq', '=', p.seq)
      .where('state', '=', 'intended'),
)

/** What an attempt at a model is tried as, once more, after it had to wait for a budget. */
export type TriedAgain = Pick<
  StepRow,
  'runId' | 'seq' | 'name' | 'state' | 'waitingReason' | 'attempt' | 'errorCode' | 'errorMessage'
> & { readonly at: EpochMs; readonly finishedAt: EpochMs | null }

export const tryStepAgain = statement('steps.try-again', (db, p: Bind<TriedAgain>) =>
  db
    .updateTable('steps')
    .set({
      name: p.name,
      state: p.state,
      waitingReason: p.waitingReason,
      attempt: p.attempt,
      errorCode: p.errorCode,
      errorMessage: p.errorMessage,
      startedAt: p.at,
      finishedAt: p.finishedAt,
    })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('seq', '=', p.seq)
    .where('state', 'in', ['waiting', 'approved']),
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

/** The attempts at a model and the calls of tools that have no end on record, and may have cost something. */
export const openPaidSteps = statement('steps.open-paid', (db, p: Bind<{ runId: RunId }>) =>
  db
    .selectFrom('steps')
    .select(['seq', 'kind', 'state', 'name', 'attempt', 'idempotencyKey', 'startedAt'])
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('kind', 'in', ['model', 'compaction', 'tool'])
    .where('state', 'in', ['intended', 'approved'])
    .orderBy('seq'),
)

/** The steps of a run that wait, and why. */
export const waitingSteps = statement('steps.waiting', (db, p: Bind<{ runId: RunId }>) =>
  db
    .selectFrom('steps')
    .select('waitingReason')
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
