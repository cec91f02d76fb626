// The golden corpus: what providers send, what it counts, and what it costs to the nano-dollar, worked out beside it.
// A case that fails after a change of prices.json is a price that somebody corrected: correct its terms by hand.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, it } from 'node:test'
import { z } from 'zod'
import type { Json } from '../../src/base/json.ts'
import { type ModelUsage, ZERO_COUNTS } from '../../src/contract/usage.ts'
import type { Protocol } from '../../src/models/ai-sdk/protocol.ts'
import { type ToldUsage, toldBy, usageFrom } from '../../src/models/ai-sdk/usage.ts'
import { normaliseUsage } from '../../src/models/usage/normalise-usage.ts'
import { priceBook } from '../../src/money/prices/price-book.ts'
import { type Rating, rate } from '../../src/money/prices/rating.ts'
import { usageFromRecord } from '../../src/money/prices/recorded-usage.ts'
import { worstCase } from '../../src/money/prices/worst-case.ts'

const CASES_MIN = 200
/** Pitfalls that a payload can fall into. */
const TRAPS = ['22', '23', '24', '25', '26', '27', '28']
const HALF_NANO = 500n
const PICOS_PER_NANO = 1_000n

const count = z.number().int().nonnegative()
const digits = z.string().regex(/^\d+$/)
const corpusCase = z.strictObject({
  name: z.string(),
  traps: z.array(z.string()),
  dialect: z.enum(['chat', 'responses', 'anthropic', 'google']),
  model: z.string(),
  at: z.iso.date(),
  /** The usage of a whole answer, or what the chunks of a stream told. */
  raw: z.json().optional(),
  chunks: z.array(z.json()).optional(),
  counts: z
    .strictObject({
      inputTokens: count,
      cachedInputTokens: count,
      cacheWriteTokens: count,
      outputTokens: count,
      reasoningTokens: count,
    })
    .nullable(),
  cost: z.enum(['priced', 'unpriced', 'usage_missing']),
  /** Tokens, their price in pico-USD, and what they are. */
  terms: z.array(z.tuple([count, digits, z.string()])).optional(),
  nanos: digits.optional(),
})
type CorpusCase = z.infer<typeof corpusCase>
const corpusFile = z.strictObject({ about: z.string(), cases: z.array(corpusCase) })

const files = globSync(join(import.meta.dirname, 'usage', '*.json')).toSorted()
const corpus = files.map((path) => ({
  name: basename(path, '.json'),
  ...corpusFile.parse(JSON.parse(readFileSync(path, 'utf8'))),
}))
const all = corpus.flatMap(({ cases }) => cases)
const book = priceBook()

describe('the golden corpus', () => {
  it(`has at least ${CASES_MIN} payloads, each with its own name, and every trap`, () => {
    assert.ok(all.length >= CASES_MIN, `${all.length}`)
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length)
    assert.deepEqual([...new Set(all.flatMap(({ traps }) => traps))].sort(), TRAPS)
  })

  it('works each amount out by itself, over every token once', () => {
    for (const { name, counts, terms, nanos, cost } of all) {
      assert.equal(terms !== undefined && nanos !== undefined, cost === 'priced', name)
      if (terms === undefined || nanos === undefined || counts === null) continue
      const picos = terms.reduce((sum, [tokens, price]) => sum + BigInt(tokens) * BigInt(price), 0n)
      assert.equal((picos + HALF_NANO) / PICOS_PER_NANO, BigInt(nanos), name)
      const tokens = terms.reduce((sum, [tokens]) => sum + tokens, 0)
      const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens } = counts
      assert.equal(tokens, inputTokens + cachedInputTokens + cacheWriteTokens + outputTokens, name)
    }
  })

  for (const { name, cases } of corpus) {
    describe(name, () => {
      for (const one of cases) it(one.name, () => check(one))
    })
  }
})

function check(one: CorpusCase): void {
  const usage = usageOf(one)
  assert.deepEqual(usage.state === 'known' ? usage.counts : null, one.counts)
  const at = Date.parse(`${one.at}T12:00:00.000Z`)
  const rating = rate(book, one.model, usage, at)
  assert.equal(rating.costState, one.cost)
  if (rating.costState === 'priced') assert.equal(rating.costNanos.toString(), one.nanos)
  assert.deepEqual(rate(book, one.model, fromRecord(usage), at), rating, 'rated anew from its record')
  checkWorstCase(one, rating, at)
}

function checkWorstCase({ model, counts }: CorpusCase, rating: Rating, at: number): void {
  if (counts === null || rating.costState !== 'priced') return
  const promptTokensMax = counts.inputTokens + counts.cachedInputTokens + counts.cacheWriteTokens
  const worst = worstCase(book, model, { promptTokensMax, outputTokensMax: counts.outputTokens }, at)
  assert.ok(worst !== undefined && worst >= rating.costNanos, 'no more than the worst case')
}

function usageOf({ dialect, raw, chunks }: CorpusCase): ModelUsage {
  return chunks === undefined ? normaliseUsage(dialect, (raw ?? null) as Json) : streamed(dialect, chunks)
}

function streamed(dialect: Protocol, chunks: readonly unknown[]): ModelUsage {
  let told: ToldUsage | undefined
  for (const chunk of chunks) told = toldBy(dialect, chunk, told)
  return usageFrom(dialect, told)
}

function fromRecord(usage: ModelUsage): ModelUsage {
  return usageFromRecord({
    ...(usage.state === 'known' ? usage.counts : ZERO_COUNTS),
    usageState: usage.state,
    rawUsage: JSON.stringify(usage.state === 'none' ? null : usage.raw),
  })
}
