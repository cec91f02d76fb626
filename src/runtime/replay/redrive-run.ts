// A run whose job was given up is taken up again by a new run: with the same version, pins, input and limits, from where
// the record ends. The dead run stays as it is. What it did is not done again; what it had begun is settled by the rules of
// recovery, with the same idempotency keys: a `once` call that was left open is reconciled by its tool, or is in doubt.

import { AppError } from '../../base/errors.ts'
import { type AgentId, newId, type RunId, type SessionId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { Clock, EpochMs } from '../../base/time.ts'
import type { ApprovalPolicy } from '../../contract/approval.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import { appendRunEvent } from '../../events/append.ts'
import { enqueueJob } from '../../queue/enqueue.ts'
import { jobIdOf, PRIORITY_CLASS } from '../../queue/job.ts'
import { jobById } from '../../queue/job-store.ts'
import type { Database, TenantReader, TenantTransaction } from '../../storage/database.ts'
import type { Bind } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'
import type { Planner } from '../agent/plan.ts'
import { requestApproval } from '../approvals/request-approval.ts'
import type { Budgets } from '../budgets.ts'
import { dimensionsOf } from '../dimensions.ts'
import { insertRun, type RunRow, runById } from '../journal/run-store.ts'
import type { StepRow } from '../journal/step-store.ts'
import type { StartContext } from '../runtime.ts'
import { takeSession } from '../session-store.ts'
import { type RunRecord, readRecord, writeRecord } from './run-record.ts'

export interface RedriveDeps {
  readonly db: Database
  readonly clock: Clock
  readonly planner: Planner
  readonly budgets: Pick<Budgets, 'admit'>
  readonly accepted: (runId: RunId) => void
}

/** A run of the dead tree that goes on as another one. */
interface Continued {
  readonly id: RunId
  readonly parentRunId: RunId | null
  readonly dead: RunRow
  readonly record: RunRecord
}

/** Records the run that goes on. Throws `run.state-conflict` where the run's job is not dead, or was redriven before. */
export async function redriveRun(
  deps: RedriveDeps,
  principal: Principal,
  runId: RunId,
  context: StartContext,
): Promise<RunRow> {
  const { tenantId } = principal
  const db = deps.db.tenant(tenantId)
  const at = deps.clock()
  const tree = await db.read(async (reader) => continuedTree(reader, await deadRun(reader, runId), null, at))
  const root = tree[0]
  if (root === undefined) throw new Error(`The run ${runId} goes on as no run.`)
  const row = await db.write(async (tx) => {
    if ((await tx.run(leaveDead, { runId, at })) !== 1) throw notDead(runId)
    await deps.budgets.admit(tx, dimensionsOf({ ...root.dead, id: root.id }), at)
    for (const one of tree) await write(deps, tx, one, root.id, principal, context, at)
    if (root.dead.sessionId !== null) await takeAgain(tx, root.dead.sessionId, root, at)
    const job = await tx.first(jobById, { id: jobIdOf(runId) })
    await enqueueJob(tx, {
      id: jobIdOf(root.id),
      kind: root.dead.kind,
      runId: root.id,
      definitionId: root.dead.definitionId,
      definitionCap: job?.definitionCap ?? null,
      priority: Object.values(PRIORITY_CLASS).find((one) => one === job?.priority),
      traceparent: job?.traceparent ?? null,
      at,
    })
    await context.inTransaction?.(tx, root.id)
    return tx.first(runById, { id: root.id })
  })
  if (row === undefined) throw new Error(`The run ${root.id} was recorded and cannot be read.`)
  deps.accepted(row.id)
  return row
}

async function deadRun(reader: TenantReader, id: RunId): Promise<RunRow> {
  const run = await reader.first(runById, { id })
  if (run === undefined) throw new AppError('run.not-found', `There is no run "${id}".`)
  const job = await reader.first(jobById, { id: jobIdOf(run.rootRunId) })
  if (run.parentRunId !== null || run.state !== 'failed' || job?.state !== 'dead') throw notDead(id)
  return run
}

function notDead(id: RunId): AppError {
  return new AppError(
    'run.state-conflict',
    `The run "${id}" cannot be redriven: only a run whose job was given up (dead) can be, once.`,
  )
}

/** The run, and the runs below it that end with it because it died; callers first. */
async function continuedTree(
  reader: TenantReader,
  dead: RunRow,
  parentRunId: RunId | null,
  at: EpochMs,
): Promise<readonly Continued[]> {
  const id = newId('run', at)
  const whole = dead.stepCount === 0 ? { steps: [], messages: [] } : await readRecord(reader, dead)
  const below: Continued[] = []
  const steps: StepRow[] = []
  for (const step of whole.steps) {
    const open = reopened(step, dead)
    if (open === undefined) continue
    if (open.state !== 'intended' || step.childRunId === null) {
      steps.push(open)
      continue
    }
    const child = await reader.first(runById, { id: step.childRunId })
    if (child === undefined) steps.push({ ...open, childRunId: newId('run', at) })
    else if (!diedBelow(child)) steps.push(open)
    else {
      const goesOn = await continuedTree(reader, child, id, at)
      below.push(...goesOn)
      steps.push({ ...open, childRunId: goesOn[0]?.id ?? step.childRunId })
    }
  }
  return [{ id, parentRunId, dead, record: { steps, messages: whole.messages } }, ...below]
}

/**
 * What was open when the run died is open again, as it was; attempts at a model stay lost. Undefined: a node that asked a
 * person or waited for an event, which the workflow asks again by itself.
 */
function reopened(step: StepRow, dead: RunRow): StepRow | undefined {
  if (step.state !== 'interrupted' || step.kind === 'model' || step.kind === 'compaction') return step
  // A node that its workflow gave up was no more open when the run died.
  if (step.path !== null && step.finishedAt !== dead.finishedAt) return step
  if (step.path !== null && (step.waitingReason === 'approval' || step.waitingReason === 'event'))
    return undefined
  // It was not made, and nobody wakes it any more: the budget is asked anew.
  if (step.waitingReason === 'budget')
    return { ...step, state: 'approved', waitingReason: null, finishedAt: null }
  const state = step.waitingReason === null ? 'intended' : 'waiting'
  return { ...step, state, finishedAt: null }
}

/** It was closed with the run above it, and nobody asked for that. */
function diedBelow(child: RunRow): boolean {
  return child.state === 'cancelled' && child.cancelRequestedAt === null
}

async function write(
  deps: RedriveDeps,
  tx: TenantTransaction,
  { id, parentRunId, dead, record }: Continued,
  rootRunId: RunId,
  principal: Principal,
  context: StartContext,
  at: EpochMs,
): Promise<void> {
  const actor = actorOf(principal)
  await tx.run(insertRun, {
    id,
    kind: dead.kind,
    definitionId: dead.definitionId,
    definitionName: dead.definitionName,
    definitionVersion: dead.definitionVersion,
    digest: dead.digest,
    state: 'queued',
    input: dead.input,
    sessionId: dead.sessionId,
    parentRunId,
    parentStep: dead.parentStep,
    rootRunId,
    depth: dead.depth,
    createdBy: dead.createdBy,
    userId: dead.userId,
    projectId: dead.projectId,
    workflowId: dead.workflowId,
    permissions: dead.permissions,
    limits: dead.limits,
    pins: dead.pins,
    fence: 0,
    eventCount: 1,
    traceId: dead.traceId,
    triggerId: dead.triggerId,
    replayOf: dead.replayOf,
    replayFrom: dead.replayFrom,
    replayChanges: dead.replayChanges,
    redriveOf: dead.id,
    createdAt: at,
    startedAt: null,
    activeSince: null,
  })
  await appendRunEvent(tx, {
    type: 'run.requested',
    runId: id,
    runSeq: 1,
    actor,
    data: {
      [dead.kind]: dead.definitionName,
      version: dead.definitionVersion,
      redrive_of: dead.id,
      ...(parentRunId === null ? {} : { parent_run_id: parentRunId }),
    },
    requestId: context.requestId,
    at,
  })
  await writeRecord(tx, id, record)
  for (const step of record.steps) if (asks(step)) await askAgain(deps, tx, id, dead, step, actor, at)
}

function asks(step: StepRow): boolean {
  return step.state === 'waiting' && step.waitingReason === 'approval'
}

/** The question of a call that waited for a person is put anew: the earlier one ended with its run. */
async function askAgain(
  deps: RedriveDeps,
  tx: TenantTransaction,
  runId: RunId,
  dead: RunRow,
  step: StepRow,
  actor: string,
  at: EpochMs,
): Promise<void> {
  await requestApproval(tx, {
    runId,
    step: step.seq,
    kind: 'tool',
    subject: step.name,
    arguments: JSON.parse(step.input ?? 'null') as Json,
    policy: await policyOf(deps, dead),
    requestedBy: dead.createdBy,
    actor,
    at,
  })
}

async function policyOf({ planner }: RedriveDeps, dead: RunRow): Promise<ApprovalPolicy | undefined> {
  const { tenantId, definitionId, definitionVersion } = dead
  return (await planner.agent(tenantId, definitionId as AgentId, definitionVersion)).definition.approval
}

async function takeAgain(
  tx: TenantTransaction,
  sessionId: SessionId,
  { id, dead }: Continued,
  at: EpochMs,
): Promise<void> {
  const agentId = dead.definitionId as AgentId
  if ((await tx.run(takeSession, { id: sessionId, agentId, runId: id, at })) === 1) return
  throw new AppError(
    'session.busy',
    `The session "${sessionId}" has a run that has not ended. Wait for it or cancel it.`,
  )
}

/** The dead job is no dead letter any more; 0 where somebody was first. */
const leaveDead = statement('replay.leave-dead', (db, p: Bind<{ runId: RunId; at: EpochMs }>) =>
  db
    .updateTable('jobs')
    .set({ state: 'done', updatedAt: p.at })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('state', '=', 'dead'),
)
