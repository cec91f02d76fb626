// Makes src/money/prices/prices.json from the price data of @pydantic/genai-prices (MIT), a development dependency, and price-conditions.ts:
//   node scripts/run.cjs scripts/prices-update.ts [--retrieved <yyyy-mm-dd>]
// It asks no network and guesses nothing: a model whose price it cannot express exactly is left out, and so unpriced.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  calcPrice,
  findProvider,
  type MatchLogic,
  type ModelInfo,
  type ModelPrice,
  type Provider,
} from '@pydantic/genai-prices'
import { z } from 'zod'
import { type AmountTexts, MEDIA } from '../src/money/prices/amounts.ts'
import { createPriceBook, type ModelPrices, type PricePeriod } from '../src/money/prices/price-book.ts'
import { DOCUMENTED_NAMES } from './price-aliases.ts'
import { withConditions } from './price-conditions.ts'

const PACKAGE = '@pydantic/genai-prices'
/** The providers of the registry, and the hosts of open models that it reaches as servers of these names. */
const PROVIDERS = [
  'openai',
  'anthropic',
  'google',
  'groq',
  'together',
  'fireworks',
  'mistral',
  'deepseek',
] as const
const OUT = join(import.meta.dirname, '..', 'src', 'money', 'prices', 'prices.json')
const OFFLINE: ModelPrices = {
  provider: 'offline',
  model: 'extractive',
  aliases: [],
  source: 'It runs in this process and calls nobody.',
  prices: [
    {
      effectiveFrom: null,
      input: '0',
      cachedInput: '0',
      cacheWrite: '0',
      cacheWriteOneHour: '0',
      output: '0',
    },
  ],
}
const KINDS = [
  ['input', 'input_mtok'],
  ['cachedInput', 'cache_read_mtok'],
  ['cacheWrite', 'cache_write_mtok'],
  ['cacheWriteOneHour', 'cache_write_1h_mtok'],
  ['output', 'output_mtok'],
  ['reasoning', 'output_reasoning_mtok'],
  ['audioInput', 'input_audio_mtok'],
  ['audioCachedInput', 'cache_audio_read_mtok'],
  ['audioOutput', 'output_audio_mtok'],
  ['imageInput', 'input_image_mtok'],
  ['imageCachedInput', 'cache_image_read_mtok'],
  ['imageOutput', 'output_image_mtok'],
  ['videoInput', 'input_video_mtok'],
  ['videoCachedInput', 'cache_video_read_mtok'],
  ['videoOutput', 'output_video_mtok'],
] as const satisfies readonly (readonly [keyof AmountTexts, string])[]
/** Fees for tools that run at the provider. They are no part of the price of a token. */
const TOOL_FEES: readonly string[] = ['web_searches_kcount', 'storage_searches_kcount']
/** The source says of some prices that they are another seller's, or that it found no page for them. */
const DOUBTED = /open ?router|can't find/i
/** Any decimal of so many digits survives being a double. */
const EXACT_DIGITS = 15

export type LeftOutBecause =
  | 'no price of input and output tokens'
  | 'the price depends on the hour'
  | 'charged by something else than tokens'
  | 'no whole number of pico-USD'
  | 'doubted by the source'
  | 'sold by Vertex AI only'
  | 'no exact name'

export interface Conversion {
  readonly models: readonly ModelPrices[]
  readonly leftOut: readonly { readonly model: string; readonly because: LeftOutBecause }[]
  /** Rules for prefixes and patterns of the models taken, none of which is used. */
  readonly patternsUnused: number
}

/** The id of the model by which the source itself prices a name, or undefined where it knows none. */
export type PricedAs = (provider: string, name: string) => string | undefined

if (import.meta.main) main()

function main(): void {
  const today = new Date().toISOString().slice(0, 10)
  const { values } = parseArgs({ options: { retrieved: { type: 'string', default: today } } })
  const { file, conversion } = makePriceFile(values.retrieved)
  writeFileSync(OUT, `${JSON.stringify(file, null, 2)}\n`)
  for (const { model, because } of conversion.leftOut) console.log(`left out: ${model} (${because})`)
  console.log(`${file.models.length} models, ${conversion.leftOut.length} left out. Now: npm run format`)
}

/** The content of prices.json, from the package that is installed. */
export function makePriceFile(retrieved: string) {
  const folder = new URL('..', import.meta.resolve(PACKAGE))
  const manifest = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')))
  const licenceText = readFileSync(new URL('LICENSE', folder), 'utf8').trim()
  const copyright = /^Copyright .+$/m.exec(licenceText)?.[0]
  if (copyright === undefined) throw new Error(`The licence of ${PACKAGE} names no owner.`)
  const providers = PROVIDERS.map((providerId) => {
    const provider = findProvider({ providerId })
    if (provider?.id !== providerId) throw new Error(`${PACKAGE} knows no provider "${providerId}".`)
    return provider
  })
  const conversion = convertPrices(
    providers,
    (providerId, name) => calcPrice({}, name, { providerId })?.model.id,
  )
  const models = [OFFLINE, ...conversion.models.map(withConditions)]
  createPriceBook({ models })
  const header = {
    source: `${PACKAGE} ${manifest.version}`,
    licence: 'MIT',
    notice: `NOTICE: price data from ${PACKAGE}. ${copyright}. Its licence follows.`,
    licenceText,
    retrieved,
    unit: 'Whole pico-USD per token: "1250000" is 1.25 USD per million tokens. Days begin at 00:00 UTC.',
    conditions:
      'Prices under conditions (batch, flex, priority, us) are from pages of the providers, named with each.',
    modelsLeftOut: conversion.leftOut.length,
    patternsUnused: conversion.patternsUnused,
  }
  return { file: { header, models }, conversion }
}

export function convertPrices(providers: readonly Provider[], pricedAs: PricedAs): Conversion {
  const models: ModelPrices[] = []
  const leftOut: { model: string; because: LeftOutBecause }[] = []
  let patternsUnused = 0
  for (const provider of providers) {
    for (const info of provider.models) {
      const documented = DOCUMENTED_NAMES[provider.id] ?? []
      const names = [...new Set([info.id, ...exactNames(info.match), ...documented])].filter(
        // An id that ends in a dash is a prefix.
        (name) => !name.endsWith('-') && pricedAs(provider.id, name) === info.id,
      )
      const model = convertModel(provider, info, names)
      if (typeof model === 'string') leftOut.push({ model: `${provider.id}/${info.id}`, because: model })
      else {
        models.push(model)
        patternsUnused += patternCount(info.match)
      }
    }
  }
  return { models, leftOut, patternsUnused }
}

/** Pico-USD per token of a decimal text of USD per million tokens; undefined where that is not whole. */
export function picosOf(decimal: string): string | undefined {
  const match = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,2}))?$/.exec(decimal)
  if (!match) return undefined
  const fraction = match[2] ?? ''
  const digits = BigInt(`${match[1]}${fraction}`)
  // The package holds numbers. With more digits than this, the shortest text of a double may not be the decimal it was made of.
  if (digits.toString().length > EXACT_DIGITS) return undefined
  // A dollar per million tokens is a million pico-USD per token.
  const shift = 6 + Number(match[3] ?? '0') - fraction.length
  if (shift >= 0) return (digits * 10n ** BigInt(shift)).toString()
  const divisor = 10n ** BigInt(-shift)
  return digits % divisor === 0n ? (digits / divisor).toString() : undefined
}

function convertModel(
  provider: Provider,
  info: ModelInfo,
  names: readonly string[],
): ModelPrices | LeftOutBecause {
  const [model, ...aliases] = names
  if (provider.id === 'google' && info.id.startsWith('claude-')) return 'sold by Vertex AI only'
  const periods = periodsOf(info.prices)
  if (typeof periods === 'string') return periods
  if (DOUBTED.test(info.price_comments ?? '')) return 'doubted by the source'
  if (model === undefined) return 'no exact name'
  const media = mediaPricedApart(info)
  return {
    provider: provider.id,
    model,
    aliases,
    source: provider.pricing_urls?.[0] ?? PACKAGE,
    ...(media.length === 0 ? {} : { mediaPricedApart: media }),
    prices: periods,
  }
}

/** Names that match exactly. Rules for prefixes and patterns are not taken: they charge the wrong model sooner or later. */
function exactNames(match: MatchLogic): readonly string[] {
  if ('equals' in match) return [match.equals]
  return 'or' in match ? match.or.flatMap(exactNames) : []
}

function patternCount(match: MatchLogic): number {
  if ('equals' in match) return 0
  return 'or' in match ? match.or.reduce((sum, rule) => sum + patternCount(rule), 0) : 1
}

/** The source scans its periods from the last to the first; with rising dates that is the same as each ending at the next. */
function periodsOf(prices: ModelInfo['prices']): readonly PricePeriod[] | LeftOutBecause {
  const entries = Array.isArray(prices) ? prices : [{ prices }]
  const starts: (string | null)[] = []
  for (const [at, { constraint }] of entries.entries()) {
    if (constraint?.type === 'time_of_date') return 'the price depends on the hour'
    if (constraint === undefined && at > 0) throw new Error('Only the first price may have no date.')
    starts.push(constraint?.start_date ?? null)
  }
  const periods: PricePeriod[] = []
  for (const [at, entry] of entries.entries()) {
    const amounts = amountsOf(entry.prices)
    if (typeof amounts === 'string') return amounts
    const until = starts[at + 1]
    periods.push({
      effectiveFrom: starts[at] ?? null,
      ...(until == null ? {} : { effectiveUntil: until }),
      ...amounts,
    })
  }
  return periods
}

type Amounts = AmountTexts & Pick<PricePeriod, 'tiers'>

/** Tiers mean the same on both sides: over the start, by the whole prompt with its cached tokens, the whole call costs that. */
function amountsOf(prices: ModelPrice): Amounts | LeftOutBecause {
  const rated: readonly string[] = KINDS.map(([, key]) => key)
  for (const key of Object.keys(prices)) {
    if (!rated.includes(key) && !TOOL_FEES.includes(key)) return 'charged by something else than tokens'
  }
  const base = amountsAbove(prices, 0)
  if (typeof base === 'string') return base
  const tiers: NonNullable<PricePeriod['tiers']>[number][] = []
  for (const aboveTokens of tierStarts(prices)) {
    const amounts = amountsAbove(prices, aboveTokens)
    if (typeof amounts === 'string') return amounts
    tiers.push({ aboveTokens, ...amounts })
  }
  return tiers.length === 0 ? base : { ...base, tiers }
}

function tierStarts(prices: ModelPrice): readonly number[] {
  const starts = new Set<number>()
  for (const [, key] of KINDS) {
    const price = prices[key]
    if (typeof price === 'object') for (const tier of price.tiers) starts.add(tier.start)
  }
  return [...starts].sort((a, b) => a - b)
}

/** The prices of a call whose prompt has more than so many tokens. */
function amountsAbove(prices: ModelPrice, tokens: number): AmountTexts | LeftOutBecause {
  const found: Partial<Record<keyof AmountTexts, string>> = {}
  for (const [kind, key] of KINDS) {
    const price = priceAbove(prices[key], tokens)
    if (price === undefined) continue
    const picos = picosOf(String(price))
    if (picos === undefined) return 'no whole number of pico-USD'
    found[kind] = picos
  }
  const { input, output } = found
  if (input === undefined || output === undefined) return 'no price of input and output tokens'
  return { ...found, input, output }
}

function priceAbove(price: ModelPrice[string], tokens: number): number | undefined {
  if (typeof price !== 'object') return price
  const reached = price.tiers.filter(({ start }) => start <= tokens).sort((a, b) => a.start - b.start)
  return reached.at(-1)?.price ?? price.base
}

/**
 * Media that do not cost what text does, and whose amounts the source lacks in part: all of models that talk live, and audio
 * of models named after it. A medium that the source does not name otherwise costs what text does, as its units say.
 */
function mediaPricedApart({ id }: ModelInfo): readonly string[] {
  if (/live|realtime/.test(id)) return MEDIA
  return /audio/.test(id) ? ['audio'] : []
}
