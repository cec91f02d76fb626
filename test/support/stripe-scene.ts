// A scene with Stripe: tenants that are billed, a local server in Stripe's place, and what is done from time to time.

import assert from 'node:assert/strict'
import { closePeriods } from '../../src/money/invoices/closing/close-periods.ts'
import { finaliseDrafts } from '../../src/money/invoices/closing/finalise-drafts.ts'
import { gatherUsage } from '../../src/money/stripe/meter-usage.ts'
import { sendOutbox } from '../../src/money/stripe/send-outbox.ts'
import { createStripeBilling } from '../../src/money/stripe/stripe.ts'
import { openStripe } from '../../src/money/stripe/stripe-api.ts'
import { processEvents } from '../../src/money/stripe/stripe-events.ts'
import type { Database } from '../../src/storage/database.ts'
import { type BilledTenant, openBilling } from './billing.ts'
import { startStripe } from './stripe-server.ts'

export const CONTEXT = { requestId: undefined }
export const START = '2026-03-01T00:00:00.000Z'
export const HOUR_MS = 3_600_000
/** The SDK itself calls again, once, where a connection was closed. */
export const LOST = ['lost', 'lost'] as const
export const PAGES = { successUrl: 'https://app.example.com/ok', cancelUrl: 'https://app.example.com/no' }

export async function openScene(db: Database) {
  const server = await startStripe()
  const scene = openBilling(db, START)
  const config = { secretKey: 'sk_test_1', webhookSecret: server.webhookSecret, apiUrl: server.url }
  const stripe = openStripe(config)
  const billing = createStripeBilling({ db, clock: scene.now, stripe, random: () => 0 })
  await scene.plan({
    key: 'pro',
    basePrice: '29.00',
    overage: [{ metric: 'token', model: 'per_unit', unitPrice: '0.001' }],
    stripePriceId: 'price_pro',
  })
  return {
    ...scene,
    server,
    billing,
    send: () => sendOutbox({ db, stripe, random: () => 0 }, scene.now()),
    gather: () => gatherUsage(db, scene.now()),
    /** Drafts what has ended, and finalises it two hours later. */
    async finalise() {
      await closePeriods(db, scene.now())
      await finaliseDrafts(db, scene.set(scene.now() + 2 * HOUR_MS), billing.finalised)
    },
    process: () => processEvents({ db, stripe }, scene.now()),
    receive: (type: string, object: Record<string, unknown>) => {
      const { body, signature } = server.event(type, object, scene.now())
      return billing.receive(body, signature)
    },
    /** The account's customer, linked, and how to pay known. */
    async collected(): Promise<BilledTenant & { readonly customer: string }> {
      const tenant = await scene.subscribed('pro')
      await billing.checkout(tenant.principal, PAGES, CONTEXT)
      const { customerId } = await billing.status(tenant.tenantId)
      const [session] = [...server.sessions.values()].slice(-1)
      assert.ok(session && customerId)
      session.status = 'complete'
      await this.receive('checkout.session.completed', session)
      await this.process()
      return { ...tenant, customer: customerId }
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
    },
  }
}
