// A run is accepted: run row, event and job row in one transaction. From then on it ends in exactly one terminal state.

import { AppError } from '../base/errors.ts'
import { type AgentId, newId, type RunId, type SessionId } from '../base/ids.ts'
import type { Clock } from '../base/time.ts'
import type { VersionReader } from '../catalog/catalog.ts'
import { actorOf, type Principal } from '../contract/principal.ts'
import { appendRunEvent } from '../events/append.ts'
import { jobIdOf } from '../queue/job.ts'
import { enqueueJob } from '../queue/job-store.ts'
import type { Database, TenantTransaction } from '../storage/database.ts'
import type { Planner } from './agent/plan.ts'
import { insertRun, type RunRow, runById } from './journal/run-store.ts'
import { effectiveLimits } from './run-limits.ts'
import type { StartContext, StartRunInput } from './runtime.ts'
import { sessionById, takeSession } from './session-store.ts'
import { readTraceId } from './trace-id.ts'

export const INPUT_CHARS_MAX = 500_000

export interface StartRunDeps {
  readonly db: Database
  readonly clock: Clock
  readonly versions: VersionReader
  readonly planner: Planner
  readonly accepted: (runId: RunId) => void
}

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
  const agent = await deps.versions.publishedAgent(tenantId, input.agent)
  const pins = JSON.stringify(await deps.planner.pin(tenantId, agent))
  // A plan that cannot be made is the caller's to hear of, not a run that fails later.
  await deps.planner.plan(tenantId, agent.id, agent.version, pins)
  const at = deps.clock()
  const id = newId('run', at)
  const row = await deps.db.tenant(tenantId).write(async (tx) => {
    if (input.sessionId !== undefined) await take(tx, input.sessionId, agent, id, at)
    await tx.run(insertRun, {
      id,
      kind: 'agent',
      definitionId: agent.id,
      definitionName: agent.name,
      definitionVersion: agent.version,
      digest: agent.digest,
      state: 'queued',
      input: text,
      sessionId: input.sessionId ?? null,
      parentRunId: null,
      parentStep: null,
      rootRunId: id,
      depth: 0,
      createdBy: actorOf(principal),
      permissions: JSON.stringify([...principal.permissions]),
      limits: JSON.stringify(effectiveLimits(agent.definition.limits, input.limits)),
      pins,
      fence: 0,
      eventCount: 1,
      traceId: readTraceId(input.traceparent),
      triggerId: null,
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
      data: { agent: agent.name, version: agent.version },
      requestId: context.requestId,
      at,
    })
    await enqueueJob(tx, { id: jobIdOf(id), runId: id, at })
    await context.inTransaction?.(tx, id)
    return tx.first(runById, { id })
  })
  if (row === undefined) throw new Error(`The run ${id} was recorded and cannot be read.`)
  deps.accepted(id)
  return row
}

async function take(
  tx: TenantTransaction,
  sessionId: SessionId,
  agent: { readonly id: AgentId; readonly name: string },
  runId: RunId,
  at: number,
): Promise<void> {
  if ((await tx.run(takeSession, { id: sessionId, agentId: agent.id, runId, at })) === 1) return
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
