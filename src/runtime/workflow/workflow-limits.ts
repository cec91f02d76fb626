// The limits of a workflow's run: named caps with defaults, narrowed by the request and by the run above.

import { parseUsd } from '../../base/money.ts'
import type { WorkflowLimits } from '../../contract/workflow.ts'
import type { RunLimits } from '../run-limits.ts'

export type WorkflowRunLimits = Pick<RunLimits, 'maxSteps' | 'maxTokens' | 'maxCostNanos' | 'timeoutMs'>

const DEFAULTS = { maxSteps: 1_000_000, maxTokens: 20_000_000, timeoutMs: 86_400_000 }

/** The smaller of what is given wins, so that nobody can widen what another has set. */
export function effectiveWorkflowLimits(...given: readonly (WorkflowLimits | undefined)[]): WorkflowLimits {
  const least = (key: keyof typeof DEFAULTS): number =>
    Math.min(DEFAULTS[key], ...given.map((limits) => limits?.[key] ?? Number.POSITIVE_INFINITY))
  const costs = given.map((limits) => limits?.maxCostUsd).filter((cost) => cost !== undefined)
  const [cost] = costs.sort((a, b) => ((parseUsd(a) ?? 0n) < (parseUsd(b) ?? 0n) ? -1 : 1))
  return {
    maxSteps: least('maxSteps'),
    maxTokens: least('maxTokens'),
    timeoutMs: least('timeoutMs'),
    ...(cost === undefined ? {} : { maxCostUsd: cost }),
  }
}

export function toWorkflowRunLimits(stored: WorkflowLimits): WorkflowRunLimits {
  return {
    maxSteps: stored.maxSteps ?? DEFAULTS.maxSteps,
    maxTokens: stored.maxTokens ?? DEFAULTS.maxTokens,
    timeoutMs: stored.timeoutMs ?? DEFAULTS.timeoutMs,
    maxCostNanos: stored.maxCostUsd === undefined ? undefined : parseUsd(stored.maxCostUsd),
  }
}
