import { z } from 'zod'
import { pageOf, pageQuery, time } from '../fields.ts'
import { comparePrices, price, priceDiff, priceSubject, setPrice } from '../price.ts'
import { route } from '../route.ts'
import { idParam } from './path-params.ts'

const shared = { tag: 'prices' } as const
const params = { id: idParam('price', 'price.not-found') } as const
const at = time.optional().meta({ description: 'The prices of this moment; now, where nothing is said.' })

export const priceRoutes = {
  listPrices: route({
    ...shared,
    method: 'GET',
    path: '/financial/prices',
    permission: 'READ_BILLING',
    summary: 'List prices: your own with their history, newest first, or those of the book',
    description: '`source=book` lists the product’s own prices in force at `at`, by name.',
    query: pageQuery.extend({
      source: z.enum(['own', 'book']).optional(),
      subject: priceSubject.optional(),
      provider: z.string().min(1).max(100).optional(),
      at,
    }),
    responses: { 200: pageOf(price) },
  }),
  getPrice: route({
    ...shared,
    method: 'GET',
    path: '/financial/prices/effective',
    permission: 'READ_BILLING',
    summary: 'Get the price of a subject that holds for you at a time: your own, else the book’s',
    query: z.strictObject({ subject: priceSubject, at }),
    responses: { 200: price },
    errors: ['price.not-found'],
  }),
  setPrice: route({
    ...shared,
    method: 'POST',
    feature: 'own_prices',
    path: '/financial/prices',
    permission: 'MANAGE_BILLING',
    summary: 'Set a price of your own',
    description:
      'It counts instead of the book’s for exactly this subject. A price is never changed: a new one ends the open one where it begins, and must not overlap others. What was rated already stays as it is until it is rated anew.',
    body: { schema: setPrice },
    responses: { 201: price },
    errors: ['price.overlap'],
    idempotent: true,
  }),
  withdrawPrice: route({
    ...shared,
    method: 'POST',
    path: '/financial/prices/{id}/withdraw',
    permission: 'MANAGE_BILLING',
    summary: 'Withdraw a price of your own',
    description: 'It counts at no time any more. The one that it ended stays ended.',
    params,
    body: { schema: z.strictObject({}), optional: true },
    responses: { 200: price },
  }),
  diffPrices: route({
    ...shared,
    method: 'GET',
    path: '/financial/prices/diff',
    permission: 'READ_BILLING',
    summary: 'Compare the book with the second source that comes with the product',
    query: z.strictObject({ at }),
    responses: { 200: priceDiff },
  }),
  comparePrices: route({
    ...shared,
    method: 'POST',
    path: '/financial/prices/diff',
    permission: 'READ_BILLING',
    summary: 'Compare the book with prices of another source',
    description: 'Changes nothing.',
    query: z.strictObject({ at }),
    body: { schema: comparePrices },
    responses: { 200: priceDiff },
  }),
} as const
