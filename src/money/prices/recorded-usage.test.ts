import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ModelUsage } from '../../contract/usage.ts'
import { ZERO_COUNTS } from '../../contract/usage.ts'
import { usageFromRecord } from './recorded-usage.ts'

describe('usage from a record', () => {
  it('is what was recorded', () => {
    const counts = { ...ZERO_COUNTS, inputTokens: 5, outputTokens: 3, reasoningTokens: 2 }
    const usages: readonly ModelUsage[] = [
      { state: 'known', counts, raw: { service_tier: 'flex', prompt_tokens: 5 } },
      { state: 'missing', raw: { input_tokens: 25, output_tokens: 1 } },
      { state: 'missing', raw: null },
      { state: 'none' },
    ]
    for (const usage of usages) {
      const record = {
        id: 'use_x',
        ...(usage.state === 'known' ? usage.counts : ZERO_COUNTS),
        usageState: usage.state,
        rawUsage: JSON.stringify(usage.state === 'none' ? null : usage.raw),
      }
      assert.deepEqual(usageFromRecord(record), usage)
    }
  })
})
