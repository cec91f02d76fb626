// A run is asked to stop. Nobody drives it: it ends here. Somebody does: the flag and the signal reach them.

import { AppError } from '../base/errors.ts'
import type { RunId } from '../base/ids.ts'
import type { Clock } from '../base/time.ts'
import { actorOf, type Principal } from '../contract/principal.ts'
import { appendRunEvent } from '../events/append.ts'
import { withdrawJob } from '../queue/job-changes.ts'
import type { Database } from '../storage/database.ts'
import { type ClosingDeps, closeRun, closingFor, openBelow } from './agent/close-run.ts'
import { countEvent, markCancel, type RunRow, runById } from './journal/run-store.ts'
import { isTerminal } from './run-state.ts'
import type { StartContext } from './runtime.ts'
import { lockTree, wakeTree } from './wake-tree.ts'

export interface CancelRunDeps extends ClosingDeps {
  readonly db: Database
  readonly clock: Clock
  readonly woken: () => void
  /** Reaches the run where this process drives it. */
  readonly stop: (runId: RunId) => void
  readonly written: (runId: RunId) => void
}

export async function cancelRun(
  deps: CancelRunDeps,
  principal: Pick<Principal, 'tenantId' | 'userId' | 'apiKeyId'>,
  runId: RunId,
  context: StartContext,
): Promise<RunRow> {
  const at = deps.clock()
  const changed: RunId[] = [runId]
  const closing = await closingFor(deps, principal.tenantId, { actor: actorOf(principal), at })
  const row = await deps.db.tenant(principal.tenantId).write(async (tx) => {
    changed.length = 1
    const tree = await lockTree(tx, runId)
    const run = tree.at(-1)
    if (run === undefined) throw new AppError('run.not-found', `There is no run "${runId}".`)
    if (isTerminal(run.state))
      throw new AppError('run.finished', `The run "${runId}" has ended: ${run.state}.`)
    const below = await openBelow(tx, run)
    for (const id of [runId, ...below]) await tx.run(markCancel, { id, at })
    const counted = await tx.first(countEvent, { id: runId })
    const event = { actor: actorOf(principal), requestId: context.requestId, at, data: {} }
    if (counted !== undefined)
      await appendRunEvent(tx, { ...event, type: 'run.cancel-requested', runId, runSeq: counted.eventCount })
    // Nobody drives a tree whose root's job is not held, nor a run in it that waits: they end here.
    const idle = run.id === run.rootRunId ? await withdrawJob(tx, runId, at) : run.state === 'waiting'
    if (idle) {
      for (const id of [runId, ...below]) await closeRun(tx, id, { state: 'cancelled' }, closing)
      changed.push(...below)
      await wakeTree(tx, tree.slice(0, -1), at)
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
