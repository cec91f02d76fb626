// Drives one run of a workflow from where it is to its end, or to where it must wait. One run is one lease: its nodes run
// side by side in this process, and the runs below it are driven with it.

import { AppError, ERROR_CODES, type ErrorCode } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import type { WorkflowLimits } from '../../contract/workflow.ts'
import type { ClaimedJob } from '../../queue/job.ts'
import { type Allowance, UNLIMITED, unbound } from '../agent/allowance.ts'
import type { DriveDeps } from '../agent/context.ts'
import { driveRun } from '../agent/drive.ts'
import type { Drive, DriveEnd } from '../agent/drive-end.ts'
import { driveWithin, endOfError } from '../agent/drive-frame.ts'
import { finishRunWith, type RunEndState } from '../agent/finish.ts'
import { giveBack } from '../agent/give-back.ts'
import { createInterruption, type Interruption, interruptBelow, Stopped } from '../agent/interruption.ts'
import type { Unroutable } from '../agent/unroutable.ts'
import { Unroutable as UnroutableError } from '../agent/unroutable.ts'
import type { RunRow } from '../journal/run-store.ts'
import { loadWorkflow } from './load-workflow.ts'
import { NodeFailed } from './node-failed.ts'
import { markFailing } from './node-store.ts'
import { parkWorkflow } from './park-workflow.ts'
import { evaluate, topScope } from './scope.ts'
import { undoAll } from './undo.ts'
import type { WorkflowContext } from './workflow-context.ts'
import { toWorkflowRunLimits } from './workflow-limits.ts'
import { flush } from './write-step.ts'

type Failed = Extract<RunEndState, { state: 'failed' }>

/** Drives an adopted run; see `driveRun`, which does so for an agent's. */
export async function driveWorkflow(
  deps: DriveDeps,
  run: RunRow,
  job: ClaimedJob | undefined,
  outer: Interruption,
  untrusted = false,
  above: Allowance = UNLIMITED,
): Promise<DriveEnd> {
  // Its time limit stops this one alone: what comes from outside is still heard while it is undone.
  using interruption = interruptBelow(outer)
  return await driveWithin(deps, run, job, interruption, {
    timeLeftMs: timeLeft(run, deps.clock()),
    load: () => loadWorkflow(deps, run, { interruption, outer }, untrusted, driveBelow, above),
    advance: (ctx) => advance(ctx, job),
  })
}

const driveBelow: Drive = (deps, run, job, interruption, untrusted, above) =>
  run.kind === 'workflow'
    ? driveWorkflow(deps, run, job, interruption, untrusted, above)
    : driveRun(deps, run, job, interruption, untrusted, above)

async function advance(ctx: WorkflowContext, job: ClaimedJob | undefined): Promise<DriveEnd> {
  using waits = ctx.waits
  const course = followed(ctx)
  for (;;) {
    const end = await Promise.race([course, waits.rest()])
    if (end === 'rest') {
      // What waits is left as it is: the next drive finds it on record.
      if (await parkWorkflow(ctx, job)) return { status: 'waiting' }
      await waits.look()
      continue
    }
    if (end instanceof UnroutableError) {
      await giveBack(ctx, job, end.reason)
      return { status: 'unroutable', reason: end.reason }
    }
    if (end === 'released') {
      await giveBack(ctx, job)
      return { status: 'released' }
    }
    await finishRunWith(ctx, job, end, { open: end.state !== 'completed' })
    return { status: 'ended', end, untrusted: ctx.untrusted, tally: ctx.tally }
  }
}

/** The workflow's nodes, and where they fail, what undoes them. */
async function followed(ctx: WorkflowContext): Promise<RunEndState | 'released' | Unroutable> {
  const failing = failureOf(ctx.run)
  try {
    if (failing !== undefined) {
      await retrace(ctx)
      return await undone(ctx, failing)
    }
    return await completed(ctx)
  } catch (error) {
    const end = endOf(ctx, error)
    if (end === 'released' || end instanceof UnroutableError || end.state !== 'failed') return end
    if (ctx.undoable.length === 0) return end
    return undone(ctx, end)
  }
}

async function completed(ctx: WorkflowContext): Promise<RunEndState> {
  const { definition, checkOutput } = ctx.plan
  const scope = topScope(JSON.parse(ctx.run.input) as Json, ctx.facts, ctx.interruption)
  const last = await ctx.runBlock(ctx, scope, definition.nodes)
  const output =
    definition.output === undefined ? last : evaluate(scope, definition.name, 'output', definition.output)
  const wrong = checkOutput(output)
  if (wrong.length > 0) {
    const list = wrong.slice(0, 5).map(({ path, message }) => `${path || '(whole)'}: ${message}`)
    throw new AppError(
      'workflow.output-invalid',
      `The output does not follow the workflow's output schema. ${list.join('; ')}`,
      { errors: wrong },
    )
  }
  return { state: 'completed', output, text: '' }
}

function endOf(ctx: WorkflowContext, error: unknown): RunEndState | 'released' | Unroutable {
  const stopped = ctx.interruption.reason() !== undefined || ctx.interruption.resting.aborted
  if (error instanceof NodeFailed && !stopped)
    return { state: 'failed', error: { code: codeOf(error.code), message: error.message } }
  if (error instanceof Stopped && !stopped)
    return {
      state: 'failed',
      error: new AppError('run.lost', 'A node was given up, and why is not on record.'),
    }
  return endOfError(
    ctx,
    error instanceof NodeFailed ? new Stopped(ctx.interruption.reason() ?? 'shutdown') : error,
  )
}

const CODES: ReadonlySet<string> = new Set(ERROR_CODES)

function codeOf(code: string): ErrorCode {
  return CODES.has(code) ? (code as ErrorCode) : 'node.failed'
}

/** What a run that is being undone has failed of. */
function failureOf(run: RunRow): Failed | undefined {
  if (run.errorCode === null) return undefined
  return {
    state: 'failed',
    error: { code: codeOf(run.errorCode), message: run.errorMessage ?? run.errorCode },
  }
}

/** Goes through what is on record, for what can be undone. No node begins. */
async function retrace(ctx: WorkflowContext): Promise<void> {
  const interruption = createInterruption(ctx.interruption)
  interruption.stop('cancelled')
  const scope = topScope(JSON.parse(ctx.run.input) as Json, ctx.facts, interruption)
  try {
    await ctx.runBlock(ctx, scope, ctx.plan.definition.nodes)
  } catch (error) {
    if (!(error instanceof NodeFailed || error instanceof Stopped)) throw error
    ctx.interruption.check()
  }
}

/** Undoes what is done, in its own time; then the run fails of what it failed of. */
async function undone(ctx: WorkflowContext, failed: Failed): Promise<RunEndState | 'released' | Unroutable> {
  const { run, deps, journal, limits } = ctx
  const { code, message } = failed.error
  journal.add((tx) => tx.run(markFailing, { id: run.id, fence: run.fence, code, message }))
  await flush(ctx)
  using own = ownTime(ctx)
  // No limit that failed the run keeps it from being undone.
  const free = { ...limits, maxSteps: Infinity, maxTokens: Infinity, maxCostNanos: undefined }
  const allowance = unbound(ctx.allowance)
  const undoing: WorkflowContext = { ...ctx, interruption: own.interruption, limits: free, allowance }
  deps.active.set(run.id, own.interruption)
  try {
    await undoAll(undoing)
    return failed
  } catch (error) {
    const end = endOf(undoing, error)
    return own.interruption.reason() === 'deadline' ? failed : end
  } finally {
    deps.active.set(run.id, ctx.interruption)
  }
}

/** An interruption that goes on where the run's own time limit has stopped it, for as long again. */
function ownTime({ interruption, outer, limits }: WorkflowContext): {
  readonly interruption: Interruption
  [Symbol.dispose](): void
} {
  const own = createInterruption()
  const over = new AbortController()
  const timer = setTimeout(() => own.stop('deadline'), limits.timeoutMs)
  timer.unref()
  for (const from of [interruption, outer]) {
    const hear = (): void => {
      const reason = from.reason()
      if (reason === undefined) own.drain()
      else if (reason !== 'deadline') own.stop(reason)
    }
    if (from.resting.aborted) hear()
    from.resting.addEventListener('abort', hear, { once: true, signal: over.signal })
    from.signal.addEventListener('abort', hear, { once: true, signal: over.signal })
  }
  return {
    interruption: own,
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      over.abort()
    },
  }
}

/** A run that is being undone has its own time for that. */
function timeLeft(run: RunRow, now: number): number {
  const { timeoutMs } = toWorkflowRunLimits(JSON.parse(run.limits) as WorkflowLimits)
  if (run.errorCode !== null) return timeoutMs
  return Math.max((run.activeSince ?? now) + timeoutMs - now, 0)
}
