// Amounts as texts: of the price file, and of prices that people set. Reads them, and says what is wrong with them.

import { createHash } from 'node:crypto'
import type { FieldError } from '../../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type { Picos } from '../../base/money.ts'
import { wireName } from '../../contract/codec/wire-name.ts'
import { type ContextTier, TOKEN_KINDS, type TokenKind, type TokenPrices } from './price.ts'

type OptionalKind = Exclude<TokenKind, 'input' | 'output'>

/** Amounts are texts of whole pico-USD per token; null or left out where no price is published. */
export interface AmountTexts extends Readonly<Partial<Record<OptionalKind, string | null | undefined>>> {
  readonly input: string
  readonly output: string
}

export interface TierTexts extends AmountTexts {
  readonly aboveTokens: number
}

/** What a call costs by its size. */
export interface TieredAmounts extends AmountTexts {
  readonly tiers?: readonly TierTexts[] | undefined
  /** The longest prompt that these are for, where longer ones have no price. */
  readonly promptTokensMax?: number | undefined
}

export interface ConditionAmounts extends TieredAmounts {
  /** Where it is published that this is the price under this condition. */
  readonly source?: string | undefined
}

/** A whole price: standard, and under other conditions by their names (`flex`, `batch`, `priority`, …). */
export interface PriceAmounts extends TieredAmounts {
  readonly conditions?: Readonly<Record<string, ConditionAmounts>> | undefined
}

export const MEDIA = ['audio', 'image', 'video'] as const
export type Medium = (typeof MEDIA)[number]

export type ParsedAmounts =
  | { readonly amounts: PriceAmounts; readonly errors?: never }
  | { readonly amounts?: never; readonly errors: readonly FieldError[] }

/** Whole pico-USD, below a dollar per token. */
const AMOUNT = /^(?:0|[1-9]\d{0,11})$/
const TIERS_MAX = 20
const CONDITIONS_MAX = 20
const CONDITION_NAME = /^[a-z][a-z0-9_+-]{0,39}$/

/**
 * The amounts that somebody set, or all that is wrong with them, each with its place (`/tiers/0/cached_input`).
 * Refused: what is no text of digits, an unknown field, tiers that do not rise, and a tier that lacks a kind which the
 * amounts below it have, because its tokens would fall into that gap. Media without an amount are not priced as text.
 */
export function parseAmounts(input: unknown): ParsedAmounts {
  const errors: FieldError[] = []
  const complain = (path: string, message: string): void => {
    errors.push({ path, message })
  }
  if (!isJsonObject(input)) return { errors: [{ path: '', message: 'must be an object of amounts' }] }
  checkFields(input, '', [...TOKEN_KINDS, 'tiers', 'promptTokensMax', 'conditions'], complain)
  checkTiered(input, '', complain)
  checkConditions(input.conditions, complain)
  // What has been checked above is of this shape.
  return errors.length > 0 ? { errors } : { amounts: input as unknown as PriceAmounts }
}

export interface Period {
  readonly from: number | undefined
  readonly until: number | undefined
}

/** What is wrong with a list of periods, each named by its place in the list: empty ones, and two that share a moment. */
export function periodErrors(periods: readonly Period[]): readonly FieldError[] {
  const errors: FieldError[] = []
  for (const [at, period] of periods.entries()) {
    if (endOf(period) <= startOf(period)) {
      errors.push({ path: `/${at}/effective_until`, message: 'must be after effective_from' })
      continue
    }
    const other = periods.findIndex((earlier, index) => index < at && overlap(earlier, period))
    if (other >= 0)
      errors.push({ path: `/${at}/effective_from`, message: `overlaps with the period at ${other}` })
  }
  return errors
}

/** Whether two periods, neither of them empty, share a moment. */
export function overlap(a: Period, b: Period): boolean {
  return startOf(a) < endOf(b) && startOf(b) < endOf(a)
}

function startOf(period: Period): number {
  return period.from ?? Number.NEGATIVE_INFINITY
}

function endOf(period: Period): number {
  return period.until ?? Number.POSITIVE_INFINITY
}

/**
 * The price of every kind. Reasoning is output, which all providers document; tokens of a medium cost what text does, unless
 * the amounts name that medium at all, or it is said to be priced apart.
 */
export function readAmounts(amounts: AmountTexts, mediaPricedApart: readonly string[]): TokenPrices {
  const read = (kind: TokenKind): Picos | undefined => {
    const text = amounts[kind]
    return text == null ? undefined : BigInt(text)
  }
  const apart = (medium: Medium): boolean => mediaPricedApart.includes(medium)
  const input = (medium: Medium): Picos | undefined =>
    read(`${medium}Input`) ?? (apart(medium) ? undefined : read('input'))
  const cached = (medium: Medium): Picos | undefined =>
    read(`${medium}CachedInput`) ??
    (apart(medium) || read(`${medium}Input`) !== undefined ? undefined : read('cachedInput'))
  const output = (medium: Medium): Picos | undefined =>
    read(`${medium}Output`) ?? (apart(medium) ? undefined : read('output'))
  return {
    input: read('input'),
    cachedInput: read('cachedInput'),
    cacheWrite: read('cacheWrite'),
    cacheWriteOneHour: read('cacheWriteOneHour'),
    output: read('output'),
    reasoning: read('reasoning') ?? read('output'),
    audioInput: input('audio'),
    audioCachedInput: cached('audio'),
    audioOutput: output('audio'),
    imageInput: input('image'),
    imageCachedInput: cached('image'),
    imageOutput: output('image'),
    videoInput: input('video'),
    videoCachedInput: cached('video'),
    videoOutput: output('video'),
  }
}

export function readTiers(
  amounts: TieredAmounts,
  mediaPricedApart: readonly string[],
): readonly ContextTier[] {
  return (amounts.tiers ?? []).map((tier) => ({
    aboveTokens: tier.aboveTokens,
    prices: readAmounts(tier, mediaPricedApart),
  }))
}

/** Eight digits that any change of an amount changes. */
export function amountsDigest(amounts: TieredAmounts): string {
  const rows = [{ ...amounts, aboveTokens: 0 }, ...(amounts.tiers ?? [])].map((row) => {
    const first = TOKEN_KINDS.slice(0, ALWAYS_IN_DIGEST).map((kind) => row[kind] ?? '-')
    // Kinds that came later are only in the digests of prices that have them: the older ids stay as they were.
    const later = TOKEN_KINDS.slice(ALWAYS_IN_DIGEST).flatMap((kind) =>
      row[kind] == null ? [] : [`${kind}=${row[kind]}`],
    )
    return [row.aboveTokens, ...first, ...later].join(' ')
  })
  if (amounts.promptTokensMax !== undefined) rows.push(`to ${amounts.promptTokensMax}`)
  return createHash('sha256').update(rows.join('\n')).digest('hex').slice(0, 8)
}

const ALWAYS_IN_DIGEST = 6

type Complain = (path: string, message: string) => void

/** Amounts of one size and its tiers. Also the price file is held to it. */
export function checkTiered(input: JsonObject, path: string, complain: Complain): void {
  checkAmounts(input, path, complain)
  const { tiers, promptTokensMax } = input
  if (promptTokensMax !== undefined && !isThreshold(promptTokensMax))
    complain(`${path}/prompt_tokens_max`, 'must be a whole number of tokens above 0')
  if (tiers === undefined) return
  if (!Array.isArray(tiers) || tiers.length > TIERS_MAX) {
    complain(`${path}/tiers`, `must be a list of at most ${TIERS_MAX} tiers`)
    return
  }
  let last = 0
  for (const [at, tier] of (tiers as readonly Json[]).entries()) {
    const place = `${path}/tiers/${at}`
    if (!isJsonObject(tier)) {
      complain(place, 'must be an object of amounts')
      continue
    }
    checkFields(tier, place, [...TOKEN_KINDS, 'aboveTokens'], complain)
    checkAmounts(tier, place, complain)
    if (!isThreshold(tier.aboveTokens)) {
      complain(`${place}/above_tokens`, 'must be a whole number of tokens above 0')
      continue
    }
    if (tier.aboveTokens <= last) complain(`${place}/above_tokens`, `must be more than ${last}: tiers rise`)
    last = Math.max(last, tier.aboveTokens)
    checkGaps(input, tier, place, complain)
  }
}

function checkGaps(below: JsonObject, tier: JsonObject, path: string, complain: Complain): void {
  for (const kind of TOKEN_KINDS) {
    if (kind !== 'input' && kind !== 'output' && below[kind] != null && tier[kind] == null)
      complain(`${path}/${wireName(kind)}`, 'is missing: longer prompts would have no price of that kind')
  }
}

function checkConditions(conditions: Json | undefined, complain: Complain): void {
  if (conditions === undefined) return
  const entries = isJsonObject(conditions) ? Object.entries(conditions) : undefined
  if (entries === undefined || entries.length > CONDITIONS_MAX) {
    complain('/conditions', `must be an object of amounts by condition, at most ${CONDITIONS_MAX}`)
    return
  }
  for (const [name, amounts] of entries) {
    const path = `/conditions/${name}`
    if (!CONDITION_NAME.test(name) || name === 'standard')
      complain(path, 'must be the name of a condition, as flex, batch or priority')
    else if (!isJsonObject(amounts)) complain(path, 'must be an object of amounts')
    else {
      checkFields(amounts, path, [...TOKEN_KINDS, 'tiers', 'promptTokensMax', 'source'], complain)
      if (amounts.source !== undefined && typeof amounts.source !== 'string')
        complain(`${path}/source`, 'must be a text')
      checkTiered(amounts, path, complain)
    }
  }
}

function checkAmounts(input: JsonObject, path: string, complain: Complain): void {
  for (const kind of TOKEN_KINDS) {
    const value = input[kind]
    const isRequired = kind === 'input' || kind === 'output'
    if (value == null) {
      if (isRequired) complain(`${path}/${wireName(kind)}`, 'is missing')
    } else if (typeof value !== 'string' || !AMOUNT.test(value))
      complain(
        `${path}/${wireName(kind)}`,
        'must be a text of whole pico-USD per token: "1250000" is 1.25 USD per million',
      )
  }
}

function checkFields(input: JsonObject, path: string, known: readonly string[], complain: Complain): void {
  for (const key of Object.keys(input))
    if (!known.includes(key)) complain(`${path}/${wireName(key)}`, 'is not a field of a price')
}

function isThreshold(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}
