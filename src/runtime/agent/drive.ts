// Drives one run from where it is to its end, or to where it must wait. The worker holds the lease meanwhile.

import type { AgentLimits } from '../../contract/agent.ts'
import type { ClaimedJob } from '../../queue/job.ts'
import type { RunRow } from '../journal/run-store.ts'
import { toRunLimits } from '../run-limits.ts'
import { BudgetWait } from './admission.ts'
import { type Allowance, UNLIMITED } from './allowance.ts'
import type { DriveDeps, RunContext } from './context.ts'
import type { DriveEnd } from './drive-end.ts'
import { driveWithin, endOfError } from './drive-frame.ts'
import { finish, park, type RunEndState, release } from './finish.ts'
import type { Interruption } from './interruption.ts'
import { loadContext, reloadTurn } from './load.ts'
import { runLoop } from './loop.ts'
import { callAgent } from './sub-agent.ts'
import { Unroutable } from './unroutable.ts'

/**
 * Drives an adopted run. `job` is undefined for a run that its caller drives, `untrusted` whether the caller has read
 * what may steer it, `above` what the runs above it may still spend. Throws only where nothing can be stored.
 */
export async function driveRun(
  deps: DriveDeps,
  run: RunRow,
  job: ClaimedJob | undefined,
  interruption: Interruption,
  untrusted = false,
  above: Allowance = UNLIMITED,
): Promise<DriveEnd> {
  return driveWithin(deps, run, job, interruption, {
    timeLeftMs: timeLeft(run, deps.clock()),
    load: () => loadContext(deps, run, interruption, untrusted, above),
    advance: (ctx) => advance(ctx, job),
  })
}

async function advance(ctx: RunContext, job: ClaimedJob | undefined): Promise<DriveEnd> {
  for (;;) {
    const end = await settleOn(ctx)
    if (end !== 'waiting') {
      if (end === 'released') {
        await release(ctx, job)
        return { status: 'released' }
      }
      if (end instanceof Unroutable) {
        await release(ctx, job, end.reason)
        return { status: 'unroutable', reason: end.reason }
      }
      await finish(ctx, job, end)
      return { status: 'ended', end, untrusted: ctx.untrusted, tally: ctx.tally }
    }
    if (await park(ctx, job)) return { status: 'waiting' }
    await reloadTurn(ctx)
  }
}

/** The loop's end, with what stopped it turned into a state. */
async function settleOn(ctx: RunContext): Promise<RunEndState | 'waiting' | 'released' | Unroutable> {
  try {
    return await runLoop(ctx, (parent, call, callable) => callAgent(parent, call, callable, driveRun))
  } catch (error) {
    if (error instanceof BudgetWait) return 'waiting'
    return endOfError(ctx, error)
  }
}

function timeLeft(run: RunRow, now: number): number {
  const { timeoutMs } = toRunLimits(JSON.parse(run.limits) as AgentLimits)
  return Math.max((run.activeSince ?? now) + timeoutMs - now, 0)
}
