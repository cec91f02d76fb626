// The limits of a run: named caps with defaults, narrowed by the request, checked before anything is spent.

import { AppError } from '../base/errors.ts'
import { type Nanos, parseUsd } from '../base/money.ts'
import type { AgentLimits } from '../contract/agent.ts'

export interface RunLimits {
  readonly maxSteps: number
  readonly maxToolCalls: number
  readonly maxTokens: number
  readonly maxCostNanos: Nanos | undefined
  readonly timeoutMs: number
  readonly maxIdenticalCalls: number
  readonly parallelToolCalls: number
}

const DEFAULTS = {
  maxSteps: 50,
  maxToolCalls: 100,
  maxTokens: 2_000_000,
  timeoutMs: 600_000,
  maxIdenticalCalls: 5,
  parallelToolCalls: 8,
}

/** The definition's limits with the request's on top: the smaller of the two wins, so a request can only narrow. */
export function effectiveLimits(
  defined: AgentLimits | undefined,
  asked: AgentLimits | undefined,
): AgentLimits {
  const least = (key: keyof typeof DEFAULTS): number =>
    Math.min(defined?.[key] ?? DEFAULTS[key], asked?.[key] ?? Number.POSITIVE_INFINITY)
  const cost = [defined?.maxCostUsd, asked?.maxCostUsd]
    .filter((amount) => amount !== undefined)
    .sort((a, b) => compareUsd(a, b))[0]
  return {
    maxSteps: least('maxSteps'),
    maxToolCalls: least('maxToolCalls'),
    maxTokens: least('maxTokens'),
    timeoutMs: least('timeoutMs'),
    maxIdenticalCalls: least('maxIdenticalCalls'),
    parallelToolCalls: least('parallelToolCalls'),
    ...(cost === undefined ? {} : { maxCostUsd: cost }),
  }
}

export function toRunLimits(stored: AgentLimits): RunLimits {
  return {
    maxSteps: stored.maxSteps ?? DEFAULTS.maxSteps,
    maxToolCalls: stored.maxToolCalls ?? DEFAULTS.maxToolCalls,
    maxTokens: stored.maxTokens ?? DEFAULTS.maxTokens,
    timeoutMs: stored.timeoutMs ?? DEFAULTS.timeoutMs,
    maxIdenticalCalls: stored.maxIdenticalCalls ?? DEFAULTS.maxIdenticalCalls,
    parallelToolCalls: stored.parallelToolCalls ?? DEFAULTS.parallelToolCalls,
    maxCostNanos: stored.maxCostUsd === undefined ? undefined : parseUsd(stored.maxCostUsd),
  }
}

/** What a run has used so far. */
export interface RunTally {
  modelTurns: number
  toolCalls: number
  tokens: number
  costNanos: Nanos
  unpriced: number
}

/** Throws the limit that the next model call would pass. Money is asked for with each attempt (agent/allowance.ts). */
export function checkBeforeModel(limits: RunLimits, tally: RunTally): void {
  if (tally.modelTurns >= limits.maxSteps) {
    throw new AppError(
      'limit.steps',
      `The run reached its limit of ${limits.maxSteps} model steps. Raise limits.max_steps or simplify the task.`,
    )
  }
  if (tally.tokens >= limits.maxTokens) {
    throw new AppError(
      'limit.tokens',
      `The run used ${tally.tokens} tokens; its limit is ${limits.maxTokens} (limits.max_tokens).`,
    )
  }
}

export function checkBeforeTools(limits: RunLimits, tally: RunTally, calls: number): void {
  if (tally.toolCalls + calls > limits.maxToolCalls) {
    throw new AppError(
      'limit.tool-calls',
      `The run asked for more than its ${limits.maxToolCalls} tool calls (limits.max_tool_calls).`,
    )
  }
}

function compareUsd(a: string, b: string): number {
  const difference = (parseUsd(a) ?? 0n) - (parseUsd(b) ?? 0n)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}
