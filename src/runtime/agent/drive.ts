// Drives one run from where it is to its end, or to where it must wait. The worker holds the lease meanwhile.

import { AppError } from '../../base/errors.ts'
import type { AgentLimits } from '../../contract/agent.ts'
import type { ClaimedJob } from '../../queue/job.ts'
import { ConstraintError, StorageError } from '../../storage/storage-errors.ts'
import { LeaseLost } from '../journal/journal.ts'
import type { RunRow } from '../journal/run-store.ts'
import { toRunLimits } from '../run-limits.ts'
import type { DriveDeps, RunContext } from './context.ts'
import type { DriveEnd } from './drive-end.ts'
import { failUnloaded, finish, park, type RunEndState, release } from './finish.ts'
import { type Interruption, Stopped } from './interruption.ts'
import { loadContext, reloadTurn } from './load.ts'
import { runLoop } from './loop.ts'
import { callAgent } from './sub-agent.ts'

/** Drives an adopted run. `job` is undefined for a run that its parent drives. Never throws. */
export async function driveRun(
  deps: DriveDeps,
  run: RunRow,
  job: ClaimedJob | undefined,
  interruption: Interruption,
): Promise<DriveEnd> {
  let ctx: RunContext | undefined
  const deadline = setTimeout(() => interruption.stop('deadline'), timeLeft(run, deps.clock()))
  deadline.unref()
  deps.active.set(run.id, interruption)
  try {
    if (run.cancelRequestedAt !== null) interruption.stop('cancelled')
    ctx = await loadContext(deps, run, interruption)
    deps.observer.runStarted(ctx.observed)
    return await advance(ctx, job)
  } catch (error) {
    return await giveUp(deps, run, ctx, job, error)
  } finally {
    clearTimeout(deadline)
    deps.active.delete(run.id)
  }
}

async function advance(ctx: RunContext, job: ClaimedJob | undefined): Promise<DriveEnd> {
  for (;;) {
    const end = await settleOn(ctx)
    if (end !== 'waiting') {
      if (end === 'released') {
        await release(ctx, job)
        return { status: 'released' }
      }
      await finish(ctx, job, end)
      return { status: 'ended', end, untrusted: ctx.untrusted, ctx }
    }
    if (await park(ctx, job)) return { status: 'waiting' }
    await reloadTurn(ctx)
  }
}

/** The loop's end, with what stopped it turned into a state. */
async function settleOn(ctx: RunContext): Promise<RunEndState | 'waiting' | 'released'> {
  try {
    return await runLoop(ctx, (parent, call, callable) => callAgent(parent, call, callable, driveRun))
  } catch (error) {
    if (error instanceof LeaseLost || isStorageTrouble(error)) throw error
    const reason = error instanceof Stopped ? error.reason : ctx.interruption.reason()
    switch (reason) {
      case 'cancelled':
        return { state: 'cancelled' }
      case 'shutdown':
        return 'released'
      case 'lost':
        throw new LeaseLost(`The lease of run ${ctx.run.id} was lost.`)
      case 'deadline': {
        const ms = ctx.limits.timeoutMs
        return {
          state: 'failed',
          error: new AppError(
            'limit.time',
            `The run reached its time limit of ${ms} ms (limits.timeout_ms).`,
          ),
        }
      }
      case undefined:
        break
      default:
        return reason satisfies never
    }
    if (error instanceof AppError) return { state: 'failed', error }
    ctx.deps.observer.trouble('A run failed unexpectedly.', { runId: ctx.run.id, error })
    return {
      state: 'failed',
      error: new AppError('internal', 'The run failed for a reason inside the platform; its log has more.'),
    }
  }
}

/** Nothing could be loaded or stored. A run whose definition cannot be bound fails; any other is left to its lease. */
async function giveUp(
  deps: DriveDeps,
  run: RunRow,
  ctx: RunContext | undefined,
  job: ClaimedJob | undefined,
  error: unknown,
): Promise<DriveEnd> {
  if (error instanceof LeaseLost) return { status: 'lost' }
  deps.observer.trouble('A run could not go on; it is taken up again when its lease lapses.', {
    runId: run.id,
    error,
  })
  if (ctx !== undefined || !(error instanceof AppError) || isStorageTrouble(error)) return { status: 'lost' }
  return (await failUnloaded(deps, run, job, error)) ? { status: 'released' } : { status: 'lost' }
}

/** The database's own trouble: nothing can be said of the run, so nothing is. */
function isStorageTrouble(error: unknown): boolean {
  if (error instanceof AppError) return error.code.startsWith('storage.') || error.code.startsWith('server.')
  return error instanceof StorageError || error instanceof ConstraintError
}

function timeLeft(run: RunRow, now: number): number {
  const { timeoutMs } = toRunLimits(JSON.parse(run.limits) as AgentLimits)
  return Math.max((run.activeSince ?? now) + timeoutMs - now, 0)
}
