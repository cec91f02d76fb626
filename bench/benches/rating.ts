// How many calls a second one core can rate: usage as three providers send it, against the product's own price book.

import type { Json } from '../../src/base/json.ts'
import type { ModelUsage } from '../../src/contract/usage.ts'
import type { Protocol } from '../../src/models/ai-sdk/protocol.ts'
import { normaliseUsage } from '../../src/models/usage/normalise-usage.ts'
import { type PriceBook, priceBook } from '../../src/money/prices/price-book.ts'
import { rate } from '../../src/money/prices/rating.ts'
import { worstCase } from '../../src/money/prices/worst-case.ts'
import type { Bench, Figure } from '../figure.ts'
import { median } from '../support/statistics.ts'

const CALLS = 1_000_000
const WARM_CALLS = 200_000
const RATINGS_MIN = 500_000
const AT = Date.parse('2026-11-22T12:00:00.000Z')

const SENT: readonly { readonly model: string; readonly dialect: Protocol; readonly raw: Json }[] = [
  {
    model: 'openai/gpt-4.1',
    dialect: 'chat',
    raw: {
      prompt_tokens: 4_000,
      completion_tokens: 500,
      total_tokens: 4_500,
      prompt_tokens_details: { cached_tokens: 3_000, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
      service_tier: 'default',
    },
  },
  {
    model: 'anthropic/claude-sonnet-4-5',
    dialect: 'anthropic',
    raw: {
      input_tokens: 100,
      cache_read_input_tokens: 30_000,
      cache_creation_input_tokens: 2_000,
      cache_creation: { ephemeral_5m_input_tokens: 1_500, ephemeral_1h_input_tokens: 500 },
      output_tokens: 500,
      service_tier: 'batch',
    },
  },
  {
    model: 'google/gemini-2.5-flash',
    dialect: 'google',
    raw: {
      promptTokenCount: 1_000,
      candidatesTokenCount: 200,
      thoughtsTokenCount: 300,
      totalTokenCount: 1_500,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 900 },
        { modality: 'AUDIO', tokenCount: 100 },
      ],
      trafficType: 'ON_DEMAND',
    },
  },
]

export const ratingBench: Bench = async ({ rounds }) => {
  const book = priceBook()
  const usages = SENT.map(({ model, dialect, raw }) => ({ model, usage: normaliseUsage(dialect, raw) }))
  return [
    {
      ...figure('calls rated', rounds, (calls) => rateAll(book, usages, calls)),
      comparison: { kind: 'at-least', limit: RATINGS_MIN },
    },
    figure('calls normalised and rated', rounds, (calls) => normaliseAndRateAll(book, calls)),
    figure('worst cases', rounds, (calls) => worstCases(book, calls)),
  ]
}

function figure(
  metric: string,
  rounds: number,
  work: (calls: number) => void,
): Extract<Figure, { value: number }> {
  work(WARM_CALLS)
  const rates: number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    work(CALLS)
    const { user, system } = process.cpuUsage(before)
    rates.push(CALLS / ((user + system) / 1e6))
  }
  return { metric, value: median(rates), unit: '/s of one core' }
}

function rateAll(
  book: PriceBook,
  usages: readonly { readonly model: string; readonly usage: ModelUsage }[],
  calls: number,
): void {
  for (let call = 0; call < calls; call += usages.length)
    for (const { model, usage } of usages) expectPriced(rate(book, model, usage, AT).costState)
}

function normaliseAndRateAll(book: PriceBook, calls: number): void {
  for (let call = 0; call < calls; call += SENT.length)
    for (const { model, dialect, raw } of SENT)
      expectPriced(rate(book, model, normaliseUsage(dialect, raw), AT).costState)
}

function worstCases(book: PriceBook, calls: number): void {
  for (let call = 0; call < calls; call += SENT.length)
    for (const { model } of SENT) {
      const size = { promptTokensMax: 1_000 + call, outputTokensMax: 4_096, media: false }
      expectPriced(worstCase(book, model, size, AT) === undefined ? 'unpriced' : 'priced')
    }
}

function expectPriced(state: string): void {
  if (state !== 'priced') throw new Error(`A call of the bench is ${state}.`)
}
