// A run is asked to stop. Nobody drives it: it ends here. Somebody does: the flag and the signal reach them.

import { AppError } from '../base/errors.ts'
import type { RunId, TenantId } from '../base/ids.ts'
import type { Clock } from '../base/time.ts'
import { actorOf, type Principal } from '../contract/principal.ts'
import { appendRunEvent } from '../events/append.ts'
import { withdrawJob } from '../queue/job-store.ts'
import type { Database, TenantTransaction } from '../storage/database.ts'
import type { CapturePolicy } from './agent/context.ts'
import { applyCapture } from './capture.ts'
import {
  cancelIdle,
  countEvent,
  markCancel,
  openDescendants,
  type RunRow,
  runById,
} from './journal/run-store.ts'
import { interruptSteps } from './journal/step-store.ts'
import { wakeAbove } from './resolve-step.ts'
import { isTerminal } from './run-state.ts'
import type { StartContext } from './runtime.ts'
import { leaveSession } from './session-store.ts'

export interface CancelRunDeps {
  readonly db: Database
  readonly clock: Clock
  readonly capturePolicy: (tenantId: TenantId) => Promise<CapturePolicy>
  readonly woken: () => void
  /** Reaches the run where this process drives it. */
  readonly stop: (runId: RunId) => void
  readonly written: (runId: RunId) => void
}

export async function cancelRun(
  deps: CancelRunDeps,
  principal: Principal,
  runId: RunId,
  context: StartContext,
): Promise<RunRow> {
  const at = deps.clock()
  const changed: RunId[] = [runId]
  const capture = await deps.capturePolicy(principal.tenantId)
  const row = await deps.db.tenant(principal.tenantId).write(async (tx) => {
    changed.length = 1
    const run = await tx.first(runById, { id: runId })
    if (run === undefined) throw new AppError('run.not-found', `There is no run "${runId}".`)
    if (isTerminal(run.state))
      throw new AppError('run.finished', `The run "${runId}" has ended: ${run.state}.`)
    await tx.run(markCancel, { id: runId, at })
    const below = await descendants(tx, run)
    for (const child of below) await tx.run(markCancel, { id: child.id, at })
    const counted = await tx.first(countEvent, { id: runId })
    const event = { actor: actorOf(principal), requestId: context.requestId, at, data: {} }
    if (counted !== undefined)
      await appendRunEvent(tx, { ...event, type: 'run.cancel-requested', runId, runSeq: counted.eventCount })
    // Nobody drives a tree whose root's job is not held, nor a run in it that waits: they end here.
    const idle = run.id === run.rootRunId ? await withdrawJob(tx, runId, at) : run.state === 'waiting'
    if (idle) {
      for (const open of [run, ...below]) {
        await end(tx, open.id, actorOf(principal), at, capture)
        changed.push(open.id)
      }
      if (run.id !== run.rootRunId) await wakeAbove(tx, run, at)
    }
    await context.inTransaction?.(tx, runId)
    return tx.first(runById, { id: runId })
  })
  if (row === undefined) throw new AppError('run.not-found', `There is no run "${runId}".`)
  deps.stop(runId)
  deps.woken()
  for (const id of new Set(changed)) deps.written(id)
  return row
}

/** The open runs below a run, through any depth. */
async function descendants(tx: TenantTransaction, run: RunRow): Promise<readonly RunRow[]> {
  const open = await tx.all(openDescendants, { rootRunId: run.rootRunId })
  const inside = new Set<string>([run.id])
  // Ids are ordered by time, so that a parent comes before its children.
  return [...open]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .filter((row) => {
      if (row.parentRunId === null || !inside.has(row.parentRunId)) return false
      inside.add(row.id)
      return true
    })
}

async function end(
  tx: TenantTransaction,
  id: RunId,
  actor: string,
  at: number,
  capture: CapturePolicy,
): Promise<void> {
  const run = await tx.first(cancelIdle, { id, at })
  if (run === undefined) return
  await appendRunEvent(tx, { type: 'run.cancelled', runId: id, runSeq: run.eventCount, actor, data: {}, at })
  await tx.run(interruptSteps, { runId: id, at })
  if (run.sessionId !== null) await tx.first(leaveSession, { id: run.sessionId, runId: id, turns: 0, at })
  await applyCapture(tx, id, capture)
}
