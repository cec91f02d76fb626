import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { type ModelCallId, newId, type RunId } from '../../base/ids.ts'
import type { Dimensions } from '../../contract/money.ts'
import type { ModelUsage } from '../../contract/usage.ts'
import { priceBook } from '../prices/price-book.ts'
import { rate } from '../prices/rating.ts'
import { insertUsage, usageOfRun, usageRecordId } from './usage-store.ts'

const AT = Date.parse('2026-11-22T12:00:00.000Z')

describe('usageRecordId', () => {
  it('is derived from the model call, and from nothing else', () => {
    assert.equal(
      usageRecordId('mdc_01kavx3y5r0000000000000000' as ModelCallId),
      'use_01kavx3y5r0000000000000000',
    )
    const call = newId('modelCall')
    assert.equal(usageRecordId(call), usageRecordId(call))
    for (const wrong of ['', 'mdc_', newId('run'), `${call}x`, 'mdc_IIIIIIIIIIIIIIIIIIIIIIIIII']) {
      assert.throws(() => usageRecordId(wrong as ModelCallId), Error)
    }
  })
})

forEachDatabase((_, open) => {
  describe('usage records', () => {
    it('keep what the provider sent and the price that was applied', async () => {
      await using db = await open()
      const tenant = db.tenant(newId('tenant'))
      const runId = newId('run')
      const usages: readonly [string, ModelUsage][] = [
        ['openai/gpt-4.1', known(1_000_000_000)],
        ['openai/gpt-99', known(7)],
        ['openai/gpt-4.1', { state: 'missing', raw: { odd: true } }],
        ['openai/gpt-4.1', { state: 'none' }],
        ['offline/extractive', known(7)],
      ]
      for (const [model, usage] of usages) {
        const fact = {
          modelCallId: newId('modelCall'),
          of: of(runId),
          acceptedAt: AT,
          replay: false,
          model,
          usage,
          at: AT,
        }
        const rating = rate(priceBook(), model, usage, AT)
        assert.equal(await tenant.write((tx) => insertUsage(tx, { ...fact, rating })), true)
      }
      const records = await tenant.read((reader) => usageOfRun(reader, runId))
      assert.deepEqual(
        records.map((r) => [
          r.usageState,
          r.inputTokens,
          r.costState,
          r.costNanos,
          r.priceId?.split('@')[0] ?? null,
          r.rawUsage,
        ]),
        [
          // 1,000,000,000 × 2,000.
          ['known', 1_000_000_000, 'priced', 2_000_000_000_000n, 'openai/gpt-4.1', '{"n":1}'],
          ['known', 7, 'unpriced', null, null, '{"n":1}'],
          ['missing', 0, 'usage_missing', null, null, '{"odd":true}'],
          ['none', 0, 'priced', 0n, null, 'null'],
          ['known', 7, 'priced', 0n, 'offline/extractive', '{"n":1}'],
        ],
      )
    })

    it('are one per model call, for ever: the first stays', async () => {
      await using db = await open()
      const tenant = db.tenant(newId('tenant'))
      const runId = newId('run')
      const fact = {
        modelCallId: newId('modelCall'),
        of: of(runId),
        acceptedAt: AT,
        replay: false,
        model: 'offline/extractive',
        at: AT,
      }
      const write = (tokens: number) => {
        const usage = known(tokens)
        return tenant.write((tx) =>
          insertUsage(tx, { ...fact, usage, rating: rate(priceBook(), fact.model, usage, AT) }),
        )
      }
      assert.deepEqual([await write(5), await write(5), await write(6)], [true, false, false])
      const [record, ...rest] = await tenant.read((reader) => usageOfRun(reader, runId))
      assert.deepEqual([record?.inputTokens, rest], [5, []])
    })

    it('are seen by their tenant only, even where another one has the same ids', async () => {
      await using db = await open()
      const mine = db.tenant(newId('tenant'))
      const theirs = db.tenant(newId('tenant'))
      const runId = newId('run')
      const usage = known(1)
      const fact = {
        modelCallId: newId('modelCall'),
        of: of(runId),
        acceptedAt: AT,
        replay: false,
        model: 'm/n',
        usage,
        at: AT,
      }
      const rating = rate(priceBook(), 'm/n', usage, AT)
      assert.equal(await mine.write((tx) => insertUsage(tx, { ...fact, rating })), true)
      assert.deepEqual(await theirs.read((reader) => usageOfRun(reader, runId)), [])
      assert.equal(await theirs.write((tx) => insertUsage(tx, { ...fact, rating })), true)
      assert.equal((await mine.read((reader) => usageOfRun(reader, runId))).length, 1)
    })
  })
})

function known(inputTokens: number): ModelUsage {
  const counts = {
    inputTokens,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
  }
  return { state: 'known', counts, raw: { n: 1 } }
}

function of(runId: RunId): Dimensions {
  const none = { workflowId: null, userId: null, apiKeyId: null, projectId: null }
  return { ...none, runId, agentId: 'agt_1' }
}
