// The usage of a record, as it was rated: what a re-rating begins with. Pure.

import type { Json } from '../../base/json.ts'
import type { ModelUsage, TokenCounts } from '../../contract/usage.ts'

/** What a usage record keeps of the usage of its model call. */
export interface RecordedUsage extends TokenCounts {
  readonly usageState: ModelUsage['state']
  /** JSON, as the provider sent it. */
  readonly rawUsage: string
}

/**
 * The usage of a model call from its record: `rate` answers for it what it answered when the record was written, and where
 * prices were put right since, what it should have. Media, cache lifetimes and conditions are read from the raw usage.
 */
export function usageFromRecord(record: RecordedUsage): ModelUsage {
  if (record.usageState === 'none') return { state: 'none' }
  const raw = JSON.parse(record.rawUsage) as Json
  if (record.usageState === 'missing') return { state: 'missing', raw }
  const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens } = record
  const counts = { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens }
  return { state: 'known', counts, raw }
}
