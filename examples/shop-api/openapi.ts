// The example shop's API as an OpenAPI document, from which the tools of the starter agent are made.

import { DAYS } from './catalogue.ts'

const json = (schema: object) => ({ 'application/json': { schema } })
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const answer = (description: string, schema: object) => ({ description, content: json(schema) })
const NOT_FOUND = answer('There is none.', ref('Problem'))

const orderId = {
  name: 'order_id',
  in: 'path',
  required: true,
  description: 'The number of the order, for example 1002.',
  schema: { type: 'string', pattern: '^[0-9]{4,6}$' },
}

export function shopOpenapi(baseUrl: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Example bookshop',
      version: '1.0.0',
      description: 'Books, orders and opening hours of a small shop.',
    },
    servers: [{ url: baseUrl }],
    paths: {
      '/books': {
        get: {
          operationId: 'find_books',
          summary:
            'Find books of the bookshop by title or author, with their price and how many are in stock.',
          parameters: [
            {
              name: 'query',
              in: 'query',
              required: true,
              description: 'Words of the title or the author.',
              schema: { type: 'string', minLength: 1, maxLength: 200 },
            },
          ],
          responses: { 200: answer('The books found.', { type: 'array', items: ref('Book') }) },
        },
      },
      '/orders/{order_id}': {
        get: {
          operationId: 'get_order',
          summary:
            'Get the status and the expected delivery date of an order of the bookshop by its order number.',
          parameters: [orderId],
          responses: { 200: answer('The order.', ref('Order')), 404: NOT_FOUND },
        },
      },
      '/orders': {
        post: {
          operationId: 'place_order',
          summary: 'Place an order for a book at the bookshop.',
          requestBody: { required: true, content: json(ref('NewOrder')) },
          responses: {
            201: answer('The order that was placed.', ref('Order')),
            404: NOT_FOUND,
            409: answer('Sold out.', ref('Problem')),
          },
        },
      },
      '/orders/{order_id}/refund': {
        put: {
          operationId: 'refund_order',
          summary:
            'Pay an order of the bookshop back. An order is paid back once, however often it is asked.',
          parameters: [orderId],
          responses: { 200: answer('The refund.', ref('Refund')), 404: NOT_FOUND },
        },
      },
      '/opening-hours/{day}': {
        get: {
          operationId: 'get_opening_hours',
          summary:
            'Get the opening hours of the bookshop on a day of the week: when it opens and when it closes.',
          parameters: [
            {
              name: 'day',
              in: 'path',
              required: true,
              description: 'The day of the week.',
              schema: { type: 'string', enum: DAYS },
            },
          ],
          responses: { 200: answer('When the shop opens and closes.', ref('OpeningHours')), 404: NOT_FOUND },
        },
      },
    },
    components: { schemas: SCHEMAS },
  }
}

const SCHEMAS = {
  Book: object({
    isbn: { type: 'string' },
    title: { type: 'string' },
    author: { type: 'string' },
    price_usd: { type: 'string' },
    in_stock: { type: 'integer' },
  }),
  Order: object({
    order_id: { type: 'string' },
    isbn: { type: 'string' },
    quantity: { type: 'integer' },
    total_usd: { type: 'string' },
    status: { type: 'string', enum: ['received', 'packed', 'shipped', 'delivered'] },
    placed_on: { type: 'string', format: 'date' },
    expected_on: { type: 'string', format: 'date' },
  }),
  NewOrder: object({
    isbn: { type: 'string', description: 'The ISBN of the book, 13 digits.', pattern: '^[0-9]{13}$' },
    quantity: { type: 'integer', minimum: 1, maximum: 10 },
  }),
  Refund: object({
    order_id: { type: 'string' },
    amount_usd: { type: 'string' },
    refunded_on: { type: 'string', format: 'date' },
  }),
  OpeningHours: object({
    day: { type: 'string' },
    open: { type: 'boolean' },
    opens: { type: ['string', 'null'] },
    closes: { type: ['string', 'null'] },
  }),
  Problem: object({ message: { type: 'string' } }),
}

function object(properties: object): object {
  return { type: 'object', properties, required: Object.keys(properties) }
}
