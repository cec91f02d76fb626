// Ends runs that nobody drives, as rows: one that was cancelled while it waited, one that cannot be loaded, and what is
// still open below a run that ends. No plan is made and nothing is called; each attempt left open gets its usage record.

import type { RunId, TenantId } from '../../base/ids.ts'
import { withoutNul } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import { appendRunEvent } from '../../events/append.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { withdrawApprovals } from '../approvals/request-approval.ts'
import { closeBudgetWaits } from '../budget-waits.ts'
import { applyCapture } from '../capture.ts'
import { dimensionsOf } from '../dimensions.ts'
import { closeOpenRun, type RunRow } from '../journal/run-store.ts'
import { openDescendants } from '../journal/run-tree-store.ts'
import { interruptSteps, openPaidSteps } from '../journal/step-store.ts'
import { leaveSession } from '../session-store.ts'
import { attemptRecord } from './attempt-record.ts'
import type { CapturePolicy, DriveDeps } from './context.ts'
import { type Accounts, accountForRun, accountForTool, openTool } from './run-end.ts'

export interface Closing extends Accounts {
  readonly capture: CapturePolicy
  /** Who the events name. */
  readonly actor: string
  readonly at: EpochMs
}

export type ClosingDeps = Pick<DriveDeps, 'metering' | 'budgets' | 'capturePolicy'>

/** What is to be known of the tenant before a transaction that closes runs. */
export async function closingFor(
  { metering, budgets, capturePolicy }: ClosingDeps,
  tenantId: TenantId,
  facts: Pick<Closing, 'actor' | 'at'>,
): Promise<Closing> {
  const [prices, capture] = [await metering.prices(tenantId), await capturePolicy(tenantId)]
  return { metering, budgets, prices, capture, ...facts }
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
  const { actor, at } = closing
  const open = await tx.all(openPaidSteps, { runId: id })
  const left = open.filter(({ kind, state }) => kind !== 'tool' && state === 'intended')
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
      of: dimensionsOf(run),
      replay: run.replayOf !== null,
      model: name,
      step: seq,
      attempt,
      startedAt,
      held: true,
    }
    const { write, event } = attemptRecord(closing, { ...made, outcome: 'interrupted' }, at)
    await write(tx)
    await appendRunEvent(tx, { ...event, runId: id, runSeq, actor, at })
    runSeq += 1
  }
  const data = error === undefined ? {} : { code: error.code }
  await appendRunEvent(tx, { type: `run.${end.state}`, runId: id, runSeq, actor, data, at })
  for (const step of open)
    if (step.kind === 'tool') await accountForTool(tx, closing, run, openTool(step), at)
  await accountForRun(tx, closing, run, at)
  await tx.run(interruptSteps, { runId: id, at })
  await closeBudgetWaits(tx, id)
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
