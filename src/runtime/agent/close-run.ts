// Ends runs that nobody drives, as rows: one that was cancelled while it waited, one that cannot be loaded, and what is
// still open below a run that ends. No plan is made and nothing is called; each attempt left open gets its usage record.

import type { RunId } from '../../base/ids.ts'
import { withoutNul } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import { appendRunEvent } from '../../events/append.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { withdrawApprovals } from '../approvals/request-approval.ts'
import { applyCapture } from '../capture.ts'
import { closeOpenRun, type RunRow } from '../journal/run-store.ts'
import { openDescendants } from '../journal/run-tree-store.ts'
import { interruptSteps, openModelSteps } from '../journal/step-store.ts'
import type { Metering } from '../metering.ts'
import { leaveSession } from '../session-store.ts'
import { attemptRecord } from './attempt-record.ts'
import type { CapturePolicy } from './context.ts'

export interface Closing {
  readonly metering: Metering
  readonly capture: CapturePolicy
  /** Who the events name. */
  readonly actor: string
  readonly at: EpochMs
}

export type ClosedAs =
  | { readonly state: 'cancelled' }
  | { readonly state: 'failed'; readonly error: { readonly code: string; readonly message: string } }

/** Ends a run unless it has ended. */
export async function closeRun(
  tx: TenantTransaction,
  id: RunId,
  end: ClosedAs,
  closing: Closing,
): Promise<void> {
  const { metering, actor, at } = closing
  const left = await tx.all(openModelSteps, { runId: id })
  const error = end.state === 'failed' ? end.error : undefined
  const run = await tx.first(closeOpenRun, {
    id,
    state: end.state,
    errorCode: error?.code ?? null,
    errorMessage: error === undefined ? null : withoutNul(error.message),
    at,
    events: left.length + 1,
    unpriced: left.length,
  })
  if (run === undefined) return
  let runSeq = run.eventCount - left.length
  for (const { seq, name, attempt, startedAt } of left) {
    const prompt = { headHash: '', messagesUntil: 0 }
    const made = {
      ...prompt,
      runId: id,
      agentId: run.definitionId,
      replay: run.replayOf !== null,
      model: name,
      step: seq,
      attempt,
      startedAt,
    }
    const { write, event } = attemptRecord(metering, { ...made, outcome: 'interrupted' }, at)
    await write(tx)
    await appendRunEvent(tx, { ...event, runId: id, runSeq, actor, at })
    runSeq += 1
  }
  const data = error === undefined ? {} : { code: error.code }
  await appendRunEvent(tx, { type: `run.${end.state}`, runId: id, runSeq, actor, data, at })
  await tx.run(interruptSteps, { runId: id, at })
  await withdrawApprovals(tx, id, at)
  if (run.sessionId !== null) await tx.first(leaveSession, { id: run.sessionId, runId: id, turns: 0, at })
  await applyCapture(tx, id, closing.capture)
}

/** Cancels what is open below a run that ends. Answers what there was. */
export async function closeBelow(
  tx: TenantTransaction,
  run: Pick<RunRow, 'id' | 'rootRunId'>,
  closing: Closing,
): Promise<readonly RunId[]> {
  const ids = await openBelow(tx, run)
  for (const id of ids) await closeRun(tx, id, { state: 'cancelled' }, closing)
  return ids
}

/** The open runs below a run, through any depth, callers first. */
export async function openBelow(
  tx: TenantTransaction,
  run: Pick<RunRow, 'id' | 'rootRunId'>,
): Promise<readonly RunId[]> {
  const open = await tx.all(openDescendants, { rootRunId: run.rootRunId })
  const inside = new Set([run.id])
  for (const row of open.toSorted((a, b) => a.depth - b.depth)) {
    if (row.parentRunId !== null && inside.has(row.parentRunId)) inside.add(row.id)
  }
  inside.delete(run.id)
  return [...inside]
}
