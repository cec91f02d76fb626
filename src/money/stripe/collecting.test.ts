// What goes wrong between Stripe and us where things come early, late, or from both sides.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { CONTEXT, HOUR_MS, LOST, openScene, PAGES, START } from '../../../test/support/stripe-scene.ts'
import { AppError, isAppError } from '../../base/errors.ts'
import { closePeriods } from '../invoices/closing/close-periods.ts'
import { finaliseDrafts } from '../invoices/closing/finalise-drafts.ts'
import { setStripeInvoice } from './account-store.ts'
import { mirrorSubscriptionOf } from './mirror.ts'
import type { StripeSubscription } from './stripe-api.ts'
import { amountAtStripe, failureOf } from './stripe-api.ts'

const DAY_MS = 24 * HOUR_MS
const isConflict = (error: unknown): boolean => isAppError(error, 'subscription.state-conflict')

type Scene = Awaited<ReturnType<typeof openScene>>

/** A tenant whose subscription Stripe bills itself. */
async function mirrored(scene: Scene) {
  const tenant = await scene.subscribed('pro')
  await scene.billing.checkout(tenant.principal, { ...PAGES, plan: 'pro', seats: 3 }, CONTEXT)
  const { customerId } = await scene.billing.status(tenant.tenantId)
  const metadata = scene.server.calls.findLast(({ path }) => path === '/v1/checkout/sessions')?.body.metadata
  const seconds = Date.parse(START) / 1_000
  const theirs = {
    id: `sub_${tenant.tenantId}`,
    object: 'subscription',
    customer: customerId,
    status: 'active',
    cancel_at_period_end: false,
    trial_end: null,
    billing_cycle_anchor: seconds,
    metadata,
    items: {
      data: [{ quantity: 3, current_period_start: seconds, current_period_end: seconds + 2_678_400 }],
    },
  }
  scene.server.subscriptions.set(theirs.id, theirs)
  await scene.receive('customer.subscription.created', theirs)
  await scene.process()
  return { ...tenant, customer: customerId, theirs }
}

async function statesOf(scene: Scene, tenantId: Awaited<ReturnType<typeof mirrored>>['tenantId']) {
  return (await scene.invoices.list(tenantId, { limit: 10 })).items.map(({ state }) => state)
}

forEachDatabase((_, open) => {
  describe('collecting by Stripe', () => {
    it('leaves what Stripe bills to Stripe: nothing is changed here that Stripe would not hear of', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const { principal, tenantId, subscriptionId } = await mirrored(scene)
      const { subscriptions } = scene
      await assert.rejects(
        subscriptions.cancel(principal, subscriptionId, { when: 'now' }, CONTEXT),
        isConflict,
      )
      await assert.rejects(subscriptions.change(principal, subscriptionId, { seats: 9 }, CONTEXT), isConflict)
      await assert.rejects(subscriptions.pause(principal, subscriptionId, {}, CONTEXT), isConflict)
      assert.equal((await subscriptions.current(tenantId)).row.state, 'active')
    })

    it('marks an invoice paid that Stripe told of before we knew its id there', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const { tenantId } = await scene.collected()
      await scene.finalise()
      await scene.send()
      const [theirs] = [...scene.server.invoices.values()]
      const [ours] = (await scene.invoices.list(tenantId, { limit: 1 })).items
      assert.ok(theirs && ours)
      // As if this process had died between Stripe's answer and its record.
      await db
        .tenant(tenantId)
        .write((tx) => tx.run(setStripeInvoice, { id: ours.id, stripeInvoiceId: null as never }))
      theirs.status = 'paid'
      await scene.receive('invoice.paid', theirs)
      await scene.process()
      assert.deepEqual(await statesOf(scene, tenantId), ['paid'])
    })

    it('waits for our draft, and for our period to be closed, where Stripe was paid sooner', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const { tenantId, customer, theirs } = await mirrored(scene)
      await scene.finalise()
      const end = Date.parse(START) + 31 * DAY_MS
      const paid = {
        id: 'in_cycle',
        object: 'invoice',
        customer,
        status: 'paid',
        period_end: end / 1_000,
        metadata: {},
        parent: { subscription_details: { subscription: theirs.id } },
      }
      scene.server.invoices.set(paid.id, paid)
      scene.set(end + 1_000)
      await scene.receive('invoice.paid', paid)
      await scene.process()
      await closePeriods(db, scene.now())
      await scene.process()
      await finaliseDrafts(db, scene.set(end + 2 * HOUR_MS), scene.billing.finalised)
      await scene.process()
      assert.equal((await statesOf(scene, tenantId))[0], 'paid')
    })

    it('does not make an invoice again after a day of tries: Stripe has forgotten the first by then', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const { tenantId } = await scene.collected()
      await scene.finalise()
      scene.server.fail(/\/invoices$/, LOST)
      scene.server.fail(
        /\/invoices$/,
        Array.from({ length: 60 }, () => 500 as const),
      )
      for (let hour = 0; hour < 26; hour++) {
        await scene.send()
        scene.set(scene.now() + HOUR_MS)
      }
      assert.equal((await scene.billing.status(tenantId)).outbox.dead, 1)
    })

    it('lets Stripe collect an invoice only when it has all of its lines', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      await scene.collected()
      await scene.finalise()
      await scene.send()
      const of = (end: RegExp) => scene.server.calls.find(({ path }) => end.test(path))?.body.auto_advance
      assert.deepEqual([of(/\/invoices$/), of(/\/finalize$/)], ['false', 'true'])
    })

    it('never hands on an invoice that was settled here meanwhile, and settles none here that Stripe collects', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const one = await scene.collected()
      const two = await scene.collected()
      await scene.finalise()
      const change = async (of: typeof one, kind: 'void' | 'pay') => {
        const [{ id } = assert.fail()] = (await scene.invoices.list(of.tenantId, { limit: 1 })).items
        const invoice = { tenantId: of.tenantId, id }
        return scene.invoices.change(of.principal, invoice, { kind, note: null }, CONTEXT)
      }
      await change(one, 'void')
      await scene.send()
      assert.deepEqual(
        [...scene.server.invoices.values()].map(({ customer }) => customer),
        [two.customer],
      )
      await assert.rejects(change(two, 'pay'), (error) => isAppError(error, 'invoice.state-conflict'))
    })

    it('does not tell usage again that Stripe has and has not summed up yet', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const { principal, tenantId } = await mirrored(scene)
      const first = Date.parse(START)
      await scene.use(tenantId, [{ kind: 'token', quantity: 1_200, at: first + 1, fact: 'a' }])
      scene.set(first + HOUR_MS + 700_000)
      await scene.gather()
      await scene.send()
      const sums = new Map(scene.server.meterEvents)
      assert.equal(sums.size, 1)
      // Stripe has taken it, and its sums lag.
      for (const event of scene.server.meterEvents.values()) event.timestamp = '0'
      const window = { from: first, to: first + HOUR_MS, fix: true }
      assert.equal((await scene.billing.reconcile(principal, window, CONTEXT)).told, 0)
      scene.set(scene.now() + 2 * HOUR_MS)
      const both = await Promise.all([1, 2].map(() => scene.billing.reconcile(principal, window, CONTEXT)))
      assert.equal(
        both.reduce((sum, { told }) => sum + told, 0),
        1,
      )
    })

    it('does not write what it fetched before another wrote something newer', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const { tenantId, theirs } = await mirrored(scene)
      const { row } = await scene.subscriptions.current(tenantId)
      const older = { ...theirs, status: 'past_due' } as unknown as StripeSubscription
      const newer = { ...theirs, cancel_at_period_end: true } as unknown as StripeSubscription
      const write = (of: StripeSubscription, revision: number) =>
        db.tenant(tenantId).write((tx) => mirrorSubscriptionOf(tx, of, scene.now(), revision))
      await write(newer, row.revision)
      await assert.rejects(write(older, row.revision), isConflict)
      assert.equal((await scene.subscriptions.current(tenantId)).row.state, 'active')
    })

    it('counts the periods of a trial at Stripe from its end', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const { tenantId, principal, subscriptionId } = await scene.subscribed('pro')
      await scene.subscriptions.cancel(principal, subscriptionId, { when: 'now' }, CONTEXT)
      await scene.billing.checkout(principal, { ...PAGES, plan: 'pro' }, CONTEXT)
      const { customerId } = await scene.billing.status(tenantId)
      const metadata = scene.server.calls.findLast(({ path }) => path === '/v1/checkout/sessions')?.body
        .metadata
      const seconds = Date.parse(START) / 1_000
      const ends = seconds + 14 * 86_400
      const theirs = {
        id: 'sub_trial',
        object: 'subscription',
        customer: customerId,
        status: 'trialing',
        cancel_at_period_end: false,
        trial_end: ends,
        billing_cycle_anchor: ends,
        metadata,
        items: { data: [{ quantity: 1, current_period_start: seconds, current_period_end: ends }] },
      }
      scene.server.subscriptions.set(theirs.id, theirs)
      await scene.receive('customer.subscription.created', theirs)
      await scene.process()
      await closePeriods(db, scene.set(ends * 1_000 + 1))
      const { row } = await scene.subscriptions.current(tenantId)
      assert.equal(new Date(row.periodEnd).toISOString(), '2026-04-15T00:00:00.000Z')
    })

    it('lets no subscription that was never paid touch ours', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const { tenantId, principal } = await scene.subscribed('pro')
      await scene.billing.portal(principal, PAGES.successUrl, CONTEXT)
      const { customerId } = await scene.billing.status(tenantId)
      const theirs = {
        id: 'sub_unpaid',
        object: 'subscription',
        customer: customerId,
        status: 'incomplete',
        cancel_at_period_end: false,
        trial_end: null,
        billing_cycle_anchor: 1,
        metadata: {},
        items: { data: [{ quantity: 9, current_period_start: 1, current_period_end: 2 }] },
      }
      scene.server.subscriptions.set(theirs.id, theirs)
      for (const status of ['incomplete', 'incomplete_expired']) {
        theirs.status = status
        await scene.receive('customer.subscription.updated', theirs)
        await scene.process()
        const { row } = await scene.subscriptions.current(tenantId)
        assert.deepEqual([row.state, row.seats, row.stripeSubscriptionId], ['active', 1, null], status)
      }
    })

    it('keeps the checkouts of tenants apart, whatever they call their requests', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const context = { requestId: 'same' }
      for (const key of ['a', 'b']) {
        const { principal } = await scene.subscribed('pro')
        const { url } = await scene.billing.checkout(principal, PAGES, context)
        assert.ok(url.startsWith('https://'), key)
      }
      assert.equal(scene.server.sessions.size, 2)
    })
  })
})

describe('what a failed call to Stripe means', () => {
  it('is not final where our own database was busy', () => {
    assert.equal(failureOf(new AppError('storage.locked', 'Busy.')).kind, 'later')
    assert.equal(failureOf(new AppError('server.unavailable', 'Gone.')).kind, 'later')
    assert.equal(failureOf(new AppError('stripe.failed', 'Too large.')).kind, 'refused')
  })

  it('counts every currency as Stripe does, whatever this host says of its decimals', () => {
    // As ISO 4217 and Stripe have them two decimals; the data of this host has none.
    assert.equal(amountAtStripe(2_900n, 'HUF'), 290_000)
    assert.equal(amountAtStripe(2_900n, 'IDR'), 290_000)
    assert.equal(amountAtStripe(2_900n, 'UGX'), 290_000)
    assert.equal(amountAtStripe(2_900n, 'KRW'), 2_900)
    assert.equal(amountAtStripe(2_900n, 'EUR'), 2_900)
  })
})
