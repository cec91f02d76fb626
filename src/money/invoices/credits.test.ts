// Credits and numbers hold whatever is finalised, voided and drafted anew at the same time; amounts that no column holds
// are refused when they are given.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openBilling } from '../../../test/support/billing.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { isAppError } from '../../base/errors.ts'
import type { InvoiceId } from '../../base/ids.ts'
import { closePeriods } from './closing/close-periods.ts'
import type { ChangeKind } from './create-invoices.ts'

const CONTEXT = { requestId: undefined }
const START = '2026-01-31T00:00:00.000Z'
const DAY_MS = 86_400_000
const KINDS = ['finalise', 'void', 'redraft', 'finalise', 'void'] as const

/** The same numbers for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

forEachDatabase((_, open) => {
  describe('credits of invoices', () => {
    it('are neither lost nor used twice, and numbers have no gap, whatever happens at once', async () => {
      await using db = await open()
      const scene = openBilling(db, START)
      await scene.plan({ key: 'pro', basePrice: '10.00' })
      const { principal, tenantId } = await scene.subscribed('pro')
      const next = numbers(7)
      let credited = 0n
      const given = async (kind: 'credit' | 'adjustment', amount: string): Promise<void> => {
        const item = { kind, amount, description: 'x' } as const
        const { amountMinor } = await scene.invoices.createItem(principal, tenantId, item, CONTEXT)
        credited += kind === 'credit' ? amountMinor : -amountMinor
      }
      const step = async (ids: readonly InvoiceId[]): Promise<void> => {
        const kind: ChangeKind = KINDS[next(KINDS.length)] ?? 'void'
        const id = ids[next(ids.length)] ?? assert.fail()
        await scene.invoices
          .change(principal, { tenantId, id }, { kind, note: null }, CONTEXT)
          .catch((error: unknown) => assert.ok(isAppError(error, 'invoice.state-conflict'), String(error)))
      }
      for (let round = 0; round < 12; round++) {
        scene.set(scene.now() + 31 * DAY_MS)
        await closePeriods(db, scene.now())
        const { items } = await scene.invoices.list(tenantId, { limit: 100 })
        const ids = items.map(({ id }) => id)
        await Promise.all([
          ...Array.from({ length: 6 }, () => step(ids)),
          given('credit', `${1 + next(9)}.0${next(10)}`),
          ...(round % 3 === 0 ? [given('adjustment', `-${5 + next(30)}.00`)] : []),
        ])
      }
      const { items: invoices } = await scene.invoices.list(tenantId, { limit: 100 })
      const { items } = await scene.invoices.listItems(tenantId, { limit: 100 })
      const standing = invoices.filter(({ state }) => state === 'open' || state === 'paid')
      assert.ok(standing.length > 0)
      // What was given and not used is left: what bases came to, less what was asked for, was used.
      let bases = 0n
      for (const { id, totalMinor } of standing) {
        const { lines } = await scene.invoices.get(tenantId, id)
        assert.equal(
          lines.reduce((total, { amountMinor }) => total + amountMinor, 0n),
          totalMinor,
        )
        bases += lines.filter(({ kind }) => kind === 'base').reduce((sum, line) => sum + line.amountMinor, 0n)
        bases -= totalMinor
      }
      const left = items.reduce(
        (sum, { kind, remainingMinor }) => sum + (kind === 'credit' ? remainingMinor : -remainingMinor),
        0n,
      )
      assert.equal(credited - bases, left)
      assert.ok(items.every(({ kind, remainingMinor }) => kind !== 'credit' || remainingMinor >= 0n))
      const taken = invoices.flatMap(({ number }) => (number === null ? [] : [Number(number.slice(4))]))
      assert.deepEqual(
        taken.toSorted((a, b) => a - b),
        taken.map((__, n) => n + 1),
      )
    })

    it('has each plan charge for what was used under it, however short before the end it is changed', async () => {
      await using db = await open()
      const scene = openBilling(db, '2026-01-01T00:00:00.000Z')
      const overage = [{ metric: 'token', model: 'per_unit', unitPrice: '0.01' }] as const
      await scene.plan({ key: 'pro', basePrice: '31.00', included: { token: 3_100 }, overage: [...overage] })
      await scene.plan({ key: 'big', basePrice: '310.00', included: { token: 9_000_000 } })
      await scene.plan({ key: 'free' })
      const { principal, tenantId, subscriptionId } = await scene.subscribed('pro')
      const change = (plan: string) =>
        scene.subscriptions.change(principal, subscriptionId, { plan, when: 'now' }, CONTEXT)
      await scene.use(tenantId, [{ kind: 'token', quantity: 10_000, at: scene.now() + 5, fact: 'a' }])
      scene.set('2026-01-11T00:00:00.000Z')
      await change('big')
      await scene.use(tenantId, [{ kind: 'token', quantity: 50_000, at: scene.now() + 5, fact: 'b' }])
      scene.set('2026-01-21T00:00:00.000Z')
      await change('pro')
      await scene.use(tenantId, [{ kind: 'token', quantity: 20_000, at: scene.now() + 5, fact: 'c' }])
      scene.set('2026-01-31T00:00:00.000Z')
      await change('free')
      await scene.bill('2026-02-01T00:00:00.000Z')
      const { items } = await scene.invoices.list(tenantId, { limit: 10 })
      const lines = await Promise.all(
        items.map(async ({ id }) => (await scene.invoices.get(tenantId, id)).lines),
      )
      const usage = lines
        .flat()
        .filter(({ kind }) => kind === 'usage')
        .toSorted((a, b) => Number(a.fromAt) - Number(b.fromAt))
      // A third of what pro includes, 1,000 of 3,100, for each of its ten days.
      assert.deepEqual(
        usage.map(({ quantity, amountMinor }) => [quantity, amountMinor]),
        [
          [10_000, 9_000n],
          [50_000, 0n],
          [20_000, 19_000n],
        ],
      )
    })

    it('are refused, as prices are, where no invoice could hold them', async () => {
      await using db = await open()
      const scene = openBilling(db, START)
      await scene.plan({ key: 'pro', basePrice: '10.00' })
      const { principal, tenantId } = await scene.subscribed('pro')
      const invalid = (error: unknown): boolean => isAppError(error, 'request.invalid')
      const huge = '99999999999'
      for (const [kind, amount] of [
        ['credit', huge],
        ['adjustment', huge],
        ['adjustment', `-${huge}`],
      ] as const) {
        const item = { kind, amount, description: 'x' } as const
        await assert.rejects(scene.invoices.createItem(principal, tenantId, item, CONTEXT), invalid)
      }
      await assert.rejects(scene.plan({ key: 'huge', basePrice: huge }), invalid)
      const overage = [{ metric: 'token', model: 'per_unit', unitPrice: huge }] as const
      await assert.rejects(scene.plan({ key: 'huge', overage: [...overage] }), invalid)
      await scene.plan({ key: 'dear', basePrice: '1000000.00', perSeat: true })
      const change = scene.subscriptions.change(
        principal,
        (await scene.subscriptions.current(tenantId)).row.id,
        { plan: 'dear', seats: 100_000 },
        CONTEXT,
      )
      await assert.rejects(change, invalid)
    })
  })
})
