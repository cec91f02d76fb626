// A run is done again: from its beginning or from a step, as it was or with something changed. The record answers its
// tool calls unless the caller asks for real ones.

import { AppError } from '../../base/errors.ts'
import { newId, type RunId } from '../../base/ids.ts'
import type { Clock } from '../../base/time.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import { appendAudit, appendRunEvent } from '../../events/append.ts'
import { enqueueJob } from '../../queue/enqueue.ts'
import { jobIdOf } from '../../queue/job.ts'
import type { Database } from '../../storage/database.ts'
import type { Budgets } from '../budgets.ts'
import { dimensionsOf } from '../dimensions.ts'
import { insertRun, type RunRow, runById } from '../journal/run-store.ts'
import { isTerminal } from '../run-state.ts'
import type { ReplayInput, StartContext } from '../runtime.ts'
import { INPUT_CHARS_MAX } from '../start-run.ts'
import { readTraceId } from '../trace-id.ts'
import { type PlannedDeps, plannedReplay } from './planned.ts'
import type { ReplayChanges } from './replay-changes.ts'
import { type RunRecord, readRecord, recordBefore, recordBeforeNode, writeRecord } from './run-record.ts'

export interface ReplayDeps extends PlannedDeps {
  readonly db: Database
  readonly clock: Clock
  readonly budgets: Pick<Budgets, 'admit'>
  readonly accepted: (runId: RunId) => void
}

/** Records a run that replays another. Throws `run.not-replayable` where that cannot be, with the reason. */
export async function replayRun(
  deps: ReplayDeps,
  principal: Principal,
  runId: RunId,
  input: ReplayInput,
  context: StartContext,
): Promise<RunRow> {
  const { tenantId } = principal
  const db = deps.db.tenant(tenantId)
  const original = await db.read((reader) => reader.first(runById, { id: runId }))
  if (original === undefined) throw new AppError('run.not-found', `There is no run "${runId}".`)
  const text = checked(original, input)
  const whole = await db.read((reader) => readRecord(reader, original))
  const taken: RunRecord =
    input.from === undefined ? { steps: [], messages: [] } : before(original, whole, input.from)
  const planned = await plannedReplay(deps, original, input, text)
  const at = deps.clock()
  const id = newId('run', at)
  const actor = actorOf(principal)
  const changes = changesOf(input)
  const billed = { ...original, id, userId: principal.userId, createdBy: actor }
  const row = await db.write(async (tx) => {
    await deps.budgets.admit(tx, dimensionsOf(billed), at)
    await tx.run(insertRun, {
      id,
      kind: original.kind,
      definitionId: original.definitionId,
      definitionName: original.definitionName,
      definitionVersion: planned.version,
      digest: planned.digest,
      state: 'queued',
      input: text,
      sessionId: null,
      parentRunId: null,
      parentStep: null,
      rootRunId: id,
      depth: 0,
      createdBy: actor,
      userId: principal.userId,
      projectId: original.projectId,
      workflowId: original.workflowId,
      permissions: JSON.stringify([...principal.permissions]),
      limits: planned.limits,
      pins: planned.pins,
      fence: 0,
      eventCount: 1,
      traceId: readTraceId(input.traceparent),
      // What a trigger brought came from outside, and does so again.
      triggerId: input.input === undefined ? original.triggerId : null,
      replayOf: original.id,
      replayFrom: input.from ?? null,
      replayChanges: JSON.stringify(changes),
      redriveOf: null,
      createdAt: at,
      startedAt: null,
      activeSince: null,
    })
    await writeRecord(tx, id, taken)
    const facts = {
      [original.kind]: original.definitionName,
      version: planned.version,
      replay_of: original.id,
    }
    const { requestId } = context
    await appendRunEvent(tx, {
      type: 'run.requested',
      runId: id,
      runSeq: 1,
      actor,
      data: facts,
      requestId,
      at,
    })
    const said = { ...facts, from: input.from ?? null, changes: changedNames(input), tools: changes.tools }
    await appendAudit(tx, { type: 'run.replayed', actor, subject: id, data: said, requestId, at })
    await enqueueJob(tx, {
      id: jobIdOf(id),
      kind: original.kind,
      runId: id,
      definitionId: original.definitionId,
      definitionCap: planned.cap,
      traceparent: input.traceparent,
      at,
    })
    await context.inTransaction?.(tx, id)
    return tx.first(runById, { id })
  })
  if (row === undefined) throw new Error(`The run ${id} was recorded and cannot be read.`)
  deps.accepted(id)
  return row
}

/** The input of the new run as it is stored. */
function checked(original: RunRow, { from, input }: ReplayInput): string {
  if (!isTerminal(original.state)) {
    throw new AppError(
      'run.not-replayable',
      `The run "${original.id}" has not ended (${original.state}): wait for it, or cancel it first.`,
    )
  }
  if (input === undefined) return original.input
  if (from !== undefined) {
    throw new AppError(
      'request.invalid',
      'Another input makes another beginning: leave "from" or "input" out.',
    )
  }
  const text = JSON.stringify(input)
  if (text.length <= INPUT_CHARS_MAX) return text
  throw new AppError(
    'request.too-large',
    `The input has ${text.length} characters; at most ${INPUT_CHARS_MAX} are allowed.`,
  )
}

function before({ kind }: RunRow, record: RunRecord, from: number): RunRecord {
  return kind === 'agent' ? recordBefore(record, from) : recordBeforeNode(record, from)
}

function changesOf(input: ReplayInput): ReplayChanges {
  const { model, instructions, version, tools = 'recorded' } = input
  return { tools, model, instructions, version, ...(input.input === undefined ? {} : { input: true }) }
}

function changedNames(input: ReplayInput): string[] {
  const names = ['model', 'instructions', 'version', 'input'] as const
  return names.filter((name) => input[name] !== undefined)
}
