// Drives one run from where it is to its end, or to where it must wait. The worker holds the lease meanwhile.

import { AppError } from '../../base/errors.ts'
import type { AgentLimits } from '../../contract/agent.ts'
import type { ClaimedJob } from '../../queue/job.ts'
import { LeaseLost } from '../journal/journal.ts'
import type { RunRow } from '../journal/run-store.ts'
import { toRunLimits } from '../run-limits.ts'
import type { DriveDeps, RunContext } from './context.ts'
import type { DriveEnd } from './drive-end.ts'
import { failUnloaded, finish, park, type RunEndState, release } from './finish.ts'
import { type Interruption, Stopped } from './interruption.ts'
import { loadContext, reloadTurn } from './load.ts'
import { runLoop } from './loop.ts'
import { isStorageTrouble } from './storage-trouble.ts'
import { callAgent } from './sub-agent.ts'

/**
 * Drives an adopted run. `job` is undefined for a run that its caller drives, `untrusted` whether the caller has read
 * what may steer it. Throws only where nothing can be stored.
 */
export async function driveRun(
  deps: DriveDeps,
  run: RunRow,
  job: ClaimedJob | undefined,
  interruption: Interruption,
  untrusted = false,
): Promise<DriveEnd> {
  let ctx: RunContext | undefined
  const deadline = setTimeout(() => interruption.stop('deadline'), timeLeft(run, deps.clock()))
  deadline.unref()
  deps.active.set(run.id, interruption)
  try {
    if (run.cancelRequestedAt !== null) interruption.stop('cancelled')
    ctx = await loadContext(deps, run, interruption, untrusted)
    deps.observer.runStarted(ctx.observed)
    return await advance(ctx, job)
  } catch (error) {
    return await giveUp(deps, run, ctx, job, error)
  } finally {
    clearTimeout(deadline)
    if (deps.active.get(run.id) === interruption) deps.active.delete(run.id)
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
    return { state: 'failed', error: INTERNAL }
  }
}

/** Nothing could be loaded or stored. Trouble of the database passes: the run is left to its lease. Any other stays: it fails. */
async function giveUp(
  deps: DriveDeps,
  run: RunRow,
  ctx: RunContext | undefined,
  job: ClaimedJob | undefined,
  error: unknown,
): Promise<DriveEnd> {
  if (error instanceof LeaseLost) return { status: 'lost' }
  const passes = isStorageTrouble(error)
  const outlook = passes ? 'it is taken up again when its lease lapses' : 'it fails'
  deps.observer.trouble(`A run could not go on; ${outlook}.`, { runId: run.id, error })
  if (passes) return { status: 'lost' }
  const end = error instanceof AppError ? error : INTERNAL
  if (!(await failUnloaded(deps, run, job, end))) return { status: 'lost' }
  if (ctx !== undefined) {
    const ms = deps.clock() - run.createdAt
    deps.observer.runEnded(ctx.observed, { state: 'failed', errorCode: end.code, ms })
  }
  return { status: 'released' }
}

const INTERNAL = new AppError(
  'internal',
  'The run failed for a reason inside the platform; its log has more.',
)

function timeLeft(run: RunRow, now: number): number {
  const { timeoutMs } = toRunLimits(JSON.parse(run.limits) as AgentLimits)
  return Math.max((run.activeSince ?? now) + timeoutMs - now, 0)
}
