// A workflow's run lets go of its worker: it waits for somebody or for a time.

import type { RunId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import { appendRunEvent } from '../../events/append.ts'
import type { ClaimedJob } from '../../queue/job.ts'
import { settleJob } from '../../queue/job-store.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { countEvent, type RunRow } from '../journal/run-store.ts'
import { WAITING_PRECEDENCE } from '../run-state.ts'
import { firstDue, setWaiting, waitingInTree, waitingSeqs } from './node-store.ts'
import { dueBelow } from './waits.ts'
import type { WorkflowContext } from './workflow-context.ts'

type RunReason = NonNullable<RunRow['waitingReason']>

/**
 * Lets the run wait. False where it may go on at once: something that it waits for has come or is due, or somebody asked
 * to cancel it. The check and the change are one transaction, so that nothing can fall between them.
 */
export async function parkWorkflow(ctx: WorkflowContext, job: ClaimedJob | undefined): Promise<boolean> {
  const { journal, run, deps } = ctx
  await journal.flush()
  const found = await journal.fenced(async (tx, row) => {
    if (row.cancelRequestedAt !== null) return 'cancelled'
    const at = deps.clock()
    const rest = await restOf(ctx, tx)
    if (rest === undefined || (rest.dueAt !== null && rest.dueAt <= at)) return 'answered'
    const { reason, dueAt } = rest
    const counted = await tx.first(countEvent, { id: run.id })
    const data = { reason, due_at: dueAt }
    const event = { type: 'run.waiting', runId: run.id, actor: deps.worker, data, at } as const
    if (counted !== undefined) await appendRunEvent(tx, { ...event, runSeq: counted.eventCount })
    await tx.run(setWaiting, { id: run.id, fence: run.fence, waitingReason: reason })
    if (job === undefined) return 'waiting'
    if (dueAt === null) await settleJob(tx, job, 'parked', at)
    else await settleJob(tx, job, 'scheduled', at, { notBefore: dueAt })
    return 'waiting'
  })
  if (found === 'cancelled') {
    ctx.interruption.stop('cancelled')
    // Where the run is being undone, that goes on in its own time.
    deps.active.get(run.id)?.stop('cancelled')
  }
  if (found !== 'waiting') return false
  const ms = deps.clock() - run.createdAt
  deps.observer.runEnded(ctx.observed, { state: 'waiting', errorCode: undefined, ms })
  return true
}

/** Why the run waits, and until when at most. Undefined where something that it waited for waits no more. */
async function restOf(
  ctx: WorkflowContext,
  tx: TenantTransaction,
): Promise<{ readonly reason: RunReason; readonly dueAt: EpochMs | null } | undefined> {
  const { run, waits } = ctx
  const waiting = waits.list()
  const seqs = new Set((await tx.all(waitingSeqs, { runId: run.id })).map(({ seq }) => seq))
  const children = waiting.filter((wait) => wait.on === 'child')
  const below = children.length === 0 ? [] : await tx.all(waitingInTree, { rootRunId: run.rootRunId })
  const runs = new Map<RunId, (typeof below)[number]>(below.map((child) => [child.id, child]))
  const reasons: RunReason[] = []
  const dues: EpochMs[] = []
  for (const wait of waiting) {
    if (wait.on === 'step') {
      if (!seqs.has(wait.seq)) return undefined
      reasons.push(wait.reason)
      continue
    }
    const child = runs.get(wait.runId)
    if (child === undefined) return undefined
    reasons.push(child.waitingReason ?? 'approval')
    const dueAt = dueBelow(below, wait.runId)
    if (dueAt !== null) dues.push(dueAt)
  }
  const own = (await tx.first(firstDue, { runId: run.id }))?.dueAt ?? null
  if (own !== null) dues.push(Number(own))
  const reason = WAITING_PRECEDENCE.find((known) => reasons.includes(known))
  return { reason: reason ?? 'time', dueAt: dues.length === 0 ? null : Math.min(...dues) }
}
