// A small shop as an HTTP API, for the starter agent, the examples and tests. Run it alone:
//   node examples/shop-api/server.ts 8790
// It keeps orders in memory and honours Idempotency-Key, so that a repeated call places one order.

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BOOKS, DAYS, OPENING_HOURS, ORDERS, type Order, type Refund, totalUsd } from './catalogue.ts'
import { shopOpenapi } from './openapi.ts'

export interface Shop extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string
  readonly port: number
  readonly orders: () => readonly Order[]
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

const BODY_BYTES_MAX = 16_384
const FIRST_NEW_ORDER = 1_004
const DELIVERY_DAYS = 3
/** Shorter words are in every title. */
const WORD_CHARS_MIN = 4
const DAY_MS = 86_400_000

/** Listens on the loopback address; on a free port where `port` is 0. */
export async function startShop(port = 0): Promise<Shop> {
  const orders = new Map(ORDERS.map((order) => [order.order_id, order]))
  const byKey = new Map<string, Order>()
  const refunds = new Map<string, Refund>()
  const server = createServer((request, response) => {
    void answer(request, { orders, byKey, refunds, url: () => urlOf(server) })
      .catch(() => ({ status: 400, body: { message: 'The request is not understood.' } }))
      .then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    url: urlOf(server),
    port: (server.address() as AddressInfo).port,
    orders: () => [...orders.values()],
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface State {
  readonly orders: Map<string, Order>
  readonly byKey: Map<string, Order>
  readonly refunds: Map<string, Refund>
  readonly url: () => string
}

async function answer(request: IncomingMessage, state: State): Promise<Answer> {
  const { pathname, searchParams } = new URL(request.url ?? '/', state.url())
  const [, resource, id, part] = pathname.split('/')
  if (request.method === 'POST' && pathname === '/orders') return placeOrder(request, state)
  if (request.method === 'PUT' && resource === 'orders' && part === 'refund')
    return refundOrder(decodeURIComponent(id ?? ''), state)
  if (request.method !== 'GET') return missing('There is no such operation.')
  if (pathname === '/openapi.json') return { status: 200, body: shopOpenapi(state.url()) }
  if (pathname === '/books') return { status: 200, body: findBooks(searchParams.get('query') ?? '') }
  if (resource === 'orders' && id !== undefined) {
    const order = state.orders.get(decodeURIComponent(id))
    return order === undefined
      ? missing(`There is no order ${decodeURIComponent(id)}.`)
      : { status: 200, body: order }
  }
  if (resource === 'opening-hours' && id !== undefined)
    return openingHours(decodeURIComponent(id).toLowerCase())
  return missing('There is no such resource.')
}

/** Books with a word of the query that tells books apart. */
function findBooks(query: string): readonly unknown[] {
  const words = wordsOf(query)
  return BOOKS.filter(({ title, author }) =>
    wordsOf(`${title} ${author}`).some((word) => words.includes(word)),
  )
}

function wordsOf(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length >= WORD_CHARS_MIN)
}

function openingHours(name: string): Answer {
  const day = DAYS.find((known) => known === name)
  if (day === undefined) return missing(`"${name}" is not a day of the week.`)
  const hours = OPENING_HOURS[day]
  return {
    status: 200,
    body: { day, open: hours !== null, opens: hours?.opens ?? null, closes: hours?.closes ?? null },
  }
}

async function placeOrder(request: IncomingMessage, { orders, byKey }: State): Promise<Answer> {
  const key = request.headers['idempotency-key']
  const known = typeof key === 'string' ? byKey.get(key) : undefined
  if (known !== undefined) return { status: 201, body: known }
  const { isbn, quantity } = JSON.parse(await bodyOf(request)) as { isbn?: unknown; quantity?: unknown }
  const book = BOOKS.find((one) => one.isbn === isbn)
  if (book === undefined) return missing('There is no book with that ISBN.')
  if (
    typeof quantity !== 'number' ||
    !Number.isInteger(quantity) ||
    quantity < 1 ||
    quantity > book.in_stock
  ) {
    return { status: 409, body: { message: `${book.in_stock} of "${book.title}" are in stock.` } }
  }
  const order: Order = {
    order_id: String(FIRST_NEW_ORDER + orders.size - ORDERS.length),
    isbn: book.isbn,
    quantity,
    total_usd: totalUsd(book.isbn, quantity),
    status: 'received',
    placed_on: dayText(Date.now()),
    expected_on: dayText(Date.now() + DELIVERY_DAYS * DAY_MS),
  }
  orders.set(order.order_id, order)
  if (typeof key === 'string') byKey.set(key, order)
  return { status: 201, body: order }
}

/** The number of the order is the key: a second request finds the refund of the first. */
function refundOrder(id: string, { orders, refunds }: State): Answer {
  const order = orders.get(id)
  if (order === undefined) return missing(`There is no order ${id}.`)
  const refund = refunds.get(id) ?? {
    order_id: id,
    amount_usd: order.total_usd,
    refunded_on: dayText(Date.now()),
  }
  refunds.set(id, refund)
  return { status: 200, body: refund }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > BODY_BYTES_MAX) throw new Error('too long')
  }
  return text
}

function missing(message: string): Answer {
  return { status: 404, body: { message } }
}

function dayText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

if (import.meta.main) {
  const shop = await startShop(Number(process.argv[2] ?? '0'))
  console.log(`The example shop listens on ${shop.url} (${shop.url}/openapi.json).`)
}
