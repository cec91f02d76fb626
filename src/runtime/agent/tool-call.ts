// One call of a tool, with what its effect asks for: what may be repeated is, what may not is looked into or left in doubt.

import { AppError, type ErrorCode } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import type { DrivenRun } from './context.ts'
import { type Timed, timed } from './interruption.ts'
import { RecordedFailure, type ToolBinding, type ToolCallContext } from './tool-binding.ts'
import { checkToolOutput, oneLine } from './tool-output.ts'

/** How a call ended. `waiting`: only a person can say, or a run below it waits. `stopped`: not ended, the run stops. */
export type CallEnd =
  | { readonly status: 'done'; readonly output: Json; readonly untrusted: boolean }
  | { readonly status: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly status: 'in_doubt' }
  | { readonly status: 'waiting' }
  | { readonly status: 'stopped' }

/** What a call needs of the run that makes it. */
export type ToolCaller = Pick<DrivenRun, 'deps' | 'run' | 'tenantId' | 'interruption'>

export interface ToolCall {
  readonly step: number
  readonly input: Json
  readonly idempotencyKey: string
  /** Intended by an earlier process, which may have made the call. */
  readonly stale: boolean
}

/** Where they are given, they narrow the tool's own. */
export interface CallTimes {
  readonly runMs?: number | undefined
  /** Since the last sign of life. */
  readonly idleMs?: number | undefined
}

/** Makes a call, as often as the tool allows; one that an earlier process may have made is looked into first. */
export async function callTool(
  ctx: ToolCaller,
  call: ToolCall,
  tool: ToolBinding,
  times: CallTimes = {},
): Promise<CallEnd> {
  const runMs = Math.min(tool.timeoutMs, times.runMs ?? Number.POSITIVE_INFINITY)
  const make = (): Promise<Timed<Json>> =>
    timed(
      runMs,
      ctx.interruption.signal,
      (signal, alive) => tool.call(call.input, context(signal, alive)),
      times.idleMs,
    )
  const context = (signal: AbortSignal, heartbeat: () => void): ToolCallContext => ({
    tenantId: ctx.tenantId,
    runId: ctx.run.id,
    idempotencyKey: call.idempotencyKey,
    step: call.step,
    signal,
    heartbeat,
    nowMs: ctx.deps.clock(),
  })
  if (call.stale && tool.effect === 'once') return reconcile(ctx, call, tool, context, make)
  let end: CallEnd = { status: 'stopped' }
  for (let attempt = 1; attempt <= tool.maxAttempts; attempt++) {
    end = endOf(tool, await make(), runMs)
    if (end.status !== 'failed' || !RETRIED.has(end.code)) return end
  }
  return end
}

/** Tells the observer of a call that has ended, or that nobody knows the end of. */
export function observeCall(
  ctx: Pick<DrivenRun, 'deps' | 'observed'>,
  { step, tool }: { readonly step: number; readonly tool: string },
  end: CallEnd,
  startedAt: EpochMs,
): void {
  if (end.status === 'waiting' || end.status === 'stopped') return
  const ms = ctx.deps.clock() - startedAt
  ctx.deps.observer.toolCalled(ctx.observed, { step, tool, outcome: end.status, ms, startedAt })
}

/** Failures that another attempt may not meet. */
const RETRIED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['tool.timeout', 'outbound.failed'])

function endOf(tool: ToolBinding, result: Timed<Json>, runMs: number): CallEnd {
  switch (result.status) {
    case 'done':
      return checkToolOutput(tool, result.value)
    case 'timeout':
      // Nobody knows how far a `once` call came.
      if (tool.effect === 'once') return { status: 'in_doubt' }
      return {
        status: 'failed',
        code: 'tool.timeout',
        message: `The tool did not answer within ${runMs} ms.`,
      }
    case 'idle':
      if (tool.effect === 'once') return { status: 'in_doubt' }
      return { status: 'failed', code: 'tool.timeout', message: 'The tool gave no sign of life in time.' }
    case 'stopped':
      return tool.effect === 'once' ? { status: 'in_doubt' } : { status: 'stopped' }
    case 'threw': {
      const { error } = result
      if (error instanceof RecordedFailure)
        return { status: 'failed', code: error.code, message: error.message }
      if (!(error instanceof AppError))
        return { status: 'failed', code: 'tool.failed', message: `The tool failed: ${oneLine(error)}` }
      if (error.code === 'outbound.failed' && tool.effect === 'once') return { status: 'in_doubt' }
      return { status: 'failed', code: error.code, message: oneLine(error) }
    }
    default:
      return result satisfies never
  }
}

/** A `once` call of a process that died: the tool may know what became of it, else a person must say. */
async function reconcile(
  ctx: ToolCaller,
  call: ToolCall,
  tool: ToolBinding,
  context: (signal: AbortSignal, heartbeat: () => void) => ToolCallContext,
  make: () => Promise<Timed<Json>>,
): Promise<CallEnd> {
  const ask = tool.reconcile
  if (ask === undefined) return { status: 'in_doubt' }
  const answer = await timed(tool.timeoutMs, ctx.interruption.signal, (signal, alive) =>
    ask(call.input, context(signal, alive)),
  )
  // The next worker asks again.
  if (answer.status === 'stopped') return { status: 'stopped' }
  if (answer.status !== 'done' || answer.value.status === 'unknown') return { status: 'in_doubt' }
  if (answer.value.status === 'done') return checkToolOutput(tool, answer.value.output)
  return endOf(tool, await make(), tool.timeoutMs)
}
