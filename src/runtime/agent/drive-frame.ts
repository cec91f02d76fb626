// What is the same for every run that is driven, whatever it runs: the time limit, what stops it, what cannot be stored.

import { AppError } from '../../base/errors.ts'
import type { ClaimedJob } from '../../queue/job.ts'
import { LeaseLost } from '../journal/journal.ts'
import type { RunRow } from '../journal/run-store.ts'
import type { DriveDeps, DrivenRun } from './context.ts'
import type { DriveEnd } from './drive-end.ts'
import { failUnloaded, putAside, type RunEndState } from './finish.ts'
import { type Interruption, Stopped } from './interruption.ts'
import { isStorageTrouble } from './storage-trouble.ts'
import { lacksOf, Unroutable } from './unroutable.ts'

/** One drive of a run: loads what is on record, and goes on from there. */
export interface Course<Ctx extends DrivenRun> {
  /** How long it may still work. */
  readonly timeLeftMs: number
  load(): Promise<Ctx>
  advance(ctx: Ctx): Promise<DriveEnd>
}

/** Drives within the time limit, reachable for who cancels the run. Throws only where nothing can be stored. */
export async function driveWithin<Ctx extends DrivenRun>(
  deps: DriveDeps,
  run: RunRow,
  job: ClaimedJob | undefined,
  interruption: Interruption,
  course: Course<Ctx>,
): Promise<DriveEnd> {
  let ctx: Ctx | undefined
  const deadline = setTimeout(() => interruption.stop('deadline'), course.timeLeftMs)
  deadline.unref()
  deps.active.set(run.id, interruption)
  try {
    if (run.cancelRequestedAt !== null) interruption.stop('cancelled')
    ctx = await course.load()
    deps.observer.runStarted(ctx.observed)
    return await course.advance(ctx)
  } catch (error) {
    return await giveUp(deps, run, ctx, job, error)
  } finally {
    clearTimeout(deadline)
    if (deps.active.get(run.id) === interruption) deps.active.delete(run.id)
  }
}

/** What stopped a run, as a state. Throws where nothing can be said of it: the lease was lost, or the database failed. */
export function endOfError(ctx: DrivenRun, error: unknown): RunEndState | 'released' | Unroutable {
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
        error: new AppError('limit.time', `The run reached its time limit of ${ms} ms (limits.timeout_ms).`),
      }
    }
    case undefined:
      break
    default:
      return reason satisfies never
  }
  if (error instanceof AppError) return { state: 'failed', error }
  if (error instanceof Unroutable) return error
  ctx.deps.observer.trouble('A run failed unexpectedly.', { runId: ctx.run.id, error })
  return { state: 'failed', error: INTERNAL }
}

/** Nothing could be loaded or stored. Trouble of the database passes: the run is left to its lease. Any other stays: it fails. */
async function giveUp(
  deps: DriveDeps,
  run: RunRow,
  ctx: DrivenRun | undefined,
  job: ClaimedJob | undefined,
  error: unknown,
): Promise<DriveEnd> {
  if (error instanceof LeaseLost) return { status: 'lost' }
  const reason = ctx === undefined ? lacksOf(error) : undefined
  if (reason !== undefined) {
    deps.observer.trouble('A run is set aside: this worker lacks what it needs.', { runId: run.id, error })
    return (await putAside(deps, run, job, reason)) ? { status: 'unroutable', reason } : { status: 'lost' }
  }
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
