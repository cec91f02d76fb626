// A run is accepted: run row, event and job row in one transaction. From then on it ends in exactly one terminal state.

import { AppError } from '../base/errors.ts'
import {
  type AgentId,
  type DefinitionId,
  newId,
  type RunId,
  type SessionId,
  type TenantId,
} from '../base/ids.ts'
import type { Clock } from '../base/time.ts'
import type { Version, VersionReader } from '../catalog/catalog.ts'
import { actorOf, type Principal } from '../contract/principal.ts'
import { appendRunEvent } from '../events/append.ts'
import { requireActiveProject } from '../identity/projects.ts'
import { enqueueJob } from '../queue/enqueue.ts'
import { jobIdOf, PRIORITY_CLASS } from '../queue/job.ts'
import { jobById } from '../queue/job-store.ts'
import type { Database, TenantTransaction } from '../storage/database.ts'
import type { Planner } from './agent/plan.ts'
import type { Budgets } from './budgets.ts'
import { dimensionsOf } from './dimensions.ts'
import { insertRun, type RunRow, runById } from './journal/run-store.ts'
import { effectiveLimits } from './run-limits.ts'
import type { StartContext, StartRunInput } from './runtime.ts'
import { sessionById, takeSession } from './session-store.ts'
import { readTraceId } from './trace-id.ts'
import { effectiveWorkflowLimits } from './workflow/workflow-limits.ts'
import { checkWorkflowInput, type WorkflowPlanner } from './workflow/workflow-plan.ts'

export const INPUT_CHARS_MAX = 500_000

export interface StartRunDeps {
  readonly db: Database
  readonly clock: Clock
  readonly versions: VersionReader
  readonly planner: Planner
  readonly workflows: WorkflowPlanner
  readonly budgets: Pick<Budgets, 'admit'>
  readonly accepted: (runId: RunId) => void
}

/** What is to run, with all that it uses pinned. */
interface Started {
  readonly kind: RunRow['kind']
  readonly version: (Version<'agent'> | Version<'workflow'>) & { readonly name: string }
  /** JSON. */
  readonly pins: string
  readonly limits: string
}

/**
 * Records the run of an agent or a workflow. With a `dedupKey` that an open run of the kind has, nothing is recorded and
 * that run is answered.
 */
export async function startRun(
  deps: StartRunDeps,
  principal: Principal,
  input: StartRunInput,
  context: StartContext,
): Promise<RunRow> {
  const text = JSON.stringify(input.input)
  if (text.length > INPUT_CHARS_MAX) {
    throw new AppError(
      'request.too-large',
      `The input has ${text.length} characters; at most ${INPUT_CHARS_MAX} are allowed.`,
    )
  }
  const { tenantId } = principal
  const { kind, version, pins, limits } = await found(deps, tenantId, input)
  const at = deps.clock()
  const id = newId('run', at)
  const of = dimensionsOf({
    id,
    kind,
    definitionId: version.id,
    workflowId: kind === 'workflow' ? version.id : null,
    userId: principal.userId,
    createdBy: actorOf(principal),
    projectId: input.projectId ?? null,
  })
  const row = await deps.db.tenant(tenantId).write(async (tx) => {
    const job = await enqueueJob(tx, {
      id: jobIdOf(id),
      kind,
      runId: id,
      at,
      notBefore: input.notBefore === undefined ? at : Math.max(input.notBefore, at),
      dedupKey: input.dedupKey ?? null,
      priority: PRIORITY_CLASS[input.priority ?? 'normal'],
      definitionId: version.id,
      definitionCap: version.definition.maxConcurrentRuns ?? null,
      traceparent: input.traceparent ?? null,
    })
    const known = job === jobIdOf(id) ? undefined : (await tx.first(jobById, { id: job }))?.runId
    if (known != null) {
      await context.inTransaction?.(tx, known)
      return tx.first(runById, { id: known })
    }
    if (input.projectId !== undefined) await requireActiveProject(tx, input.projectId)
    await deps.budgets.admit(tx, of, at)
    if (input.sessionId !== undefined) await take(tx, input.sessionId, version, id, at)
    await tx.run(insertRun, {
      id,
      kind,
      definitionId: version.id,
      definitionName: version.name,
      definitionVersion: version.version,
      digest: version.digest,
      state: 'queued',
      input: text,
      sessionId: input.sessionId ?? null,
      parentRunId: null,
      parentStep: null,
      rootRunId: id,
      depth: 0,
      createdBy: actorOf(principal),
      userId: principal.userId,
      projectId: input.projectId ?? null,
      workflowId: kind === 'workflow' ? version.id : null,
      permissions: JSON.stringify([...principal.permissions]),
      limits,
      pins,
      fence: 0,
      eventCount: 1,
      traceId: readTraceId(input.traceparent),
      triggerId: input.triggerId ?? null,
      replayOf: null,
      replayFrom: null,
      replayChanges: null,
      redriveOf: null,
      createdAt: at,
      startedAt: null,
      activeSince: null,
    })
    await appendRunEvent(tx, {
      type: 'run.requested',
      runId: id,
      runSeq: 1,
      actor: actorOf(principal),
      data: {
        [kind]: version.name,
        version: version.version,
        ...(input.setOffBy === undefined ? {} : { set_off_by: input.setOffBy }),
      },
      requestId: context.requestId,
      at,
    })
    await context.inTransaction?.(tx, id)
    return tx.first(runById, { id })
  })
  if (row === undefined) throw new Error(`The run ${id} was recorded and cannot be read.`)
  deps.accepted(row.id)
  return row
}

/** A plan that cannot be made is the caller's to hear of, not a run that fails later. */
async function found(deps: StartRunDeps, tenantId: TenantId, input: StartRunInput): Promise<Started> {
  if (input.workflow !== undefined) {
    if (input.agent !== undefined || input.sessionId !== undefined)
      throw new AppError('request.invalid', 'A workflow runs without an agent and without a session.')
    const version = await deps.versions.publishedWorkflow(tenantId, input.workflow)
    checkWorkflowInput(version.definition, input.input)
    const pins = JSON.stringify(await deps.workflows.pin(tenantId, version))
    await deps.workflows.plan(tenantId, version.id, version.version, pins)
    const limits = effectiveWorkflowLimits(version.definition.limits, input.limits)
    return { kind: 'workflow', version, pins, limits: JSON.stringify(limits) }
  }
  if (input.agent === undefined) throw new AppError('request.invalid', 'Name an agent or a workflow.')
  const version = await deps.versions.publishedAgent(tenantId, input.agent)
  const pins = JSON.stringify(await deps.planner.pin(tenantId, version))
  await deps.planner.plan(tenantId, version.id, version.version, pins)
  const limits = effectiveLimits(version.definition.limits, input.limits)
  return { kind: 'agent', version, pins, limits: JSON.stringify(limits) }
}

async function take(
  tx: TenantTransaction,
  sessionId: SessionId,
  agent: { readonly id: DefinitionId; readonly name: string },
  runId: RunId,
  at: number,
): Promise<void> {
  if ((await tx.run(takeSession, { id: sessionId, agentId: agent.id as AgentId, runId, at })) === 1) return
  const session = await tx.first(sessionById, { id: sessionId })
  if (session === undefined) throw new AppError('session.not-found', `There is no session "${sessionId}".`)
  if (session.agentId !== agent.id) {
    throw new AppError(
      'request.invalid',
      `The session "${sessionId}" belongs to another agent than "${agent.name}".`,
    )
  }
  throw new AppError(
    'session.busy',
    `The session "${sessionId}" has a run that has not ended (${session.activeRunId ?? ''}). Wait for it or cancel it.`,
  )
}
