import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../../test/support/database.ts'
import { type Factory, openFactory } from '../../../../test/support/factory.ts'
import { isAppError } from '../../../base/errors.ts'
import { newId } from '../../../base/ids.ts'
import { listAudit } from '../../../events/audit-log.ts'
import { createScriptedModel } from '../../../models/scripted/scripted-model.ts'
import type { Database } from '../../../storage/database.ts'

const CONTEXT = { requestId: undefined }
const MODEL = 'scripted/test'

async function priced(factory: Factory): Promise<void> {
  const amounts = { input: '2', output: '10' }
  const effectiveFrom = Date.parse('2026-01-01T00:00:00.000Z')
  await factory.money.prices.set(factory.admin, { subject: MODEL, amounts, effectiveFrom }, CONTEXT)
}

/** What each of the three places says that a run cost. */
async function costsIn(db: Database, tenantId: Factory['tenantId']) {
  return db.tenant(tenantId).read(async (reader) => ({
    usage: await reader.query((builder, tenant) =>
      builder
        .selectFrom('usageRecords')
        .select(['costState', 'costNanos'])
        .where('tenantId', '=', tenant)
        .where('kind', '=', 'model_call')
        .orderBy('id'),
    ),
    calls: await reader.query((builder, tenant) =>
      builder
        .selectFrom('modelCalls')
        .select(['costState', 'costNanos'])
        .where('tenantId', '=', tenant)
        .orderBy('id'),
    ),
    runs: await reader.query((builder, tenant) =>
      builder
        .selectFrom('runs')
        .select(['costNanos', 'unpricedCount'])
        .where('tenantId', '=', tenant)
        .orderBy('id'),
    ),
  }))
}

forEachDatabase((_, open) => {
  describe('re-rating', () => {
    it('says the same in the usage record, the prompt log and the run, and changes nothing the second time', async () => {
      const model = createScriptedModel('scripted', () => ({
        text: 'Hello.',
        usage: { inputTokens: 1_001, outputTokens: 7 },
      }))
      await using factory = await openFactory({ db: await open(), models: [model] })
      await factory.agent({ name: 'guide' })
      await factory.run('guide', 'Hi.')
      await factory.run('guide', 'Ho.')
      const { costs } = factory.money
      const now = Date.now()
      const range = { from: now - 86_400_000, to: now + 60_000, reason: 'The contract came late.' }
      const before = await costsIn(factory.db, factory.tenantId)
      assert.deepEqual(before.usage[0], { costState: 'unpriced', costNanos: null })
      assert.deepEqual(before.runs[0], { costNanos: 0n, unpricedCount: 1 })

      await priced(factory)
      const dry = await costs.dryRerate(factory.admin, range)
      assert.deepEqual(
        [dry.row.id, dry.row.records, dry.row.changed, dry.row.beforeNanos, dry.row.afterNanos],
        // Twice 1,001 × 2,000 + 7 × 10,000.
        [undefined, 2, 2, 0n, 4_144_000n],
      )
      assert.deepEqual(await costsIn(factory.db, factory.tenantId), before)

      const done = await costs.rerate(factory.admin, range, CONTEXT)
      assert.deepEqual({ ...done.row, id: undefined, createdAt: 0 }, { ...dry.row, createdAt: 0 })
      const after = await costsIn(factory.db, factory.tenantId)
      for (const row of [...after.usage, ...after.calls])
        assert.deepEqual(row, { costState: 'priced', costNanos: 2_072_000n })
      for (const row of after.runs) assert.deepEqual(row, { costNanos: 2_072_000n, unpricedCount: 0 })
      const { total } = await costs.of(factory.tenantId, 'agent', 'guide', {})
      assert.deepEqual([total.costNanos, total.unpricedCalls], [4_144_000n, 0])

      const again = await costs.rerate(factory.admin, range, CONTEXT)
      assert.deepEqual([again.row.records, again.row.changed], [2, 0])
      assert.deepEqual(await costsIn(factory.db, factory.tenantId), after)

      const kept = await costs.getRerate(factory.tenantId, done.row.id ?? newId('rerate'))
      assert.deepEqual([kept.row.changed, kept.row.afterNanos], [2, 4_144_000n])
      assert.deepEqual(
        kept.byModel.map(({ model, changed, afterNanos }) => [model, changed, afterNanos]),
        [[MODEL, 2, 4_144_000n]],
      )
      const { items } = await listAudit(factory.db, factory.tenantId, { limit: 50 })
      assert.equal(items.filter(({ type }) => type === 'usage.rerated').length, 2)
    })

    it('two at a time rate each record once', async () => {
      const model = createScriptedModel('scripted', () => ({ text: 'Hello.', usage: { inputTokens: 5 } }))
      await using factory = await openFactory({ db: await open(), models: [model] })
      await factory.agent({ name: 'guide' })
      await factory.run('guide', 'Hi.')
      await priced(factory)
      const { costs } = factory.money
      const range = { from: Date.now() - 86_400_000, to: Date.now() + 60_000, reason: 'Twice.' }
      const both = await Promise.all([1, 2].map(() => costs.rerate(factory.admin, range, CONTEXT)))
      assert.equal(
        both.reduce((sum, { row }) => sum + row.changed, 0),
        1,
      )
      const { runs } = await costsIn(factory.db, factory.tenantId)
      assert.deepEqual(runs[0], { costNanos: 10_000n, unpricedCount: 0 })
    })

    it('refuses a time that is none, and knows only what is the tenant’s', async () => {
      await using factory = await openFactory({ db: await open(), working: false })
      const { costs } = factory.money
      for (const [from, to] of [
        [2, 2],
        [0, 500 * 86_400_000],
      ] as const) {
        const refused = costs.dryRerate(factory.admin, { from, to, reason: 'x' })
        await assert.rejects(refused, (error) => isAppError(error, 'request.invalid'))
      }
      const made = await costs.rerate(factory.admin, { from: 0, to: 1, reason: 'x' }, CONTEXT)
      const foreign = costs.getRerate(newId('tenant'), made.row.id ?? newId('rerate'))
      await assert.rejects(foreign, (error) => isAppError(error, 'rerate.not-found'))
    })
  })
})
