import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openBilling } from '../../../test/support/billing.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { isAppError } from '../../base/errors.ts'
import type { CreatePlan } from '../../contract/plan.ts'
import { createPlans } from './plans.ts'
import { SEED_PLANS } from './seeds.ts'

const CONTEXT = { requestId: undefined }
const PLAN: CreatePlan = {
  key: 'team',
  name: 'Team',
  currency: 'USD',
  interval: 'month',
  basePrice: '10.00',
}

forEachDatabase((_name, open) => {
  it('keeps every version, and answers what was written', async () => {
    await using db = await open()
    const { plans, tenant } = openBilling(db, '2026-01-01T00:00:00Z')
    const operator = await tenant()
    const first = await plans.create(operator, { ...PLAN, included: { token: 5 } }, CONTEXT)
    const second = await plans.create(
      operator,
      {
        ...PLAN,
        currency: 'KWD',
        basePrice: '1.005',
        overage: [
          {
            metric: 'token',
            model: 'graduated',
            tiers: [
              { upTo: 10, unitPrice: '0.000000001', flatPrice: '0.250' },
              { upTo: null, unitPrice: '0' },
            ],
          },
        ],
      },
      CONTEXT,
    )
    assert.deepEqual([first.version, second.version], [1, 2])
    assert.equal(second.baseMinor, 1_005n)
    const [token] = second.overage
    assert.ok(token?.model === 'graduated')
    assert.deepEqual(token.tiers[0], { upTo: 10n, unitNanos: 1n, flatNanos: 250_000_000n })
    assert.deepEqual(await plans.get(first.id), first)
    assert.deepEqual(first.included, { token: 5n })
    const page = await plans.list({ limit: 1 })
    assert.deepEqual(
      page.items.map(({ id }) => id),
      [second.id],
    )
    const rest = await plans.list({ limit: 5, cursor: page.nextCursor, key: 'team' })
    assert.deepEqual(
      rest.items.map(({ id }) => id),
      [first.id],
    )
  })

  it('refuses what cannot be charged, and tells every wrong field', async () => {
    await using db = await open()
    const { plans, tenant } = openBilling(db, '2026-01-01T00:00:00Z')
    const operator = await tenant()
    const refusals: readonly [Partial<CreatePlan>, readonly string[]][] = [
      [{ currency: 'XYZ' }, ['/currency']],
      [{ basePrice: '10.001' }, ['/base_price']],
      [{ currency: 'JPY', basePrice: '10.5' }, ['/base_price']],
      [{ basePrice: '-1.00' }, ['/base_price']],
      [
        {
          overage: [
            { metric: 'token', model: 'volume', tiers: [{ upTo: 10, unitPrice: '1' }] },
            {
              metric: 'token',
              model: 'graduated',
              tiers: [
                { upTo: null, unitPrice: '1' },
                { upTo: 5, unitPrice: '1', flatPrice: '0.001' },
                { upTo: 5, unitPrice: '1' },
                { upTo: null, unitPrice: '1.0000000001' },
              ],
            },
          ],
        },
        [
          '/overage/0/tiers/0/up_to',
          '/overage/1/tiers/0/up_to',
          '/overage/1/tiers/2/up_to',
          '/overage/1/tiers/1/flat_price',
          '/overage/1/tiers/3/unit_price',
          '/overage/1/metric',
        ],
      ],
    ]
    for (const [wrong, paths] of refusals) {
      await assert.rejects(plans.create(operator, { ...PLAN, ...wrong }, CONTEXT), (error) => {
        assert.ok(isAppError(error, 'request.invalid'))
        assert.deepEqual(
          error.errors.map(({ path }) => path),
          paths,
        )
        return true
      })
    }
    assert.deepEqual((await plans.list({ limit: 5 })).items, [])
  })

  it('archives a plan in use only where another is offered instead; who has it keeps it', async () => {
    await using db = await open()
    const scene = openBilling(db, '2026-01-01T00:00:00Z')
    const { plans, subscriptions } = scene
    const operator = await scene.tenant()
    const old = await plans.create(operator, PLAN, CONTEXT)
    const other = await plans.create(operator, { ...PLAN, key: 'other', basePrice: '1.00' }, CONTEXT)
    const euro = await plans.create(operator, { ...PLAN, key: 'euro', currency: 'EUR' }, CONTEXT)
    const { tenantId } = await scene.subscribed('team')
    const waiting = await scene.subscribed('other')
    const raise = { plan: 'team', when: 'period_end' } as const
    await subscriptions.change(waiting.principal, waiting.subscriptionId, raise, CONTEXT)
    const archive = (replacement?: string) => plans.archive(operator, old.id, { replacement }, CONTEXT)
    await assert.rejects(
      archive(),
      (error) => isAppError(error, 'plan.in-use') && /2 subscriptions/.test(error.message),
    )
    await assert.rejects(archive('nothing'), (error) => isAppError(error, 'plan.not-found'))
    for (const wrong of [euro.id, old.id])
      await assert.rejects(archive(wrong), (error) => isAppError(error, 'request.invalid'))
    assert.equal((await archive('other')).state, 'archived')
    assert.equal((await archive()).state, 'archived')
    assert.equal((await subscriptions.current(tenantId)).plan.id, old.id)
    assert.equal((await subscriptions.current(waiting.tenantId)).nextPlan?.id, other.id)
    await assert.rejects(scene.subscribed('team'), (error) => isAppError(error, 'plan.not-found'))
    // A plan that nobody has needs no replacement.
    assert.equal((await plans.archive(operator, euro.id, {}, CONTEXT)).state, 'archived')
  })

  it('is seeded once by several processes, and not where there is a plan', async () => {
    await using db = await open()
    const clock = () => Date.parse('2026-01-01T00:00:00Z')
    await Promise.all(Array.from({ length: 4 }, () => createPlans({ db, clock }).seed()))
    const { items } = await createPlans({ db, clock }).list({ limit: 50 })
    assert.deepEqual(items.map(({ key, version }) => `${key} ${version}`).toSorted(), [
      'enterprise 1',
      'free 1',
      'pro 1',
    ])
    assert.equal(items.length, SEED_PLANS.length)
  })

  it('gives parallel versions different numbers', async () => {
    await using db = await open()
    const { plans, tenant } = openBilling(db, '2026-01-01T00:00:00Z')
    const operator = await tenant()
    const made = await Promise.all(Array.from({ length: 6 }, () => plans.create(operator, PLAN, CONTEXT)))
    assert.deepEqual(made.map(({ version }) => version).toSorted(), [1, 2, 3, 4, 5, 6])
  })
})
