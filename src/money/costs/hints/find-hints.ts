// Where money could be saved, from what was really sent and paid. Each hint has its saving, how that was computed, and the
// calls that show it. A hint that cannot be priced, or saves nothing, is not given.

import type { TenantId } from '../../../base/ids.ts'
import { isJsonObject, type Json, parseJson } from '../../../base/json.ts'
import type { Nanos } from '../../../base/money.ts'
import type { Clock, EpochMs } from '../../../base/time.ts'
import { type TokenCounts, ZERO_COUNTS } from '../../../contract/usage.ts'
import type { Database } from '../../../storage/database.ts'
import type { PriceBook } from '../../prices/price-book.ts'
import { rate } from '../../prices/rating.ts'
import { failuresPaid, type HeadUsed, headBodies, headsUsed, namesCalled } from './hint-store.ts'

export interface HintDeps {
  readonly db: Database
  readonly clock: Clock
  readonly pricesOf: (tenantId: TenantId) => Promise<PriceBook>
}

export interface FoundHint {
  readonly kind: 'caching-unused' | 'oversize-prompt' | 'failed-attempts' | 'retries'
  readonly message: string
  readonly savingNanos: Nanos
  readonly basis: string
  readonly model: string
  readonly agentId: string | null
  readonly modelCalls: number
  readonly tokens: number
  readonly modelCallIds: readonly string[]
  readonly names: readonly string[]
}

/** Providers cache nothing shorter (OpenAI and Anthropic: 1,024 tokens). */
export const CACHEABLE_TOKENS_MIN = 1_024
/** Fewer calls than this show no habit. */
export const HABIT_CALLS_MIN = 5
/** Tools that nobody calls are worth a word from so many tokens a call. */
export const UNUSED_TOKENS_MIN = 200
/** Text is not counted for each model here; four bytes are taken for a token. */
const BYTES_PER_TOKEN = 4
/** How many names of unused tools a hint tells. */
const NAMES_SHOWN_MAX = 20

export interface HintRange {
  readonly from: EpochMs
  readonly to: EpochMs
}

/** The dearest first. */
export async function findHints(
  { db, pricesOf }: HintDeps,
  tenantId: TenantId,
  range: HintRange,
): Promise<readonly FoundHint[]> {
  const book = await pricesOf(tenantId)
  const hints = await db.tenant(tenantId).read(async (reader) => {
    const heads = await headsUsed(reader, range)
    const bodies = await headBodies(reader, [...new Set(heads.map(({ headHash }) => headHash))])
    const bodyOf = new Map(bodies.map((body) => [body.hash, body]))
    const found: (FoundHint | undefined)[] = []
    for (const head of heads) {
      const body = bodyOf.get(head.headHash)
      if (body === undefined || head.calls < HABIT_CALLS_MIN) continue
      const priceOf = (counts: Partial<TokenCounts>) => priced(book, head.model, counts, range.to - 1)
      found.push(cachingUnused(head, Math.floor(body.bytes / BYTES_PER_TOKEN), priceOf))
      if (head.agentId === null) continue
      const called = await namesCalled(reader, head.agentId, range)
      found.push(oversizePrompt(head, parseJson(body.content), called, priceOf))
    }
    for (const failure of await failuresPaid(reader, range)) found.push(failedAttempts(failure))
    return found
  })
  return hints
    .flatMap((hint) => (hint === undefined || hint.savingNanos <= 0n ? [] : [hint]))
    .sort((a, b) => (a.savingNanos > b.savingNanos ? -1 : a.savingNanos < b.savingNanos ? 1 : 0))
}

type PriceOf = (counts: Partial<TokenCounts>) => Nanos | undefined

function cachingUnused(head: HeadUsed, headTokens: number, priceOf: PriceOf): FoundHint | undefined {
  const { model, agentId, calls, repeats, cachedInputTokens, inputTokens } = head
  const tokens = Math.min(headTokens, Math.floor(inputTokens / calls))
  if (cachedInputTokens > 0 || repeats === 0 || tokens < CACHEABLE_TOKENS_MIN) return undefined
  const plain = priceOf({ inputTokens: tokens })
  const cached = priceOf({ cachedInputTokens: tokens })
  if (plain === undefined || cached === undefined) return undefined
  // Where writing to a cache has no price of its own, it costs what input costs.
  const written = priceOf({ cacheWriteTokens: tokens }) ?? plain
  const savingNanos = BigInt(repeats) * (plain - cached) - BigInt(calls - repeats) * (written - plain)
  return {
    kind: 'caching-unused',
    message: `${calls} calls of ${model} began with the same ${tokens} tokens, and none was read from a cache: turn on prompt caching.`,
    savingNanos,
    basis: `${repeats} calls came within 5 minutes of one before; the price of cached instead of plain input for them, less ${calls - repeats} writes to the cache; tokens taken as ${BYTES_PER_TOKEN} bytes each`,
    model,
    agentId,
    modelCalls: calls,
    tokens: tokens * calls,
    modelCallIds: idsOf(head),
    names: [],
  }
}

function oversizePrompt(
  head: HeadUsed,
  body: Json | undefined,
  called: ReadonlySet<string>,
  priceOf: PriceOf,
): FoundHint | undefined {
  const { model, agentId, calls, cachedInputTokens, inputTokens, cacheWriteTokens } = head
  const tools = isJsonObject(body) && Array.isArray(body.tools) ? body.tools : []
  const unused = tools.flatMap((tool) =>
    isJsonObject(tool) && typeof tool.name === 'string' && !called.has(tool.name)
      ? [{ name: tool.name, tokens: tokensOf(tool) }]
      : [],
  )
  const perCall = unused.reduce((sum, { tokens }) => sum + tokens, 0)
  if (perCall < UNUSED_TOKENS_MIN) return undefined
  // What is read from a cache costs less, and so saves less.
  const isCached = cachedInputTokens > inputTokens
  const price = priceOf(isCached ? { cachedInputTokens: perCall } : { inputTokens: perCall })
  if (price === undefined) return undefined
  const sent = Math.max(1, inputTokens + cachedInputTokens + cacheWriteTokens)
  const share = Math.min(100, Math.round((100 * perCall * calls) / sent))
  const instructions = isJsonObject(body) ? tokensOf(body.instructions ?? '') : 0
  return {
    kind: 'oversize-prompt',
    message: `${calls} calls of ${model} were sent ${unused.length} of ${tools.length} tools that no run called: ${share} % of the input. Take them out of the agent.`,
    savingNanos: price * BigInt(calls),
    basis: `${perCall} tokens a call at the price of ${isCached ? 'cached' : 'plain'} input; instructions are ${instructions} tokens a call; tokens taken as ${BYTES_PER_TOKEN} bytes each`,
    model,
    agentId,
    modelCalls: calls,
    tokens: perCall * calls,
    modelCallIds: idsOf(head),
    names: unused.slice(0, NAMES_SHOWN_MAX).map(({ name }) => name),
  }
}

type FailurePaid = Awaited<ReturnType<typeof failuresPaid>>[number]

function failedAttempts(failure: FailurePaid): FoundHint {
  const { model, agentId, askedAgain, calls, tokens, costNanos } = failure
  const again = askedAgain === 1
  return {
    kind: again ? 'retries' : 'failed-attempts',
    message: again
      ? `${calls} calls of ${model} cost money, gave no answer and were made again: look at timeouts and at what the model is asked for.`
      : `${calls} calls of ${model} cost money and gave no answer, and their runs asked no more.`,
    savingNanos: costNanos,
    basis: 'what these calls cost',
    model,
    agentId,
    modelCalls: calls,
    tokens,
    modelCallIds: idsOf(failure),
    names: [],
  }
}

function idsOf({
  firstId,
  lastId,
}: {
  readonly firstId: string
  readonly lastId: string
}): readonly string[] {
  return firstId === lastId ? [firstId] : [firstId, lastId]
}

function tokensOf(value: Json): number {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return Math.floor(Buffer.byteLength(text) / BYTES_PER_TOKEN)
}

function priced(
  book: PriceBook,
  model: string,
  counts: Partial<TokenCounts>,
  at: EpochMs,
): Nanos | undefined {
  const rating = rate(book, model, { state: 'known', counts: { ...ZERO_COUNTS, ...counts }, raw: null }, at)
  return rating.costState === 'priced' ? rating.costNanos : undefined
}
