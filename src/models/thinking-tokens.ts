// Thinking that comes on top of the cap on the output. Pure. Budgets set it aside with the output.

import type { ModelSettings } from './model.ts'
import { parseModelName } from './model-name.ts'

/**
 * Where a model of Anthropic thinks within a budget, its package takes a share of the most that the model can answer for
 * an effort, and adds that to the cap that it was given. As tokens of the longest answers, 128,000; a thousand at least.
 */
const BESIDE_THE_CAP: Readonly<Record<NonNullable<ModelSettings['reasoningEffort']>, number>> = {
  minimal: 2_560,
  low: 12_800,
  medium: 38_400,
  high: 76_800,
}

/** How many tokens an answer can have beyond `maxOutputTokens`, because an effort was asked for. */
export function thinkingBeside(model: string, { reasoningEffort }: ModelSettings): number {
  if (reasoningEffort === undefined || parseModelName(model).provider !== 'anthropic') return 0
  return BESIDE_THE_CAP[reasoningEffort]
}
