// Makes src/money/prices/prices.json from a copy of an open price list (the data.json of pydantic/genai-prices, MIT):
//   node scripts/prices-update.ts <data.json> --commit <sha> --retrieved <yyyy-mm-dd> [--out <file>]
// It asks no network and guesses nothing: a model whose price it cannot express exactly is left out, and so unpriced.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type AmountTexts,
  createPriceBook,
  type ModelPrices,
  type PricePeriod,
} from '../src/money/price-book.ts'

const PROVIDERS: readonly string[] = [
  'anthropic',
  'openai',
  'google',
  'groq',
  'fireworks',
  'mistral',
  'deepseek',
]
const SOURCE = 'https://github.com/pydantic/genai-prices'
const DEFAULT_OUT = join(import.meta.dirname, '..', 'src', 'money', 'prices', 'prices.json')
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
const KINDS = {
  input: 'input_mtok',
  cachedInput: 'cache_read_mtok',
  cacheWrite: 'cache_write_mtok',
  output: 'output_mtok',
}

if (import.meta.main) main()

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { commit: { type: 'string' }, retrieved: { type: 'string' }, out: { type: 'string' } },
  })
  const [input] = positionals
  if (input === undefined || values.commit === undefined || values.retrieved === undefined) {
    throw new Error('Give the file, --commit and --retrieved: a price list says where it comes from.')
  }
  const { models, leftOut } = convertPrices(readFileSync(input, 'utf8'))
  const header = {
    source: SOURCE,
    licence: 'MIT',
    notice:
      'NOTICE: prices from pydantic/genai-prices, Copyright (c) Pydantic Services Inc. 2025 to present, MIT licence.',
    retrieved: values.retrieved,
    upstreamCommit: values.commit,
    unit: 'Whole pico-USD per token: "1250000" is 1.25 USD per million tokens. Days begin at 00:00 UTC.',
  }
  createPriceBook({ models })
  writeFileSync(values.out ?? DEFAULT_OUT, `${JSON.stringify({ header, models }, null, 2)}\n`)
  console.log(`${models.length} models; ${leftOut.length} left out: ${leftOut.join(', ')}`)
}

/** The models of a list, with the names of those that were left out because something of theirs has no exact form here. */
export function convertPrices(text: string): { models: readonly ModelPrices[]; leftOut: readonly string[] } {
  const models: ModelPrices[] = [OFFLINE]
  const leftOut: string[] = []
  const taken = new Set<string>()
  for (const provider of arrayOf(parseExactly(text))) {
    const name = textOf(recordOf(provider).id)
    if (!PROVIDERS.includes(name)) continue
    for (const model of arrayOf(recordOf(provider).models)) {
      const { id, match, prices } = recordOf(model)
      const modelName = textOf(id)
      const periods = periodsOf(prices)
      if (periods === undefined || taken.has(`${name}/${modelName}`)) {
        leftOut.push(`${name}/${modelName}`)
        continue
      }
      taken.add(`${name}/${modelName}`)
      const aliases = exactNames(match).filter((alias) => !taken.has(`${name}/${alias}`))
      for (const alias of aliases) taken.add(`${name}/${alias}`)
      models.push({ provider: name, model: modelName, aliases, source: SOURCE, prices: periods })
    }
  }
  return { models, leftOut }
}

/** Pico-USD per token of a decimal text of USD per million tokens; undefined where that is not whole. */
export function picosOf(decimal: string): string | undefined {
  const match = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,2}))?$/.exec(decimal)
  if (!match) return undefined
  const fraction = match[2] ?? ''
  // A dollar per million tokens is a million pico-USD per token.
  const shift = 6 + Number(match[3] ?? '0') - fraction.length
  const digits = BigInt(`${match[1]}${fraction}`)
  if (shift >= 0) return (digits * 10n ** BigInt(shift)).toString()
  const divisor = 10n ** BigInt(-shift)
  return digits % divisor === 0n ? (digits / divisor).toString() : undefined
}

/** Names that match exactly. Rules for prefixes and patterns are not taken: they charge the wrong model sooner or later. */
function exactNames(match: unknown): string[] {
  if (!isRecord(match)) return []
  if (typeof match.equals === 'string') return [match.equals]
  return 'or' in match ? [...new Set(arrayOf(match.or).flatMap(exactNames))] : []
}

/** Periods by date; undefined where a price depends on the hour, on requests, or is not whole. */
function periodsOf(prices: unknown): readonly PricePeriod[] | undefined {
  if (!Array.isArray(prices)) {
    const amounts = amountsOf(prices)
    return amounts && [{ effectiveFrom: null, ...amounts }]
  }
  const periods: PricePeriod[] = []
  for (const [at, entry] of prices.entries()) {
    const { constraint, prices: own } = recordOf(entry)
    const amounts = amountsOf(own)
    const from = constraint == null ? null : dayOf(constraint)
    const next: unknown = prices[at + 1]
    const until = next === undefined ? null : dayOf(recordOf(next).constraint)
    if (amounts === undefined || from === undefined || until === undefined) return undefined
    periods.push({ effectiveFrom: from, effectiveUntil: until, ...amounts })
  }
  return periods.length === 0 ? undefined : periods
}

function dayOf(constraint: unknown): string | undefined {
  if (!isRecord(constraint) || typeof constraint.start_date !== 'string') return undefined
  return constraint.start_date
}

type Amounts = AmountTexts & Pick<PricePeriod, 'tiers'>

function amountsOf(prices: unknown): Amounts | undefined {
  const given = recordOf(prices)
  if ('requests_kcount' in given) return undefined
  const starts = new Set<number>()
  for (const field of Object.values(KINDS)) {
    const price = given[field]
    if (isRecord(price)) for (const tier of arrayOf(price.tiers)) starts.add(Number(recordOf(tier).start))
  }
  const base = amountsFor(given, 0)
  const tiers = [...starts]
    .sort((a, b) => a - b)
    .map((start) => ({ start, amounts: amountsFor(given, start) }))
  if (base === undefined || tiers.some(({ amounts }) => amounts === undefined)) return undefined
  const above = tiers.flatMap(({ start, amounts }) => (amounts ? [{ aboveTokens: start, ...amounts }] : []))
  return above.length === 0 ? base : { ...base, tiers: above }
}

/** The prices of a call of more than so many tokens; undefined where input or output has none, or one is not whole. */
function amountsFor(given: Readonly<Record<string, unknown>>, above: number): AmountTexts | undefined {
  const picos = (field: string): string | undefined => {
    const price = given[field]
    if (!isRecord(price)) return typeof price === 'string' ? picosOf(price) : undefined
    const reached = arrayOf(price.tiers).filter((tier) => Number(recordOf(tier).start) <= above)
    return picosOf(textOf(reached.length === 0 ? price.base : recordOf(reached.at(-1)).price))
  }
  const input = picos(KINDS.input)
  const output = picos(KINDS.output)
  const cachedInput = picos(KINDS.cachedInput)
  const cacheWrite = picos(KINDS.cacheWrite)
  const inexact = (field: string, text: string | undefined): boolean =>
    given[field] !== undefined && text === undefined
  if (inexact(KINDS.cachedInput, cachedInput) || inexact(KINDS.cacheWrite, cacheWrite)) return undefined
  if (input === undefined || output === undefined) return undefined
  return { input, cachedInput, cacheWrite, output }
}

/** JSON with every number kept as the text that stood there, so that no price passes through a float. */
function parseExactly(text: string): unknown {
  const keep = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number'
      ? (context?.source ?? refuse('This Node cannot read the text of a number.'))
      : value
  return JSON.parse(text, keep)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : refuse('The price list has not the form that this script reads.')
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : refuse('The price list has not the form that this script reads.')
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : refuse('The price list has not the form that this script reads.')
}

function refuse(why: string): never {
  throw new Error(why)
}
