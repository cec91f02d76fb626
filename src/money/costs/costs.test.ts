import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { type Factory, openFactory } from '../../../test/support/factory.ts'
import { isAppError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import type { CostInput } from '../../contract/cost.ts'
import type { ModelUsage } from '../../contract/usage.ts'
import { listAudit } from '../../events/audit-log.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import { priceBook } from '../prices/price-book.ts'
import { rate } from '../prices/rating.ts'
import { insertUsage } from '../usage/usage-store.ts'
import { NOBODY } from './entities.ts'

const NOW = Date.parse('2026-11-22T12:00:00.000Z')
const CONTEXT = { requestId: undefined }

function told(over: Partial<CostInput> = {}): CostInput {
  return { type: 'STORAGE', amountUsd: '0.5', ...over }
}

async function used(
  factory: Factory,
  {
    model = 'openai/gpt-4.1',
    usage,
    at = NOW,
    replay = false,
    tenantId = factory.tenantId,
  }: {
    readonly model?: string
    readonly usage: ModelUsage
    readonly at?: number
    readonly replay?: boolean
    readonly tenantId?: Factory['tenantId']
  },
): Promise<void> {
  const rating = rate(priceBook(), model, usage, at)
  await factory.db.tenant(tenantId).write((tx) =>
    insertUsage(tx, {
      modelCallId: newId('modelCall'),
      of: NOBODY,
      model,
      usage,
      rating,
      replay,
      at,
      acceptedAt: at,
    }),
  )
}

const known = (inputTokens: number, outputTokens = 0): ModelUsage => ({
  state: 'known',
  counts: { inputTokens, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens, reasoningTokens: 0 },
  raw: null,
})

forEachDatabase((_, open) => {
  const factoryOf = async () => openFactory({ db: await open(), clock: () => NOW, working: false })

  describe('costs that are told', () => {
    it('count once for each external id; with another amount they are refused', async () => {
      await using factory = await factoryOf()
      const { costs } = factory.money
      const [first] = await costs.record(factory.admin, [told({ externalId: 'bill-1' })], CONTEXT)
      const [again] = await costs.record(factory.admin, [told({ externalId: 'bill-1' })], CONTEXT)
      assert.equal(again?.id, first?.id)
      const other = costs.record(
        factory.admin,
        [told(), told({ externalId: 'bill-1', amountUsd: '0.51' })],
        CONTEXT,
      )
      await assert.rejects(other, (error) => isAppError(error, 'idempotency.key-reused'))
      const { total } = await costs.of(factory.tenantId, 'tenant', factory.tenantId, {})
      assert.deepEqual([total.costNanos, total.otherEntries], [500_000_000n, 1])
      const { items } = await listAudit(factory.db, factory.tenantId, { limit: 50 })
      assert.equal(items.filter(({ type }) => type === 'cost.recorded').length, 1)
    })

    it('charge the budgets that they belong to, once', async () => {
      await using factory = await factoryOf()
      const { costs, budgets } = factory.money
      const made = await budgets.create(
        factory.admin,
        {
          name: 'all',
          scope: { type: 'tenant' },
          mode: 'hard',
          limitUsd: '1',
          period: 'month',
        } as never,
        CONTEXT,
      )
      for (let n = 0; n < 2; n++)
        await costs.record(
          factory.admin,
          [told({ externalId: 'a' }), told({ externalId: 'b', amountUsd: '0.7' })],
          CONTEXT,
        )
      const [period] = await factory.db
        .tenant(factory.tenantId)
        .read((reader) =>
          reader.query((db, tenantId) =>
            db.selectFrom('budgetPeriods').selectAll().where('tenantId', '=', tenantId),
          ),
        )
      assert.ok(made)
      // Above the limit: the money is spent.
      assert.equal(period?.settledNanos, 1_200_000_000n)
    })

    it('are of this time, and of what is there', async () => {
      await using factory = await factoryOf()
      const { costs } = factory.money
      const wrong: readonly [Partial<CostInput>, string][] = [
        [{ occurredAt: '2026-11-22T12:06:00.000Z' }, 'request.invalid'],
        [{ occurredAt: '2025-01-01T00:00:00.000Z' }, 'request.invalid'],
        [{ amountUsd: '-1' }, 'request.invalid'],
        [{ amountUsd: '1e3' }, 'request.invalid'],
        [{ agent: 'nobody' }, 'agent.not-found'],
        [{ workflow: 'nothing' }, 'workflow.not-found'],
        [{ project: 'none' }, 'project.not-found'],
        [{ runId: newId('run') }, 'run.not-found'],
        [{ userId: newId('user') }, 'request.invalid'],
      ]
      for (const [over, code] of wrong) {
        const refused = costs.record(factory.admin, [told(), told(over)], CONTEXT)
        await assert.rejects(refused, (error) => isAppError(error, code as never), JSON.stringify(over))
      }
      const { total } = await costs.of(factory.tenantId, 'tenant', factory.tenantId, {})
      assert.equal(total.otherEntries, 0)
    })

    it('take whose they are from their run', async () => {
      const model = createScriptedModel('scripted', () => ({ text: 'Hello.' }))
      await using factory = await openFactory({ db: await open(), models: [model] })
      await factory.agent({ name: 'guide' })
      const run = await factory.run('guide', 'Hi.')
      const [row] = await factory.money.costs.record(factory.admin, [told({ runId: run.id })], CONTEXT)
      assert.deepEqual([row?.runId, row?.userId], [run.id, factory.admin.userId])
      for (const [type, id] of [
        ['run', run.id],
        ['agent', 'guide'],
        ['user', factory.admin.userId],
      ] as const) {
        const { total } = await factory.money.costs.of(factory.tenantId, type, id, {})
        assert.equal(total.costNanos, 500_000_000n, type)
        assert.deepEqual([total.modelCalls, total.unpricedCalls], [1, 1], type)
      }
    })
  })

  describe('sums of costs', () => {
    it('are exact beyond 64 bits, and keep what has no amount and replays apart', async () => {
      await using factory = await factoryOf()
      const { costs } = factory.money
      for (let n = 0; n < 12; n++) await used(factory, { usage: known(999_999_999, 999_999_999) })
      await used(factory, { model: 'nobody/new', usage: known(7) })
      await used(factory, { usage: { state: 'missing', raw: null } })
      await used(factory, { usage: known(1_000), replay: true })
      const told = await costs.of(factory.tenantId, 'tenant', factory.tenantId, { groupBy: 'model' })
      // 999,999,999 × (2,000 + 8,000) nano-USD each.
      assert.equal(told.total.costNanos, 12n * 999_999_999n * 10_000n)
      assert.deepEqual(
        [told.total.modelCalls, told.total.unpricedCalls, told.total.usageMissingCalls],
        [14, 1, 1],
      )
      assert.deepEqual([told.replays.modelCalls, told.replays.costNanos], [1, 2_000_000n])
      assert.deepEqual(
        told.groups.map(({ key, sum }) => [key, sum.modelCalls, sum.unpricedCalls]),
        [
          ['openai/gpt-4.1', 13, 0],
          ['nobody/new', 1, 1],
        ],
      )
    })

    it('are by the days and months of a time zone, over a change of its clock', async () => {
      await using factory = await factoryOf()
      const { costs } = factory.money
      // In Berlin 25 October 2026 has 25 hours: from 22:00 UTC the day before until 23:00 UTC.
      for (const time of [
        '2026-10-24T21:59:59.999Z',
        '2026-10-24T22:00:00.000Z',
        '2026-10-25T22:59:59.999Z',
        '2026-10-25T23:00:00.000Z',
        '2026-10-31T22:59:59.999Z',
        '2026-10-31T23:00:00.000Z',
      ])
        await used(factory, { usage: known(1_000), at: Date.parse(time) })
      const range = {
        from: Date.parse('2026-10-01T00:00:00.000Z'),
        to: Date.parse('2026-11-02T00:00:00.000Z'),
        timeZone: 'Europe/Berlin',
      }
      const days = await costs.of(factory.tenantId, 'tenant', factory.tenantId, { ...range, groupBy: 'day' })
      const counted = days.groups.filter(({ sum }) => sum.modelCalls > 0)
      assert.deepEqual(
        counted.map(({ key, sum }) => [key, sum.modelCalls]),
        [
          ['2026-10-24', 1],
          ['2026-10-25', 2],
          ['2026-10-26', 1],
          ['2026-10-31', 1],
          ['2026-11-01', 1],
        ],
      )
      const sunday = days.groups.find(({ key }) => key === '2026-10-25')?.period
      assert.equal((sunday?.until ?? 0) - (sunday?.from ?? 0), 25 * 3_600_000)
      const months = await costs.of(factory.tenantId, 'tenant', factory.tenantId, {
        ...range,
        groupBy: 'month',
      })
      assert.deepEqual(
        months.groups.map(({ key, sum }) => [key, sum.modelCalls]),
        [
          ['2026-10', 5],
          ['2026-11', 1],
        ],
      )
      const october = await costs.report(factory.tenantId, '2026-10', 'Europe/Berlin')
      assert.equal(october.total.modelCalls, 5)
      assert.equal(october.from, Date.parse('2026-09-30T22:00:00.000Z'))
    })

    it('are of one tenant', async () => {
      await using factory = await factoryOf()
      const other = newId('tenant')
      await used(factory, { usage: known(3) })
      await used(factory, { usage: known(5), tenantId: other })
      const { total } = await factory.money.costs.of(factory.tenantId, 'tenant', factory.tenantId, {})
      assert.equal(total.costNanos, 6_000n)
      const foreign = factory.money.costs.of(factory.tenantId, 'tenant', other, {})
      await assert.rejects(foreign, (error) => isAppError(error, 'tenant.not-found'))
    })

    it('refuse what is no time', async () => {
      await using factory = await factoryOf()
      const of = (query: object) =>
        factory.money.costs.of(factory.tenantId, 'tenant', factory.tenantId, query)
      for (const query of [
        { timeZone: 'Europe/Atlantis' },
        { timeZone: '+01:00' },
        { from: 2, to: 1 },
        { from: 0, to: NOW, groupBy: 'day' },
      ])
        await assert.rejects(
          of(query),
          (error) => isAppError(error, 'request.invalid'),
          JSON.stringify(query),
        )
    })
  })

  describe('the list of costs', () => {
    it('is one list, newest first, without gap or repetition', async () => {
      await using factory = await factoryOf()
      const { costs } = factory.money
      for (let n = 0; n < 4; n++) {
        await used(factory, { usage: known(1 + n), at: NOW - n })
        await costs.record(factory.admin, [told({ occurredAt: new Date(NOW - n).toISOString() })], CONTEXT)
      }
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await costs.list(factory.tenantId, { limit: 3, cursor })
        seen.push(...page.items.map(({ row }) => `${NOW - row.occurredAt}${row.id.slice(0, 3)}`))
        cursor = page.nextCursor
      } while (cursor !== undefined)
      assert.deepEqual(seen, ['0use', '0cst', '1use', '1cst', '2use', '2cst', '3use', '3cst'])
    })
  })
})
