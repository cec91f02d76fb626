import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openBilling } from '../../../test/support/billing.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { CONTEXT, HOUR_MS, LOST, openScene, PAGES, START } from '../../../test/support/stripe-scene.ts'
import { isAppError } from '../../base/errors.ts'
import { closePeriods } from '../invoices/closing/close-periods.ts'
import { finaliseDrafts } from '../invoices/closing/finalise-drafts.ts'
import { subscriptionById } from '../subscriptions/subscription-store.ts'
import { mirrorSubscription, setCustomer } from './account-store.ts'
import { gatherUsage } from './meter-usage.ts'
import { createStripeBilling } from './stripe.ts'
import { amountAtStripe } from './stripe-api.ts'

forEachDatabase((_, open) => {
  describe('Stripe', () => {
    it('has one customer for an account, whoever asks at once, also after a lost answer', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const { principal, tenantId } = await scene.subscribed('pro')
      scene.server.fail(/customers/, LOST)
      await assert.rejects(scene.billing.portal(principal, PAGES.successUrl, CONTEXT), (error) =>
        isAppError(error, 'stripe.failed'),
      )
      const links = await Promise.all(
        [1, 2, 3].map(() => scene.billing.portal(principal, PAGES.successUrl, CONTEXT)),
      )
      assert.ok(links.every(({ url }) => url.startsWith('https://')))
      assert.equal(scene.server.customers.size, 1)
      assert.equal((await scene.billing.status(tenantId)).customerId, [...scene.server.customers.keys()][0])
    })

    it('hands a finalised invoice on once, whatever fails in between, and marks it paid when Stripe says so', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const { tenantId } = await scene.collected()
      assert.equal((await scene.billing.status(tenantId)).collection, 'stripe')
      const at = scene.set(START)
      await closePeriods(db, at)
      await finaliseDrafts(db, scene.set(at + 2 * HOUR_MS), scene.billing.finalised)
      // Each of its calls fails once: with an effect, with none, and by too many calls.
      scene.server.fail(/\/invoices$/, ['lost', 429])
      scene.server.fail(/\/invoiceitems$/, ['lost', 500])
      scene.server.fail(/\/finalize$/, ['lost'])
      for (let n = 0; n < 8; n++) {
        await scene.send()
        scene.set(scene.now() + 60_000)
      }
      assert.equal(scene.server.invoices.size, 1)
      const [theirs] = [...scene.server.invoices.values()]
      assert.ok(theirs)
      assert.deepEqual([theirs.status, theirs.total, theirs.description], ['open', 2_900, 'INV-000001'])
      assert.equal((await scene.billing.status(tenantId)).outbox.sent, 1)
      // Events come in any order, twice, and early: what counts is what the object is now.
      theirs.status = 'paid'
      await scene.receive('invoice.payment_failed', theirs)
      await scene.receive('invoice.paid', theirs)
      const again = scene.server.event('invoice.paid', theirs, scene.now())
      await scene.billing.receive(again.body, again.signature)
      await scene.billing.receive(again.body, again.signature)
      await scene.process()
      await scene.process()
      const { items } = await scene.invoices.list(tenantId, { limit: 10 })
      assert.deepEqual(
        items.map(({ state, note }) => [state, note]),
        [['paid', `Stripe ${String(theirs.id)}`]],
      )
    })

    it('mirrors a subscription that Stripe bills, and tells its usage hour by hour, once', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const { tenantId, principal } = await scene.subscribed('pro')
      await scene.billing.checkout(principal, { ...PAGES, plan: 'pro', seats: 3 }, CONTEXT)
      const { customerId } = await scene.billing.status(tenantId)
      const checkout = scene.server.calls.findLast(({ path }) => path === '/v1/checkout/sessions')?.body
      assert.equal(checkout?.mode, 'subscription')
      const seconds = Date.parse(START) / 1_000
      const theirs = {
        id: 'sub_theirs',
        object: 'subscription',
        customer: customerId,
        status: 'active',
        cancel_at_period_end: false,
        trial_end: null,
        billing_cycle_anchor: seconds,
        metadata: checkout.metadata,
        items: {
          data: [{ quantity: 3, current_period_start: seconds, current_period_end: seconds + 2_678_400 }],
        },
      }
      scene.server.subscriptions.set(theirs.id, theirs)
      await scene.receive('customer.subscription.updated', theirs)
      await scene.receive('customer.subscription.created', theirs)
      await scene.process()
      const { row } = await scene.subscriptions.current(tenantId)
      assert.deepEqual([row.stripeSubscriptionId, row.seats, row.state], ['sub_theirs', 3, 'active'])

      const first = Date.parse(START)
      await scene.use(tenantId, [
        { kind: 'token', quantity: 1_200, at: first + 1, fact: 'a' },
        { kind: 'token', quantity: 300, at: first + HOUR_MS + 1, fact: 'b' },
        { kind: 'tool_call', quantity: 1, at: first + 2, fact: 'c' },
      ])
      scene.set(first + 2 * HOUR_MS + 700_000)
      await Promise.all([scene.gather(), scene.gather()])
      await scene.gather()
      // The first is lost after its effect, and so is told again: Stripe refuses it as a duplicate, which is as good.
      scene.server.fail(/meter_events/, ['lost', 429, 500])
      for (let n = 0; n < 5; n++) {
        await scene.send()
        scene.set(scene.now() + 10_000)
      }
      assert.equal(scene.server.meterEvents.size, 3)
      const window = { from: first, to: first + 2 * HOUR_MS, fix: true }
      const seen = await scene.billing.reconcile(principal, window, CONTEXT)
      const of = (metric: string) => seen.items.find((item) => item.metric === metric)
      assert.deepEqual([of('token')?.used, of('token')?.told, of('token')?.atStripe], [1_500n, 1_500n, 1_500])
      assert.equal(seen.told, 0)

      // Stripe lost one: it is told again under another identifier.
      const [lost] = [...scene.server.meterEvents.keys()].filter((key) => key.includes('token'))
      scene.server.meterEvents.delete(lost ?? '')
      scene.set(scene.now() + 2 * HOUR_MS)
      assert.equal((await scene.billing.reconcile(principal, window, CONTEXT)).told, 1)
      await scene.send()
      const after = await scene.billing.reconcile(principal, window, CONTEXT)
      assert.equal(after.items.find(({ metric }) => metric === 'token')?.atStripe, 1_500)

      theirs.status = 'canceled'
      await scene.receive('customer.subscription.deleted', theirs)
      await scene.process()
      await scene.process()
      assert.equal((await scene.subscriptions.current(tenantId)).row.state, 'cancelled')
    })

    it('gathers the usage of the others where that of one cannot be', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const linked = async (customerId: string) => {
        const { tenantId, subscriptionId } = await scene.subscribed('pro')
        const at = scene.now()
        await db.tenant(tenantId).write(async (tx) => {
          await tx.run(setCustomer, { customerId, meteredUntil: at, at })
          const stripe = { stripeSubscriptionId: `sub_${customerId}`, cancelAtPeriodEnd: 0, seats: 1 }
          const row = await tx.first(subscriptionById, { id: subscriptionId })
          assert.ok(row)
          await tx.run(mirrorSubscription, { ...row, ...stripe, at })
        })
        await scene.use(tenantId, [{ kind: 'token', quantity: 7, at: at + 1, fact: customerId }])
        return tenantId
      }
      const bad = await linked('cus_bad')
      const good = await linked('cus_good')
      scene.set(scene.now() + HOUR_MS + 700_000)
      const broken: typeof db = {
        ...db,
        system: db.system,
        tenant: (id) => {
          if (id === bad) throw new Error('This one is broken.')
          return db.tenant(id)
        },
      }
      await assert.rejects(gatherUsage(broken, scene.now()), /broken/)
      assert.equal((await scene.billing.status(good)).outbox.pending, 1)
    })

    it('gives up what Stripe refuses, shows it, and holds up nothing else', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const bad = await scene.collected()
      const good = await scene.collected()
      await closePeriods(db, scene.now())
      await finaliseDrafts(db, scene.set(scene.now() + 2 * HOUR_MS), scene.billing.finalised)
      scene.server.fail(/\/invoices$/, ['refused'])
      await scene.send()
      const states = await Promise.all([bad, good].map(({ tenantId }) => scene.billing.status(tenantId)))
      assert.deepEqual(states.map(({ outbox }) => [outbox.sent, outbox.refused]).sort(), [
        [0, 1],
        [1, 0],
      ])
      assert.match(states.flatMap(({ failed }) => failed)[0]?.error ?? '', /declined/)
    })

    it('does not tell again what it tried a day ago: Stripe has forgotten the key', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const { tenantId } = await scene.collected()
      await closePeriods(db, scene.now())
      await finaliseDrafts(db, scene.set(scene.now() + 2 * HOUR_MS), scene.billing.finalised)
      scene.server.fail(/\/invoices$/, LOST)
      await scene.send()
      scene.set(scene.now() + 30 * HOUR_MS)
      await scene.send()
      assert.equal(scene.server.invoices.size, 1)
      assert.deepEqual((await scene.billing.status(tenantId)).outbox, {
        pending: 0,
        sent: 0,
        refused: 0,
        dead: 1,
      })
    })

    it('refuses events that are not signed, signed by another, changed, or old', async () => {
      await using db = await open()
      await using scene = await openScene(db)
      const { body, signature } = scene.server.event('invoice.paid', { id: 'in_1' }, scene.now())
      const refused = (error: unknown): boolean => isAppError(error, 'stripe.signature-invalid')
      await assert.rejects(scene.billing.receive(body, undefined), refused)
      await assert.rejects(
        scene.billing.receive(body, signature.replace(/v1=./, 'v1=0').slice(0, -1)),
        refused,
      )
      await assert.rejects(scene.billing.receive(`${body} `, signature), refused)
      const old = scene.server.event('invoice.paid', { id: 'in_1' }, scene.now() - 3_600_000)
      await assert.rejects(scene.billing.receive(old.body, old.signature), refused)
      // Of a customer that is none of ours: taken, and nothing happens.
      await scene.receive('invoice.paid', { id: 'in_2', customer: 'cus_other' })
      await scene.process()
    })

    it('says what is missing where it is not set up', async () => {
      await using db = await open()
      const scene = openBilling(db, START)
      await scene.plan({ key: 'pro' })
      const { principal, tenantId } = await scene.subscribed('pro')
      const none = createStripeBilling({ db, clock: scene.now, stripe: undefined })
      await assert.rejects(none.checkout(principal, PAGES, CONTEXT), (error) =>
        isAppError(error, 'stripe.not-configured'),
      )
      assert.deepEqual([none.tasks.length, (await none.status(tenantId)).configured], [0, false])
    })
  })
})

describe('amounts at Stripe', () => {
  it('are minor units, with its exceptions', () => {
    assert.equal(amountAtStripe(2_900n, 'USD'), 2_900)
    assert.equal(amountAtStripe(2_900n, 'JPY'), 2_900)
    assert.equal(amountAtStripe(2_900n, 'ISK'), 290_000)
    assert.equal(amountAtStripe(2_910n, 'KWD'), 2_910)
    assert.throws(() => amountAtStripe(2_911n, 'KWD'), /0\.010/)
    assert.throws(() => amountAtStripe(2n ** 60n, 'USD'), /larger/)
  })
})
