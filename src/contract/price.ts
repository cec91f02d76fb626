// Prices as they are written and answered: a tenant's own, the product's book, and what another source says otherwise.

import { z } from 'zod'
import { line, time } from './fields.ts'

export const PRICE_SUBJECT_CHARS_MAX = 210
const TIERS_MAX = 20
/** How many prices of another source one request compares. */
export const COMPARED_PRICES_MAX = 10_000
const NOTE_CHARS_MAX = 500
const AMOUNT_CHARS_MAX = 40

/** Kinds of tokens that have a price, in the order in which they are shown. */
export const TOKEN_KINDS = [
  'input',
  'cachedInput',
  'cacheWrite',
  'cacheWriteOneHour',
  'output',
  'reasoning',
  'audioInput',
  'audioCachedInput',
  'audioOutput',
  'imageInput',
  'imageCachedInput',
  'imageOutput',
  'videoInput',
  'videoCachedInput',
  'videoOutput',
] as const
export type TokenKind = (typeof TOKEN_KINDS)[number]

/** Kinds that other sources tell as well, in the same sense. */
export const COMPARED_KINDS = [
  'input',
  'cachedInput',
  'cacheWrite',
  'cacheWriteOneHour',
  'output',
  'reasoning',
  'audioInput',
  'audioOutput',
] as const satisfies readonly TokenKind[]
export type ComparedKind = (typeof COMPARED_KINDS)[number]

/** What a price is for so much of. */
export const PRICE_UNITS = ['million_tokens', 'call', 'second', 'gb_month', 'gb'] as const
export type PriceUnit = (typeof PRICE_UNITS)[number]

export const priceSubject = line(PRICE_SUBJECT_CHARS_MAX).meta({
  description:
    'A model (`provider/model`), a tool (`tool/<name>`), `compute/second`, `storage/gb-month` or `bandwidth/gb`.',
  examples: ['openai/gpt-5-mini', 'tool/web-search', 'compute/second'],
})

const amount = z
  .string()
  .min(1)
  .max(AMOUNT_CHARS_MAX)
  .meta({ description: 'Exact decimal text of USD.', examples: ['1.25'] })

const tokenAmounts = {
  input: amount.optional(),
  cachedInput: amount.optional(),
  /** Writing to a cache of the provider's default lifetime (5 minutes where it offers two). */
  cacheWrite: amount.optional(),
  cacheWriteOneHour: amount.optional(),
  output: amount.optional(),
  /** Only where reasoning costs something else than the output that it is a part of. */
  reasoning: amount.optional(),
  audioInput: amount.optional(),
  audioCachedInput: amount.optional(),
  audioOutput: amount.optional(),
  imageInput: amount.optional(),
  imageCachedInput: amount.optional(),
  imageOutput: amount.optional(),
  videoInput: amount.optional(),
  videoCachedInput: amount.optional(),
  videoOutput: amount.optional(),
}
const aboveTokens = z.int().min(1).max(100_000_000)
const AMOUNTS =
  'Of a model, USD per million tokens of each kind: `input` and `output` at least; a kind or condition without a price is unpriced. Of anything else `price`, USD per unit.'

const tieredAmounts = {
  ...tokenAmounts,
  tiers: z
    .array(z.strictObject({ aboveTokens, ...tokenAmounts }))
    .max(TIERS_MAX)
    .optional()
    .meta({ description: 'Prices of all tokens of a call whose prompt has more tokens than this.' }),
  promptTokensMax: aboveTokens
    .optional()
    .meta({ description: 'The longest prompt that these are for, where longer ones have no price.' }),
}

export const priceAmounts = z
  .strictObject({
    ...tieredAmounts,
    conditions: z
      .record(z.string().min(1).max(40), z.strictObject(tieredAmounts))
      .optional()
      .meta({ description: 'What calls cost under another condition: `flex`, `batch`, `priority` …' }),
    price: amount.optional(),
  })
  .meta({ description: AMOUNTS })

export const setPrice = z.strictObject({
  subject: priceSubject,
  effectiveFrom: time.optional().meta({ description: 'Now, where nothing is said. It may be past.' }),
  effectiveUntil: time.optional().meta({ description: 'The first moment at which it no longer holds.' }),
  amounts: priceAmounts,
  note: line(NOTE_CHARS_MAX).optional().meta({ description: 'Why: the contract, the offer.' }),
})

export const price = z.object({
  /** Of a price of your own `prc_…`; of one of the product's book the name that usage records carry. */
  id: z.string(),
  source: z.enum(['own', 'book']),
  subject: z.string(),
  unit: z.enum(PRICE_UNITS),
  amounts: priceAmounts,
  effectiveFrom: time.nullable(),
  effectiveUntil: time.nullable(),
  /** Of one of your own. */
  note: z.string().nullable(),
  createdBy: z.string().nullable(),
  createdAt: time.nullable(),
  withdrawnAt: time.nullable(),
  /** Of one of the book: where it is published. */
  publishedAt: z.string().nullable(),
})

/** The prices of one model as another source has them. */
export const comparedPrice = z.strictObject({
  model: priceSubject,
  input: amount.optional(),
  cachedInput: amount.optional(),
  cacheWrite: amount.optional(),
  cacheWriteOneHour: amount.optional(),
  output: amount.optional(),
  reasoning: amount.optional(),
  audioInput: amount.optional(),
  audioOutput: amount.optional(),
})

export const comparePrices = z.strictObject({
  source: line(200).meta({ description: 'Where they are from.' }),
  prices: z.array(comparedPrice).max(COMPARED_PRICES_MAX),
})

export const priceDiff = z.object({
  at: time,
  ours: z.object({ source: z.string(), retrieved: z.string().nullable() }),
  theirs: z.object({ source: z.string(), retrieved: z.string().nullable() }),
  /** Models that both have, and how many of them agree in everything that both tell. */
  compared: z.int(),
  agreeing: z.int(),
  onlyHere: z.int(),
  onlyThere: z.int(),
  disagreements: z.array(
    z.object({
      model: z.string(),
      field: z.enum(COMPARED_KINDS),
      /** USD per million tokens; null: no price. */
      ours: z.string().nullable(),
      theirs: z.string(),
      /** Theirs by ours; null where ours is zero or none. */
      ratio: z.string().nullable(),
      /** Theirs is what the book has for an earlier time: they may be behind. */
      theirsIsEarlier: z.boolean(),
    }),
  ),
})

export type PriceAmounts = z.infer<typeof priceAmounts>
export type SetPrice = z.infer<typeof setPrice>
export type Price = z.infer<typeof price>
export type ComparedPrice = z.infer<typeof comparedPrice>
export type ComparePrices = z.infer<typeof comparePrices>
export type PriceDiff = z.infer<typeof priceDiff>
