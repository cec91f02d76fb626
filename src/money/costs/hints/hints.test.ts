import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../../test/support/database.ts'
import { openFactory } from '../../../../test/support/factory.ts'
import { newId } from '../../../base/ids.ts'
import { createScriptedModel } from '../../../models/scripted/scripted-model.ts'

const CONTEXT = { requestId: undefined }
const AMOUNTS = { input: '2', cachedInput: '0.2', output: '10' }

forEachDatabase((_, open) => {
  describe('hints', () => {
    it('show unused caching, tools that nobody calls and failures that cost money, each with its saving', async () => {
      let failing = false
      const model = createScriptedModel('scripted', () =>
        failing
          ? {
              failure: { kind: 'bad_request', message: 'No.' },
              usage: {
                state: 'known',
                counts: {
                  inputTokens: 500,
                  cachedInputTokens: 0,
                  cacheWriteTokens: 0,
                  outputTokens: 0,
                  reasoningTokens: 0,
                },
                raw: null,
              },
            }
          : { text: 'Hello.', usage: { inputTokens: 4_000 } },
      )
      await using factory = await openFactory({ db: await open(), models: [model] })
      const effectiveFrom = Date.parse('2026-01-01T00:00:00.000Z')
      await factory.money.prices.set(
        factory.admin,
        { subject: 'scripted/test', amounts: AMOUNTS, effectiveFrom },
        CONTEXT,
      )
      await factory.tool({
        name: 'refund',
        description: 'Pays back. '.repeat(200),
        effect: 'once',
        implementation: { type: 'http', method: 'POST', baseUrl: 'https://example.com', path: '/' },
      } as never)
      await factory.agent({ name: 'guide', instructions: 'Be kind. '.repeat(600), tools: ['refund'] })
      for (let n = 0; n < 6; n++) await factory.run('guide', 'Hi.')
      failing = true
      await factory.run('guide', 'Hi.')
      const range = { from: Date.now() - 86_400_000, to: Date.now() + 60_000 }
      const hints = await factory.money.costs.hints(factory.tenantId, range)
      const byKind = new Map(hints.map((hint) => [hint.kind, hint]))
      assert.deepEqual([...byKind.keys()].sort(), ['caching-unused', 'failed-attempts', 'oversize-prompt'])
      const caching = byKind.get('caching-unused')
      assert.ok(caching && caching.modelCalls === 7 && caching.modelCallIds.length === 2)
      // Six repetitions of the head, each 1,800 nano-USD a token cheaper from a cache; writes cost what input costs.
      assert.equal(caching.savingNanos, 6n * 1_800n * BigInt(caching.tokens / 7))
      assert.deepEqual(byKind.get('oversize-prompt')?.names, ['refund'])
      assert.equal(byKind.get('failed-attempts')?.savingNanos, 1_000_000n)
      assert.deepEqual(await factory.money.costs.hints(newId('tenant'), range), [])
    })
  })
})
