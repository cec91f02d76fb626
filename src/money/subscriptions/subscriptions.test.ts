import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type BillingScene, openBilling } from '../../../test/support/billing.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { type ErrorCode, isAppError } from '../../base/errors.ts'
import type { TenantId } from '../../base/ids.ts'
import { type Bind, statement } from '../../storage/statement.ts'
import { createAccounts } from './accounts.ts'
import { advanceSubscription } from './advance.ts'
import { subscriptionById } from './subscription-store.ts'

const CONTEXT = { requestId: undefined }
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
const code =
  (wanted: ErrorCode) =>
  (error: unknown): boolean => {
    assert.ok(isAppError(error, wanted), String(error))
    return true
  }

const itemsOf = statement('test.items-of', (db, p: Bind<object>) =>
  db
    .selectFrom('billingItems')
    .select(['kind', 'amountMinor', 'description'])
    .where('tenantId', '=', p.tenantId)
    .orderBy('id'),
)

async function openScene(db: Parameters<typeof openBilling>[0], at: string): Promise<BillingScene> {
  const scene = openBilling(db, at)
  await scene.plan({ key: 'free', basePrice: '0.00', limits: { max_concurrent_jobs: 2 } })
  await scene.plan({ key: 'small', basePrice: '30.00', limits: { max_concurrent_jobs: 5 } })
  await scene.plan({ key: 'large', basePrice: '90.00' })
  await scene.plan({ key: 'seats', basePrice: '10.00', perSeat: true, limits: { seats: 5 } })
  await scene.plan({ key: 'tried', basePrice: '30.00', trialDays: 14 })
  await scene.plan({ key: 'yearly', basePrice: '300.00', interval: 'year' })
  return scene
}

forEachDatabase((_name, open) => {
  const items = async (scene: BillingScene, tenantId: TenantId) => {
    const rows = await scene.db.tenant(tenantId).read((reader) => reader.all(itemsOf, {}))
    return rows.map(({ kind, amountMinor }) => `${kind} ${amountMinor}`)
  }

  const totals = async (scene: BillingScene, tenantId: TenantId) => {
    const { items: all } = await scene.invoices.list(tenantId, { limit: 50 })
    const billed = all.toSorted((a, b) => a.periodEnd - b.periodEnd)
    return billed.map(({ totalMinor }) => totalMinor).filter((total) => total !== 0n)
  }

  it('begins at once, and goes from 31 January to 28 February to 31 March', async () => {
    await using db = await open()
    const scene = await openScene(db, '2026-01-31T10:00:00Z')
    const { tenantId } = await scene.subscribed('small')
    const now = () => scene.subscriptions.current(tenantId)
    const begun = await now()
    assert.equal(begun.row.state, 'active')
    assert.equal(iso(begun.row.periodStart), '2026-01-31T10:00:00.000Z')
    assert.equal(iso(begun.row.periodEnd), '2026-02-28T10:00:00.000Z')
    await scene.bill('2026-02-28T10:00:00Z')
    assert.equal(iso((await now()).row.periodEnd), '2026-03-31T10:00:00.000Z')
    const invoices = await scene.invoices.list(tenantId, { limit: 10 })
    assert.deepEqual(
      invoices.items.map(({ totalMinor }) => totalMinor),
      [3_000n, 3_000n],
    )
  })

  it('takes one open subscription for a tenant, also of two at once', async () => {
    await using db = await open()
    const scene = await openScene(db, '2026-01-01T00:00:00Z')
    const principal = await scene.tenant()
    const create = (plan: string) => scene.subscriptions.create(principal, { plan }, CONTEXT)
    await assert.rejects(create('small'), code('billing.not-set-up'))
    const accounts = createAccounts({ db, clock: scene.now })
    await accounts.put(principal, { name: 'A', currency: 'USD' }, CONTEXT)
    const tried = await Promise.allSettled([create('small'), create('large'), create('small')])
    assert.equal(tried.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const one of tried) if (one.status === 'rejected') code('subscription.exists')(one.reason)
    await assert.rejects(create('nothing'), code('plan.not-found'))
  })

  it('upgrades now with the unused time back and the rest charged, exact to the millisecond', async () => {
    await using db = await open()
    const scene = await openScene(db, '2026-04-01T00:00:00Z')
    const { tenantId, principal, subscriptionId } = await scene.subscribed('small')
    await scene.bill('2026-04-01T00:00:00Z')
    // 10 of 30 days.
    scene.set('2026-04-11T00:00:00Z')
    const up = await scene.subscriptions.change(principal, subscriptionId, { plan: 'large' }, CONTEXT)
    assert.equal(up.plan.key, 'large')
    assert.deepEqual(await items(scene, tenantId), ['proration -2000', 'proration 6000'])
    // What costs less waits for the next period, and is what holds then.
    const down = await scene.subscriptions.change(principal, subscriptionId, { plan: 'small' }, CONTEXT)
    assert.equal(down.plan.key, 'large')
    assert.equal(down.nextPlan?.key, 'small')
    await scene.bill('2026-05-01T00:00:00Z')
    const may = await scene.subscriptions.current(tenantId)
    assert.equal(may.plan.key, 'small')
    assert.equal(may.nextPlan, null)
    assert.deepEqual(await totals(scene, tenantId), [3_000n, 3_000n + 6_000n - 2_000n])
  })

  it('makes a surplus a credit where a change now costs less', async () => {
    await using db = await open()
    const scene = await openScene(db, '2026-04-01T00:00:00Z')
    const { tenantId, principal, subscriptionId } = await scene.subscribed('seats', { seats: 4 })
    scene.set('2026-04-16T00:00:00Z')
    const change = { seats: 2, when: 'now' } as const
    await scene.subscriptions.change(principal, subscriptionId, change, CONTEXT)
    assert.deepEqual(await items(scene, tenantId), ['credit 1000'])
    const many = scene.subscriptions.change(principal, subscriptionId, { seats: 6 }, CONTEXT)
    await assert.rejects(many, code('plan.limit'))
  })

  it('lets one of two changes at the same revision win', async () => {
    await using db = await open()
    const scene = await openScene(db, '2026-04-01T00:00:00Z')
    const { tenantId, principal, subscriptionId } = await scene.subscribed('small')
    scene.set('2026-04-11T00:00:00Z')
    const { revision } = (await scene.subscriptions.current(tenantId)).row
    const change = (plan: string) =>
      scene.subscriptions.change(principal, subscriptionId, { plan, revision }, CONTEXT)
    const tried = await Promise.allSettled([change('large'), change('large'), change('large')])
    assert.equal(tried.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const one of tried) if (one.status === 'rejected') code('subscription.state-conflict')(one.reason)
    assert.equal((await items(scene, tenantId)).length, 2)
  })

  it('has one trial for a tenant, which costs nothing, and is paid from its end on', async () => {
    await using db = await open()
    const scene = await openScene(db, '2026-01-01T00:00:00Z')
    const { tenantId, principal, subscriptionId } = await scene.subscribed('tried')
    const trial = await scene.subscriptions.current(tenantId)
    assert.equal(trial.row.state, 'trialing')
    assert.equal(iso(trial.row.periodEnd), '2026-01-15T00:00:00.000Z')
    assert.deepEqual((await scene.invoices.list(tenantId, { limit: 9 })).items, [])
    await assert.rejects(
      scene.subscriptions.pause(principal, subscriptionId, {}, CONTEXT),
      code('subscription.state-conflict'),
    )
    // Other seats within the trial cost nothing either.
    await scene.subscriptions.change(principal, subscriptionId, { seats: 2 }, CONTEXT)
    assert.deepEqual(await items(scene, tenantId), [])
    await scene.bill('2026-01-15T00:00:00Z')
    const paid = await scene.subscriptions.current(tenantId)
    assert.equal(paid.row.state, 'active')
    assert.equal(iso(paid.row.periodEnd), '2026-02-15T00:00:00.000Z')
    await scene.subscriptions.cancel(principal, subscriptionId, { when: 'now' }, CONTEXT)
    const again = await scene.subscriptions.create(principal, { plan: 'tried' }, CONTEXT)
    assert.equal(again.row.state, 'active')
  })

  it('ends a trial at once with a plan that has none', async () => {
    await using db = await open()
    const scene = await openScene(db, '2026-01-01T00:00:00Z')
    const { tenantId, principal, subscriptionId } = await scene.subscribed('tried')
    scene.set('2026-01-05T00:00:00Z')
    await scene.subscriptions.change(principal, subscriptionId, { plan: 'large' }, CONTEXT)
    await scene.bill('2026-01-05T00:00:00Z')
    const { row } = await scene.subscriptions.current(tenantId)
    assert.deepEqual([row.state, iso(row.trialEndsAt)], ['active', '2026-01-05T00:00:00.000Z'])
    assert.deepEqual(
      [iso(row.periodStart), iso(row.periodEnd)],
      ['2026-01-05T00:00:00.000Z', '2026-02-05T00:00:00.000Z'],
    )
    const { items: made } = await scene.invoices.list(tenantId, { limit: 9 })
    assert.deepEqual(
      made.map(({ state }) => state),
      ['open'],
    )
  })

  it('is cancelled at the end of its period, or taken back before', async () => {
    await using db = await open()
    const scene = await openScene(db, '2026-01-01T00:00:00Z')
    const { tenantId, principal, subscriptionId } = await scene.subscribed('small')
    const { subscriptions } = scene
    await subscriptions.cancel(principal, subscriptionId, {}, CONTEXT)
    const twice = subscriptions.cancel(principal, subscriptionId, {}, CONTEXT)
    await assert.rejects(twice, code('subscription.state-conflict'))
    const change = subscriptions.change(principal, subscriptionId, { plan: 'large' }, CONTEXT)
    await assert.rejects(change, code('subscription.state-conflict'))
    const back = await subscriptions.resume(principal, subscriptionId, {}, CONTEXT)
    assert.equal(back.row.cancelAtPeriodEnd, 0)
    await subscriptions.cancel(principal, subscriptionId, {}, CONTEXT)
    assert.equal((await subscriptions.current(tenantId)).row.state, 'active')
    await scene.bill('2026-02-01T00:00:00Z')
    const ended = await subscriptions.current(tenantId)
    assert.equal(ended.row.state, 'cancelled')
    assert.equal(iso(ended.row.endedAt), '2026-02-01T00:00:00.000Z')
    const dead = subscriptions.resume(principal, subscriptionId, {}, CONTEXT)
    await assert.rejects(dead, code('subscription.state-conflict'))
  })

  it('is cancelled now, with a credit for what was not used where that is asked for', async () => {
    await using db = await open()
    const scene = await openScene(db, '2026-04-01T00:00:00Z')
    const { tenantId, principal, subscriptionId } = await scene.subscribed('small')
    scene.set('2026-04-11T00:00:00Z')
    const wrong = scene.subscriptions.cancel(principal, subscriptionId, { creditUnused: true }, CONTEXT)
    await assert.rejects(wrong, code('request.invalid'))
    const input = { when: 'now', creditUnused: true } as const
    const ended = await scene.subscriptions.cancel(principal, subscriptionId, input, CONTEXT)
    assert.equal(ended.row.state, 'cancelled')
    assert.equal(iso(ended.row.periodEnd), '2026-04-11T00:00:00.000Z')
    assert.deepEqual(await items(scene, tenantId), ['credit 2000'])
  })

  it('is paused without a base price from the next period on, and resumed for the rest of one', async () => {
    await using db = await open()
    const scene = await openScene(db, '2026-03-01T00:00:00Z')
    const { tenantId, principal, subscriptionId } = await scene.subscribed('small')
    const { subscriptions } = scene
    scene.set('2026-03-10T00:00:00Z')
    await subscriptions.pause(principal, subscriptionId, {}, CONTEXT)
    // Within the period that was paid it costs nothing to go on.
    await subscriptions.resume(principal, subscriptionId, {}, CONTEXT)
    assert.deepEqual(await items(scene, tenantId), [])
    await subscriptions.pause(principal, subscriptionId, {}, CONTEXT)
    const again = subscriptions.pause(principal, subscriptionId, {}, CONTEXT)
    await assert.rejects(again, code('subscription.state-conflict'))
    await scene.bill('2026-04-01T00:00:00Z')
    assert.equal((await subscriptions.current(tenantId)).row.state, 'paused')
    assert.deepEqual(await totals(scene, tenantId), [3_000n], 'nothing for April')
    scene.set('2026-04-21T00:00:00Z')
    const on = await subscriptions.resume(principal, subscriptionId, {}, CONTEXT)
    assert.equal(on.row.state, 'active')
    assert.deepEqual(await items(scene, tenantId), ['proration 1000'])
  })

  it('changes to a plan of another interval with the next period only', async () => {
    await using db = await open()
    const scene = await openScene(db, '2026-01-31T00:00:00Z')
    const { tenantId, principal, subscriptionId } = await scene.subscribed('small')
    const change = (when?: 'now') =>
      scene.subscriptions.change(principal, subscriptionId, { plan: 'yearly', when }, CONTEXT)
    await assert.rejects(change('now'), code('request.invalid'))
    assert.equal((await change()).nextPlan?.key, 'yearly')
    await scene.bill('2026-02-28T00:00:00Z')
    const { row } = await scene.subscriptions.current(tenantId)
    assert.equal(iso(row.periodEnd), '2027-02-28T00:00:00.000Z')
  })

  it('is nobody else’s: another tenant finds nothing, the operator may speak for one', async () => {
    await using db = await open()
    const scene = await openScene(db, '2026-01-01T00:00:00Z')
    const { tenantId, subscriptionId } = await scene.subscribed('small')
    const operator = await scene.tenant()
    const stranger = { ...(await scene.tenant()), operator: false }
    const { subscriptions } = scene
    for (const foreign of [{}, { tenantId }]) {
      const wanted = 'tenantId' in foreign ? 'tenant.not-found' : 'subscription.not-found'
      await assert.rejects(subscriptions.cancel(stranger, subscriptionId, foreign, CONTEXT), code(wanted))
    }
    await assert.rejects(subscriptions.get(stranger.tenantId, subscriptionId), code('subscription.not-found'))
    await assert.rejects(subscriptions.current(stranger.tenantId), code('subscription.not-found'))
    const ended = await subscriptions.cancel(operator, subscriptionId, { tenantId }, CONTEXT)
    assert.equal(ended.row.cancelAtPeriodEnd, 1)
  })

  it('is not moved on before its period has ended, nor twice', async () => {
    await using db = await open()
    const scene = await openScene(db, '2026-01-01T00:00:00Z')
    const { tenantId, subscriptionId: id } = await scene.subscribed('small')
    const { row } = await scene.subscriptions.current(tenantId)
    const advance = (at: number) => db.tenant(tenantId).write((tx) => advanceSubscription(tx, row, at))
    await assert.rejects(advance(row.periodEnd - 1), code('subscription.state-conflict'))
    const { next } = await advance(row.periodEnd)
    assert.equal(next?.startsAt, row.periodEnd)
    await assert.rejects(advance(row.periodEnd), code('subscription.state-conflict'))
    const after = await db.tenant(tenantId).read((reader) => reader.first(subscriptionById, { id }))
    assert.equal(after?.revision, row.revision + 1)
  })

  it('fixes the currency of an account that is in use, and refuses unknown currencies and zones', async () => {
    await using db = await open()
    const scene = await openScene(db, '2026-01-01T00:00:00Z')
    const accounts = createAccounts({ db, clock: scene.now })
    const { principal, tenantId } = await scene.subscribed('small')
    const put = (more: object) => accounts.put(principal, { name: 'A', currency: 'USD', ...more }, CONTEXT)
    await assert.rejects(put({ currency: 'EUR' }), code('request.invalid'))
    await assert.rejects(put({ currency: 'QQQ' }), code('request.invalid'))
    await assert.rejects(put({ timeZone: 'Mars/Base' }), code('request.invalid'))
    await put({ timeZone: 'Asia/Tokyo', email: 'a@example.com' })
    const account = await put({ name: 'B' })
    assert.deepEqual([account.name, account.timeZone, account.email], ['B', 'Asia/Tokyo', 'a@example.com'])
    assert.equal((await accounts.get(tenantId)).currency, 'USD')
    const free = await scene.tenant()
    await accounts.put(free, { name: 'C', currency: 'USD' }, CONTEXT)
    assert.equal((await accounts.put(free, { name: 'C', currency: 'JPY' }, CONTEXT)).currency, 'JPY')
    const wrong = scene.subscriptions.create(free, { plan: 'small' }, CONTEXT)
    await assert.rejects(wrong, code('request.invalid'))
  })
})
