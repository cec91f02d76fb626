// What a model call or a run may cost before it is made: its tokens, the range of its price, and what the last runs cost.

import type { AgentId, TenantId } from '../../../base/ids.ts'
import { type Nanos, parseUsd } from '../../../base/money.ts'
import type { Clock, EpochMs } from '../../../base/time.ts'
import type { VersionReader } from '../../../catalog/catalog.ts'
import type { AgentDefinition } from '../../../contract/agent.ts'
import { type TokenCounts, ZERO_COUNTS } from '../../../contract/usage.ts'
import type { Database } from '../../../storage/database.ts'
import type { PriceBook } from '../../prices/price-book.ts'
import { type Rating, rate } from '../../prices/rating.ts'
import { countTokens, type TokenCount } from './count-tokens.ts'
import { type RunHistory, runHistory } from './run-history.ts'

export interface EstimateDeps {
  readonly db: Database
  readonly clock: Clock
  readonly versions: Pick<VersionReader, 'publishedAgent' | 'publishedTool'>
  readonly pricesOf: (tenantId: TenantId) => Promise<PriceBook>
}

export interface EstimateInput {
  readonly agent?: string | undefined
  readonly model?: string | undefined
  readonly input: string
  readonly maxOutputTokens?: number | undefined
}

export interface Estimate {
  readonly model: string
  readonly agent: { readonly id: AgentId; readonly version: number } | undefined
  readonly priceId: string | undefined
  readonly inputTokens: TokenCount
  readonly maxOutputTokens: number | undefined
  /** Each undefined where there is no price, or (the highest) no bound to the answer. */
  readonly lowNanos: Nanos | undefined
  readonly inputNanos: Nanos | undefined
  readonly highNanos: Nanos | undefined
  readonly history: RunHistory | undefined
  readonly limitNanos: Nanos | undefined
}

/** What providers add around a message and its role. */
const FRAME_TOKENS = 8

export async function estimateCost(
  deps: EstimateDeps,
  tenantId: TenantId,
  { agent: agentName, model: modelName, input, maxOutputTokens: asked }: EstimateInput,
): Promise<Estimate> {
  const agent = agentName === undefined ? undefined : await deps.versions.publishedAgent(tenantId, agentName)
  const model = agent?.definition.model ?? modelName ?? ''
  const prompt = agent ? await promptOf(deps, tenantId, agent.definition, input) : { text: input, tools: 0 }
  const inputTokens = framed(await countTokens(model, prompt.text), prompt.tools)
  const maxOutputTokens = asked ?? agent?.definition.modelSettings?.maxOutputTokens
  const book = await deps.pricesOf(tenantId)
  const price = priceRange(book, model, inputTokens, maxOutputTokens, deps.clock())
  const history =
    agent && (await deps.db.tenant(tenantId).read((reader) => runHistory(reader, agent.id, agent.version)))
  return {
    model,
    agent: agent && { id: agent.id, version: agent.version },
    inputTokens,
    maxOutputTokens,
    ...price,
    history,
    limitNanos:
      agent?.definition.limits?.maxCostUsd === undefined
        ? undefined
        : parseUsd(agent.definition.limits.maxCostUsd),
  }
}

/** What the first call of a run is sent: instructions, tools, the form of the answer, the input. */
async function promptOf(
  { versions }: EstimateDeps,
  tenantId: TenantId,
  { instructions, tools = [], subAgents = [], outputSchema }: AgentDefinition,
  input: string,
): Promise<{ readonly text: string; readonly tools: number }> {
  const parts = [instructions]
  for (const name of tools) {
    const version = await versions.publishedTool(tenantId, name)
    // A tool of the host's code or a built-in one: its name is what is known here.
    const { description = '', inputSchema = {} } = version?.definition ?? {}
    parts.push(JSON.stringify({ name, description, parameters: inputSchema }))
  }
  parts.push(...subAgents)
  if (outputSchema !== undefined) parts.push(JSON.stringify(outputSchema))
  parts.push(input)
  return { text: parts.join('\n'), tools: tools.length + subAgents.length }
}

/** The text may be counted exactly; what a provider puts around it is not published. */
function framed(count: TokenCount, tools: number): TokenCount {
  if (tools === 0) return { ...count, high: count.high + FRAME_TOKENS }
  return {
    ...count,
    method: 'approximate',
    high: Math.ceil(count.high * 1.2) + FRAME_TOKENS * (tools + 1),
    basis: `${count.basis}; the form in which tools are sent is the provider's own`,
  }
}

type PriceRange = Pick<Estimate, 'priceId' | 'lowNanos' | 'inputNanos' | 'highNanos'>

function priceRange(
  book: PriceBook,
  model: string,
  { low, expected, high }: TokenCount,
  maxOutputTokens: number | undefined,
  at: EpochMs,
): PriceRange {
  const price = (counts: Partial<TokenCounts>): Extract<Rating, { costState: 'priced' }> | undefined => {
    const rating = rate(book, model, { state: 'known', counts: { ...ZERO_COUNTS, ...counts }, raw: null }, at)
    return rating.costState === 'priced' ? rating : undefined
  }
  const input = price({ inputTokens: expected })
  if (input === undefined)
    return { priceId: undefined, lowNanos: undefined, inputNanos: undefined, highNanos: undefined }
  const lows = [price({ cachedInputTokens: low }), price({ inputTokens: low })]
  const highs =
    maxOutputTokens === undefined
      ? []
      : [
          price({ inputTokens: high, outputTokens: maxOutputTokens }),
          price({ cacheWriteTokens: high, outputTokens: maxOutputTokens }),
          price({ inputTokens: high, outputTokens: maxOutputTokens, reasoningTokens: maxOutputTokens }),
        ]
  return {
    priceId: input.priceId ?? undefined,
    lowNanos: amounts(lows).reduce((a, b) => (b < a ? b : a), input.costNanos),
    inputNanos: input.costNanos,
    highNanos:
      highs.length === 0 ? undefined : amounts(highs).reduce((a, b) => (b > a ? b : a), input.costNanos),
  }
}

function amounts(ratings: readonly ({ readonly costNanos: Nanos } | undefined)[]): readonly Nanos[] {
  return ratings.flatMap((rating) => (rating ? [rating.costNanos] : []))
}
