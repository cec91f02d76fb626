import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { forEachDatabase } from '../../../../test/support/database.ts'
import { isAppError } from '../../../base/errors.ts'
import { newId } from '../../../base/ids.ts'
import { PERMISSIONS } from '../../../contract/permission.ts'
import { TOKEN_KINDS as SAID_KINDS } from '../../../contract/price.ts'
import type { Principal } from '../../../contract/principal.ts'
import { listAudit } from '../../../events/audit-log.ts'
import { insertTenant } from '../../../identity/tenant-store.ts'
import type { Database } from '../../../storage/database.ts'
import { TOKEN_KINDS } from '../price.ts'
import { createPriceBook } from '../price-book.ts'
import { rate } from '../rating.ts'
import { OWN_PRICES_MAX } from './own-price.ts'
import { insertOwnPrice } from './own-price-store.ts'
import { createOwnPrices, type OwnPrices, type SetPriceInput } from './own-prices.ts'
import { createPricesOf } from './prices-of.ts'

const NOW = Date.parse('2026-11-22T12:00:00.000Z')
const DAY = 86_400_000
const CONTEXT = { requestId: 'req' }
const BOOK = createPriceBook({
  models: [
    {
      provider: 'openai',
      model: 'm',
      aliases: ['m-2026'],
      source: 'x',
      prices: [{ effectiveFrom: null, input: '1000000', output: '2000000' }],
    },
  ],
})
const FLAT = { input: '0.5', output: '1.25' }
const MODEL: SetPriceInput = { subject: 'openai/m', amounts: FLAT }

forEachDatabase((_, open) => {
  describe('own prices', () => {
    let db: Database
    let now = NOW
    let elapsed = 0
    let ada: Principal
    let bo: Principal
    let prices: OwnPrices
    before(async () => {
      db = await open()
      ada = await somebody(db)
      bo = await somebody(db)
      prices = createOwnPrices({ db, clock: () => now, book: BOOK, elapsed: () => elapsed })
    })
    after(() => db[Symbol.asyncDispose]())
    const code = (wanted: string) => (error: unknown) => isAppError(error) && error.code === wanted
    const faults = async (input: SetPriceInput): Promise<readonly string[]> => {
      const error = await prices.set(ada, input, CONTEXT).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      assert.ok(isAppError(error, 'request.invalid'), String(error))
      return error.errors.map(({ path, message }) => `${path} ${message}`)
    }

    it('hold for their tenant alone, from their time on, for exactly their subject', async () => {
      const cy = await somebody(db)
      const row = await prices.set(cy, { ...MODEL, note: 'Contract 7' }, CONTEXT)
      const own = await prices.pricesOf(cy.tenantId)
      assert.equal(own.find('openai/m', NOW)?.id, row.id)
      assert.equal(own.find('openai/m', NOW)?.base.input, 500_000n)
      assert.equal(own.find('openai/m', NOW - 1)?.base.input, 1_000_000n)
      assert.equal(own.find('openai/m-2026', NOW)?.base.input, 1_000_000n)
      const others = await prices.pricesOf(bo.tenantId)
      assert.equal(others.find('openai/m', NOW)?.base.input, 1_000_000n)
      const counts = { inputTokens: 1_000, cachedInputTokens: 0, cacheWriteTokens: 0 }
      const usage = { ...counts, outputTokens: 100, reasoningTokens: 0 }
      const known = { state: 'known', counts: usage, raw: null } as const
      assert.deepEqual(rate(own, 'openai/m', known, NOW), {
        costState: 'priced',
        costNanos: 625_000n,
        priceId: row.id,
      })
      assert.equal((await prices.list(bo.tenantId, { limit: 9 })).items.length, 0)
      const missing = code('price.not-found')
      await assert.rejects(prices.byId(bo.tenantId, row.id), missing)
      await assert.rejects(prices.withdraw(bo, row.id, CONTEXT), missing)
      assert.equal((await prices.pricesOf(cy.tenantId)).find('openai/m', NOW)?.id, row.id)
    })

    it('never change: a new one ends the open one where it begins', async () => {
      const cy = await somebody(db)
      const first = await prices.set(cy, { ...MODEL, effectiveFrom: NOW - 9 * DAY }, CONTEXT)
      const second = await prices.set(cy, { ...MODEL, amounts: { input: '3', output: '4' } }, CONTEXT)
      const ended = await prices.byId(cy.tenantId, first.id)
      assert.deepEqual([ended.effectiveUntil, ended.amounts], [second.effectiveFrom, first.amounts])
      const own = await prices.pricesOf(cy.tenantId)
      assert.equal(own.find('openai/m', NOW - 1)?.id, first.id)
      assert.equal(own.find('openai/m', NOW)?.id, second.id)
      const { items } = await listAudit(db, cy.tenantId, { limit: 9 })
      assert.deepEqual(
        items.map(({ type, subject, data }) => [type, subject, Object(data).ended]),
        [
          ['price.set', second.id, { id: first.id, amounts: FLAT }],
          ['price.set', first.id, undefined],
        ],
      )
    })

    it('never overlap, also where many are set at once', async () => {
      const cy = await somebody(db)
      const set = (from: number, until?: number) =>
        prices.set(cy, { ...MODEL, effectiveFrom: NOW + from * DAY, effectiveUntil: until }, CONTEXT)
      await set(0, NOW + 2 * DAY)
      await set(4)
      const refused: readonly (readonly [number, number?])[] = [
        [0],
        [1],
        [1, NOW + 3 * DAY],
        [3, NOW + 5 * DAY],
        [4],
        [3],
      ]
      for (const [from, until] of refused) await assert.rejects(set(from, until), code('price.overlap'))
      await set(2, NOW + 4 * DAY)
      // The open one ends, whatever comes at its time or after it.
      await set(6, NOW + 7 * DAY)
      const dee = await somebody(db)
      const asked = [1, 1, 1].map((days) =>
        prices.set(dee, { ...MODEL, effectiveFrom: NOW + days * DAY }, CONTEXT),
      )
      const outcomes = await Promise.allSettled(asked)
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    })

    it('are withdrawn for all times, once, and are kept', async () => {
      const cy = await somebody(db)
      const row = await prices.set(cy, { ...MODEL, effectiveFrom: NOW - DAY }, CONTEXT)
      assert.equal((await prices.get(cy.tenantId, 'openai/m')).source, 'own')
      const gone = await prices.withdraw(cy, row.id, CONTEXT)
      assert.equal(gone.withdrawnAt, NOW)
      now += 1
      assert.deepEqual(await prices.withdraw(cy, row.id, CONTEXT), gone)
      assert.equal((await prices.pricesOf(cy.tenantId)).find('openai/m', NOW)?.base.input, 1_000_000n)
      const holds = await prices.get(cy.tenantId, 'openai/m')
      assert.equal(holds.source, 'book')
      assert.deepEqual((await prices.list(cy.tenantId, { limit: 9 })).items, [gone])
      assert.deepEqual((await prices.list(cy.tenantId, { limit: 9, at: NOW })).items, [])
      const audited = (await listAudit(db, cy.tenantId, { limit: 9 })).items
      assert.deepEqual(
        audited.map(({ type }) => type),
        ['price.withdrawn', 'price.set'],
      )
      // Its time is free again.
      await prices.set(cy, { ...MODEL, effectiveFrom: NOW - DAY }, CONTEXT)
    })

    it('are of tools, compute, storage and bandwidth by their unit', async () => {
      const cy = await somebody(db)
      const subjects = ['tool/web_Search', 'compute/second', 'storage/gb-month', 'bandwidth/gb']
      for (const [at, subject] of subjects.entries())
        await prices.set(cy, { subject, amounts: { price: `0.00000000000${at + 1}` } }, CONTEXT)
      const own = await prices.pricesOf(cy.tenantId)
      assert.deepEqual(
        subjects.map((subject) => own.unitPrice(subject, now)),
        [1n, 2n, 3n, 4n],
      )
      assert.equal(own.unitPrice('tool/web_Search', NOW - DAY), undefined)
      assert.equal(own.unitPrice('tool/other', now), undefined)
      assert.equal((await prices.pricesOf(bo.tenantId)).unitPrice('compute/second', now), undefined)
      await prices.set(cy, { ...MODEL }, CONTEXT)
      assert.equal((await prices.pricesOf(cy.tenantId)).unitPrice('openai/m', now), undefined)
    })

    it('say what is wrong, field by field', async () => {
      const big = '1000000'
      assert.deepEqual(await faults({ subject: 'openai/m', amounts: { input: '-1', output: '0.0000001' } }), [
        '/amounts/input must not be negative',
        '/amounts/output has more decimals than are kept exactly: at most 6 in USD per million tokens',
      ])
      assert.deepEqual(
        await faults({ subject: 'openai/m', amounts: { input: '1e3', cachedInput: big, price: '1' } }),
        [
          '/amounts/price is not for a model; give "input" and "output"',
          '/amounts/input must be a decimal text of USD, for example "1.25"',
          '/amounts/cached_input must be below 1000000 USD per million tokens',
          '/amounts/output is missing',
        ],
      )
      const tiers = [
        { aboveTokens: 200, ...FLAT },
        { aboveTokens: 100, input: '-2', output: '1' },
      ]
      assert.deepEqual(await faults({ subject: 'openai/m', amounts: { ...FLAT, tiers } }), [
        '/amounts/tiers/1/input must not be negative',
        '/amounts/tiers/1/above_tokens must be more than 200: tiers rise',
      ])
      const conditions = { batch: { input: 'x', output: '1' } }
      assert.deepEqual(await faults({ subject: 'openai/m', amounts: { ...FLAT, conditions } }), [
        '/amounts/conditions/batch/input must be a decimal text of USD, for example "1.25"',
      ])
      assert.deepEqual(await faults({ subject: 'compute/second', amounts: FLAT }), [
        '/amounts/input is for models only; give "price"',
        '/amounts/output is for models only; give "price"',
        '/amounts/price is missing: USD for one unit',
      ])
      const price = { price: '1' }
      const subjects = [
        ['compute/hour', '/subject has a unit that is not known; of compute there is "compute/second"'],
        ['storage/gb', '/subject has a unit that is not known; of storage there is "storage/gb-month"'],
        ['tool/a b', '/subject must be "tool/" and the name of a tool'],
        [
          'gpt',
          '/subject must be a model ("provider/model"), "tool/<name>" or one of compute/second, storage/gb-month, bandwidth/gb',
        ],
      ] as const
      for (const [subject, told] of subjects)
        assert.deepEqual(await faults({ subject, amounts: price }), [told])
      assert.deepEqual(await faults({ ...MODEL, effectiveFrom: NOW, effectiveUntil: NOW }), [
        '/effective_until must be after effective_from',
      ])
    })

    it('count at once where they were set, and elsewhere within a second', async () => {
      const cy = await somebody(db)
      const elsewhere = createOwnPrices({ db, clock: () => now, book: BOOK, elapsed: () => elapsed })
      const inputOf = async (from: OwnPrices) =>
        (await from.pricesOf(cy.tenantId)).find('openai/m', now)?.base.input
      // Asked for before the change, answered after it: not kept.
      const before = prices.pricesOf(cy.tenantId)
      assert.equal(await inputOf(elsewhere), 1_000_000n)
      await prices.set(cy, MODEL, CONTEXT)
      await before
      assert.equal(await inputOf(prices), 500_000n)
      assert.equal(await inputOf(elsewhere), 1_000_000n)
      elapsed += 900
      assert.equal(await inputOf(elsewhere), 500_000n)
    })

    it('asked for before a change are not kept after it, however late they come', async () => {
      const cy = await somebody(db)
      const late = Promise.withResolvers<void>()
      const gates = [late.promise]
      const slow: Database = {
        ...db,
        tenant: (id) => ({
          ...db.tenant(id),
          read: async (work) => {
            const found = await db.tenant(id).read(work)
            await gates.shift()
            return found
          },
        }),
      }
      const pricesOf = createPricesOf({ db: slow, book: BOOK, elapsed: () => elapsed })
      const inputNow = async () => (await pricesOf.of(cy.tenantId)).find('openai/m', now)?.base.input
      const before = pricesOf.of(cy.tenantId)
      while (gates.length > 0) await setImmediate()
      await prices.set(cy, MODEL, CONTEXT)
      pricesOf.forget(cy.tenantId)
      assert.equal(await inputNow(), 500_000n)
      late.resolve()
      assert.equal((await before).find('openai/m', now)?.base.input, 1_000_000n)
      assert.equal(await inputNow(), 500_000n)
    })

    it('are so many and no more; withdrawn ones do not count', async () => {
      const cy = await somebody(db)
      const row = await prices.set(cy, { subject: 'tool/t0', amounts: { price: '1' } }, CONTEXT)
      const others = Array.from({ length: OWN_PRICES_MAX - 1 }, (_, at) => ({
        ...row,
        tenantId: cy.tenantId,
        id: newId('price'),
        subject: `tool/t${at + 1}`,
      }))
      await db.tenant(cy.tenantId).write(async (tx) => {
        for (const other of others) await tx.run(insertOwnPrice, other)
      })
      await assert.rejects(prices.set(cy, MODEL, CONTEXT), /2000 prices already/)
      await prices.withdraw(cy, row.id, CONTEXT)
      await prices.set(cy, MODEL, CONTEXT)
    })

    it('keep tiers, conditions and media as they were said', async () => {
      const cy = await somebody(db)
      const amounts = {
        input: '1.25',
        cachedInput: '0.125',
        output: '10',
        audioInput: '40',
        tiers: [{ aboveTokens: 200_000, input: '2.5', cachedInput: '0.25', output: '15', audioInput: '40' }],
        conditions: { batch: { input: '0.625', output: '5' } },
      }
      await prices.set(cy, { subject: 'local/m', amounts }, CONTEXT)
      const found = (await prices.pricesOf(cy.tenantId)).find('local/m', now)
      assert.equal(found?.tiers[0]?.prices.input, 2_500_000n)
      assert.equal(found?.conditions.get('batch')?.base.output, 5_000_000n)
      const { items } = await listAudit(db, cy.tenantId, { limit: 1 })
      assert.deepEqual(Object(items[0]?.data).amounts, amounts)
    })
  })
})

it('the kinds of tokens of the contract are those that are rated', () => {
  assert.deepEqual(SAID_KINDS, TOKEN_KINDS)
})

async function somebody(db: Database): Promise<Principal> {
  const tenantId = newId('tenant')
  const row = { id: tenantId, name: 'T', status: 'active', capturePolicy: 'full' } as const
  await db.system.write((tx) =>
    tx.run(insertTenant, { ...row, maxConcurrentJobs: null, createdAt: NOW, updatedAt: NOW }),
  )
  return {
    tenantId,
    userId: newId('user'),
    kind: 'human',
    apiKeyId: undefined,
    role: 'ADMIN',
    permissions: new Set(PERMISSIONS),
    operator: false,
  }
}
