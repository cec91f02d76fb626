// A local HTTP server that behaves like Stripe's API for the calls that the product makes: idempotency keys, duplicate meter
// identifiers (400), and on demand its failures: answers that never come although the call had its effect, 429, 500.
// Facts from docs.stripe.com/api (idempotent_requests, errors, billing/meter-event).

import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Stripe } from 'stripe'

type Fields = Record<string, unknown>

export interface StripeServer extends AsyncDisposable {
  readonly url: URL
  readonly webhookSecret: string
  readonly calls: readonly { readonly method: string; readonly path: string; readonly body: Fields }[]
  readonly customers: Map<string, Fields>
  readonly invoices: Map<string, Fields>
  readonly subscriptions: Map<string, Fields>
  readonly sessions: Map<string, Fields>
  readonly meterEvents: Map<string, Fields>
  /** What happens to the next calls of a path: `lost` has its effect and gives no answer. */
  fail(path: RegExp, kinds: readonly ('lost' | 'refused' | 429 | 500)[]): void
  /** The body and header of an event about an object, as Stripe sends it. */
  event(type: string, object: Fields, at?: number): { readonly body: string; readonly signature: string }
}

interface Failing {
  readonly path: RegExp
  readonly kinds: ('lost' | 'refused' | 429 | 500)[]
}

const id = (prefix: string): string => `${prefix}_${randomBytes(8).toString('hex')}`

export async function startStripe(): Promise<StripeServer> {
  const webhookSecret = `whsec_${randomBytes(16).toString('hex')}`
  const calls: { method: string; path: string; body: Fields }[] = []
  const customers = new Map<string, Fields>()
  const invoices = new Map<string, Fields>()
  const items = new Map<string, Fields>()
  const subscriptions = new Map<string, Fields>()
  const sessions = new Map<string, Fields>()
  const meterEvents = new Map<string, Fields>()
  const answered = new Map<
    string,
    { readonly params: string; readonly status: number; readonly body: Fields }
  >()
  const failing: Failing[] = []

  const handle = (method: string, path: string, body: Fields): { status: number; body: Fields } => {
    const ok = (value: Fields) => ({ status: 200, body: value })
    const put = (into: Map<string, Fields>, prefix: string, value: Fields) => {
      const made = { id: id(prefix), ...value }
      into.set(String(made.id), made)
      return ok(made)
    }
    const [, , kind = '', key = '', action = ''] = path.split('/')
    if (method === 'POST' && path === '/v1/customers')
      return put(customers, 'cus', { object: 'customer', ...body })
    if (method === 'POST' && path === '/v1/checkout/sessions') {
      const url = `https://checkout.example/${randomBytes(4).toString('hex')}`
      return put(sessions, 'cs', { object: 'checkout.session', status: 'open', url, ...body })
    }
    if (method === 'GET' && path.startsWith('/v1/checkout/sessions/'))
      return found(sessions, path.split('/')[4] ?? '')
    if (method === 'POST' && path === '/v1/billing_portal/sessions')
      return ok({ id: id('bps'), object: 'billing_portal.session', url: 'https://portal.example/1' })
    if (path === '/v1/billing/meter_events') {
      const identifier = String(body.identifier)
      if (meterEvents.has(identifier))
        return refused(`An event already exists with identifier ${identifier}.`)
      const { value } = body.payload as { readonly value: string }
      if (value.length > 15) return refused('Values have at most 15 digits.')
      meterEvents.set(identifier, body)
      return ok({ object: 'billing.meter_event', created: 0, livemode: false, ...body })
    }
    if (path === '/v1/billing/meters') {
      const names = new Set([...meterEvents.values()].map((event) => String(event.event_name)))
      const data = [...names].map((event_name) => ({
        id: `mtr_${event_name}`,
        object: 'billing.meter',
        event_name,
      }))
      return ok({ object: 'list', data, has_more: false, url: path })
    }
    if (path.endsWith('/event_summaries')) {
      const { customer, start_time, end_time } = body
      const sum = [...meterEvents.values()]
        .filter((event) => `mtr_${event.event_name}` === path.split('/')[4])
        .filter((event) => (event.payload as Fields).stripe_customer_id === customer)
        .filter(
          ({ timestamp }) => Number(timestamp) >= Number(start_time) && Number(timestamp) < Number(end_time),
        )
        .reduce((total, event) => total + Number((event.payload as Fields).value), 0)
      const data = [{ id: id('mtrusg'), object: 'billing.meter_event_summary', aggregated_value: sum }]
      return ok({ object: 'list', data, has_more: false, url: path })
    }
    if (method === 'POST' && path === '/v1/invoices')
      return put(invoices, 'in', { object: 'invoice', status: 'draft', parent: null, period_end: 0, ...body })
    if (method === 'POST' && path === '/v1/invoiceitems')
      return put(items, 'ii', { object: 'invoiceitem', ...body })
    if (kind === 'invoices' && action === 'finalize') {
      const invoice = invoices.get(key)
      if (invoice === undefined) return refused('No such invoice.', 404)
      const own = [...items.values()].filter((item) => item.invoice === key)
      const total = own.reduce((sum, item) => sum + Number(item.amount), 0)
      if (invoice.status !== 'draft') return refused('This invoice is already finalized.')
      Object.assign(invoice, { status: 'open', total, lines: own })
      return ok(invoice)
    }
    if (method === 'GET' && kind === 'invoices') return found(invoices, key)
    if (method === 'GET' && kind === 'subscriptions') return found(subscriptions, key)
    return refused(`Unrecognized request URL (${method}: ${path}).`, 404)
  }

  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy())
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const url = new URL(request.url ?? '/', 'http://stripe.invalid')
    const params = chunks.length > 0 ? Buffer.concat(chunks).toString() : url.search.slice(1)
    const body = fieldsOf(params)
    const method = request.method ?? 'GET'
    const send = (status: number, value: Fields, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify(value))
    }
    if (!/^Bearer sk_test_/.test(request.headers.authorization ?? ''))
      return send(401, errorOf('Invalid API Key provided.', 'invalid_request_error'))
    calls.push({ method, path: url.pathname, body })
    const kind = failing.find(({ path, kinds }) => kinds.length > 0 && path.test(url.pathname))?.kinds.shift()
    if (kind === 429)
      return send(429, errorOf('Too many requests.', 'invalid_request_error', 'rate_limit'), {
        'retry-after': '7',
      })
    if (kind === 500) return send(500, errorOf('An error occurred.', 'api_error'))
    if (kind === 'refused')
      return send(402, errorOf('Your card was declined.', 'card_error', 'card_declined'))
    const key = request.headers['idempotency-key'] as string | undefined
    const known = key === undefined ? undefined : answered.get(key)
    if (known !== undefined && known.params !== params)
      return send(400, errorOf('Keys can only be used with the same parameters.', 'idempotency_error'))
    const done = known ?? handle(method, url.pathname, body)
    if (key !== undefined && done.status < 400) answered.set(key, { params, ...done })
    if (kind === 'lost') {
      response.destroy()
      return
    }
    send(done.status, done.body)
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    webhookSecret,
    calls,
    customers,
    invoices,
    subscriptions,
    sessions,
    meterEvents,
    fail: (path, kinds) => void failing.push({ path, kinds: [...kinds] }),
    event(type, object, at = Date.now()) {
      const created = Math.floor(at / 1_000)
      const payload = JSON.stringify({ id: id('evt'), object: 'event', type, created, data: { object } })
      const signature = Stripe.webhooks.generateTestHeaderString({
        payload,
        secret: webhookSecret,
        timestamp: created,
      })
      return { body: payload, signature }
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function found(of: ReadonlyMap<string, Fields>, key: string) {
  const value = of.get(key)
  return value === undefined ? refused(`No such object: ${key}`, 404) : { status: 200, body: value }
}

function refused(message: string, status = 400): { status: number; body: Fields } {
  return { status, body: errorOf(message, 'invalid_request_error') }
}

function errorOf(message: string, type: string, code?: string): Fields {
  return { error: { message, type, ...(code === undefined ? {} : { code }) } }
}

/** `a[b][0]=c` as objects. */
function fieldsOf(text: string): Fields {
  const fields: Fields = {}
  for (const [name, value] of new URLSearchParams(text)) {
    const path = name.split(/[[\]]+/).filter((part) => part !== '')
    let at = fields
    for (const part of path.slice(0, -1)) {
      at[part] ??= {}
      at = at[part] as Fields
    }
    at[path.at(-1) ?? ''] = value
  }
  return fields
}
