// Prices under conditions that the providers publish beside their price lists: batch, flex, priority, inference in one country.
// Each with the page that says so and the day on which it was read. What no page says exactly is not here, and so unpriced:
// Google's priority ("75% to 100% more"), OpenAI's scale and Anthropic's priority (sold by contract), cached input in
// OpenAI's batches and in Google's batch and flex, a batch with inference in one country.
import type { AmountTexts, ConditionAmounts, TieredAmounts, TierTexts } from '../src/money/prices/amounts.ts'
import { TOKEN_KINDS, type TokenKind } from '../src/money/prices/price.ts'
import type { ModelPrices, PricePeriod } from '../src/money/prices/price-book.ts'

/** A condition that costs a share of the standard price, in every period. */
export interface ShareRule {
  readonly provider: string
  readonly condition: string
  /** Undefined: every model of the provider that charges for text alone. */
  readonly models?: readonly string[]
  /** Also models whose media have prices of their own. */
  readonly withMedia?: boolean
  readonly share: readonly [numerator: bigint, denominator: bigint]
  /** Kinds that the page speaks of. */
  readonly kinds: readonly TokenKind[]
  readonly source: string
}

/** Amounts that a page lists by model, for prompts below the first context tier. They hold from the last price of the model on. */
export interface ListedAmounts {
  readonly provider: string
  readonly condition: string
  readonly amounts: Readonly<Record<string, AmountTexts>>
  readonly source: string
}

const TEXT: readonly TokenKind[] = [
  'input',
  'cachedInput',
  'cacheWrite',
  'cacheWriteOneHour',
  'output',
  'reasoning',
]

export const SHARE_RULES: readonly ShareRule[] = [
  {
    provider: 'openai',
    condition: 'batch',
    share: [1n, 2n],
    kinds: ['input', 'output', 'reasoning'],
    source:
      'https://developers.openai.com/api/docs/guides/batch (50% of the synchronous price; read 2026-11-22)',
  },
  {
    provider: 'openai',
    condition: 'flex',
    share: [1n, 2n],
    kinds: TEXT,
    source:
      'https://developers.openai.com/api/docs/guides/flex-processing (batch rates, and prompt caching on top; read 2026-11-22)',
  },
  {
    provider: 'anthropic',
    condition: 'batch',
    share: [1n, 2n],
    kinds: TEXT,
    source:
      'https://platform.claude.com/docs/en/build-with-claude/batch-processing (all usage at 50% of the standard prices; read 2026-11-22)',
  },
  {
    provider: 'anthropic',
    condition: 'us',
    // "Opus 4.6 and newer models".
    models: [
      'claude-opus-4-6',
      'claude-opus-4-7',
      'claude-opus-4-8',
      'claude-opus-5',
      'claude-opus-5-5',
      'claude-sonnet-4-6',
      'claude-sonnet-5',
      'claude-fable-5',
      'claude-fable-5-1',
    ],
    share: [11n, 10n],
    kinds: TEXT,
    source:
      'https://platform.claude.com/docs/en/api/service-tiers (US-only inference is priced at 1.1x; read 2026-11-22)',
  },
  {
    provider: 'google',
    condition: 'batch',
    withMedia: true,
    share: [1n, 2n],
    kinds: TOKEN_KINDS.filter((kind) => !/cache/i.test(kind)),
    source: 'https://ai.google.dev/gemini-api/docs/optimization (50% discount; read 2026-11-22)',
  },
  {
    provider: 'google',
    condition: 'flex',
    withMedia: true,
    share: [1n, 2n],
    kinds: TOKEN_KINDS.filter((kind) => !/cache/i.test(kind)),
    source:
      'https://ai.google.dev/gemini-api/docs/flex-inference (50% of the standard rates; read 2026-11-22)',
  },
  {
    provider: 'groq',
    condition: 'flex',
    share: [1n, 1n],
    kinds: TEXT,
    source: 'https://console.groq.com/docs/flex-processing (the price of on-demand; read 2026-11-22)',
  },
]

export const LISTED_AMOUNTS: readonly ListedAmounts[] = [
  {
    provider: 'openai',
    condition: 'priority',
    amounts: {
      'gpt-5.5': { input: '12500000', cachedInput: '1250000', output: '75000000' },
      'gpt-5.4-mini': { input: '1500000', cachedInput: '150000', output: '9000000' },
      'gpt-5.4': { input: '5000000', cachedInput: '500000', output: '30000000' },
      'gpt-5.2': { input: '3500000', cachedInput: '350000', output: '28000000' },
      'gpt-5.1': { input: '2500000', cachedInput: '250000', output: '20000000' },
      'gpt-5': { input: '2500000', cachedInput: '250000', output: '20000000' },
      'gpt-5-mini': { input: '450000', cachedInput: '45000', output: '3600000' },
      'gpt-4.1': { input: '3500000', cachedInput: '875000', output: '14000000' },
    },
    source: 'https://openai.com/api-priority-processing/ (excludes long context; read 2026-11-22)',
  },
]

/** The model with the conditions that its provider publishes. Throws where a share of an amount is not whole. */
export function withConditions(model: ModelPrices): ModelPrices {
  const rules = SHARE_RULES.filter((rule) => appliesTo(rule, model))
  const lists = LISTED_AMOUNTS.filter(
    ({ provider, amounts }) => provider === model.provider && model.model in amounts,
  )
  if (rules.length === 0 && lists.length === 0) return model
  const prices = model.prices.map((period, at) => {
    const conditions: Record<string, ConditionAmounts> = {}
    for (const rule of rules) conditions[rule.condition] = shareOf(period, rule)
    for (const list of at === model.prices.length - 1 ? lists : [])
      conditions[list.condition] = listed(period, list, model.model)
    return { ...period, conditions }
  })
  return { ...model, prices }
}

const MEDIA_KIND = /^(?:audio|image|video)/

function appliesTo(rule: ShareRule, model: ModelPrices): boolean {
  if (rule.provider !== model.provider) return false
  if (rule.models !== undefined) return rule.models.includes(model.model)
  const hasMedia =
    model.mediaPricedApart !== undefined ||
    model.prices.some((period) => Object.keys(period).some((key) => MEDIA_KIND.test(key)))
  return rule.withMedia === true || !hasMedia
}

function shareOf(amounts: TieredAmounts, rule: ShareRule): ConditionAmounts {
  const tiers = (amounts.tiers ?? []).map(
    (tier): TierTexts => ({ aboveTokens: tier.aboveTokens, ...sharedAmounts(tier, rule) }),
  )
  return { ...sharedAmounts(amounts, rule), ...(tiers.length === 0 ? {} : { tiers }), source: rule.source }
}

function sharedAmounts(
  amounts: AmountTexts,
  { share: [numerator, denominator], kinds }: ShareRule,
): AmountTexts {
  const shared: Partial<Record<TokenKind, string>> = {}
  for (const kind of kinds) {
    const text = amounts[kind]
    if (text == null) continue
    const scaled = BigInt(text) * numerator
    if (scaled % denominator !== 0n) throw new Error(`${numerator}/${denominator} of ${text} is not whole.`)
    shared[kind] = (scaled / denominator).toString()
  }
  const { input, output } = shared
  if (input === undefined || output === undefined) throw new Error('A condition needs input and output.')
  return { ...shared, input, output }
}

function listed(period: PricePeriod, { amounts, source }: ListedAmounts, model: string): ConditionAmounts {
  const found = amounts[model]
  if (found === undefined) throw new Error(`No amounts of "${model}".`)
  const firstTier = period.tiers?.[0]?.aboveTokens
  return { ...found, ...(firstTier === undefined ? {} : { promptTokensMax: firstTier }), source }
}
