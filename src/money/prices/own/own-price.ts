// A tenant's own price: what may be said, and how it is kept. Pure. A row is never changed but ended or withdrawn, so that
// what was rated by it can be explained for ever.

import { decimalText, readDecimal, shifted, wholeOf } from '../../../base/decimal.ts'
import type { FieldError } from '../../../base/errors.ts'
import type { Picos } from '../../../base/money.ts'
import type { EpochMs } from '../../../base/time.ts'
import { wireName } from '../../../contract/codec/wire-name.ts'
import { modelName, toolName } from '../../../contract/definition.ts'
import type { PriceUnit, PriceAmounts as SaidAmounts } from '../../../contract/price.ts'
import type { RowOf } from '../../../storage/schema/tables.ts'
import { type AmountTexts, type PriceAmounts, parseAmounts, type TieredAmounts } from '../amounts.ts'
import { isInForce, TOKEN_KINDS, type TokenKind } from '../price.ts'
import type { OwnPrice } from '../price-book.ts'

export type OwnPriceRow = Omit<RowOf<'tenantPrices'>, 'tenantId'>

/** Prices that count at some time; withdrawn ones do not. */
export const OWN_PRICES_MAX = 2_000

/** As the row has them: of a model texts of whole pico-USD per token, of anything else for one unit. */
export type StoredAmounts = PriceAmounts | { readonly price: string }

/** A dollar per million tokens is a million pico-USD per token, and a dollar is 10^12 of them. */
const PER_MILLION_PLACES = 6
const USD_PLACES = 12
/** Below a dollar per token and a million dollars per unit, so that costs stay within 64 bits of nano-USD. */
const USD_MAX = 1_000_000n
const OTHER_SUBJECTS: ReadonlyMap<string, PriceUnit> = new Map([
  ['compute/second', 'second'],
  ['storage/gb-month', 'gb_month'],
  ['bandwidth/gb', 'gb'],
])

/** What a subject is priced by, or why it is none. */
export function unitOf(subject: string): PriceUnit | FieldError {
  const other = OTHER_SUBJECTS.get(subject)
  if (other !== undefined) return other
  const wrong = (message: string): FieldError => ({ path: '/subject', message })
  const slash = subject.indexOf('/')
  const kind = subject.slice(0, slash)
  const known = [...OTHER_SUBJECTS.keys()].find((one) => one.startsWith(`${kind}/`))
  if (known !== undefined) return wrong(`has a unit that is not known; of ${kind} there is "${known}"`)
  if (kind === 'tool') {
    const isName = toolName.safeParse(subject.slice(slash + 1)).success
    return isName ? 'call' : wrong('must be "tool/" and the name of a tool')
  }
  if (modelName.safeParse(subject).success) return 'million_tokens'
  const others = [...OTHER_SUBJECTS.keys()].join(', ')
  return wrong(`must be a model ("provider/model"), "tool/<name>" or one of ${others}`)
}

export type ReadAmounts =
  | { readonly amounts: StoredAmounts; readonly errors?: never }
  | { readonly amounts?: never; readonly errors: readonly FieldError[] }

/** Amounts as they are kept, or every field that is wrong. */
export function readAmounts(unit: PriceUnit, said: SaidAmounts): ReadAmounts {
  return unit === 'million_tokens' ? readModelAmounts(said) : readUnitAmounts(said)
}

function readModelAmounts({ price, ...said }: SaidAmounts): ReadAmounts {
  const errors: FieldError[] = []
  if (price !== undefined)
    errors.push({ path: '/amounts/price', message: 'is not for a model; give "input" and "output"' })
  const texts = (path: string, of: SaidTokens): Partial<Record<TokenKind, string>> => {
    const found: Partial<Record<TokenKind, string>> = {}
    for (const kind of TOKEN_KINDS) {
      const text = of[kind]
      if (text !== undefined)
        found[kind] = read(`${path}/${wireName(kind)}`, text, PER_MILLION_PLACES, errors)
    }
    return found
  }
  const tiered = (path: string, { tiers, promptTokensMax, ...of }: SaidTiered) => ({
    ...texts(path, of),
    ...(promptTokensMax === undefined ? {} : { promptTokensMax }),
    ...(tiers === undefined
      ? {}
      : {
          tiers: tiers.map((tier, at) => ({
            aboveTokens: tier.aboveTokens,
            ...texts(`${path}/tiers/${at}`, tier),
          })),
        }),
  })
  const { conditions, ...standard } = said
  const named = Object.entries(conditions ?? {}).map(
    ([name, of]) => [name, tiered(`/amounts/conditions/${name}`, of)] as const,
  )
  const parsed = parseAmounts({
    ...tiered('/amounts', standard),
    ...(conditions === undefined ? {} : { conditions: Object.fromEntries(named) }),
  })
  for (const { path, message } of parsed.errors ?? []) errors.push({ path: `/amounts${path}`, message })
  return parsed.amounts === undefined || errors.length > 0 ? { errors } : { amounts: parsed.amounts }
}

function readUnitAmounts({ price, ...others }: SaidAmounts): ReadAmounts {
  const errors: FieldError[] = []
  for (const [name, value] of Object.entries(others))
    if (value !== undefined)
      errors.push({ path: `/amounts/${wireName(name)}`, message: 'is for models only; give "price"' })
  if (price === undefined) errors.push({ path: '/amounts/price', message: 'is missing: USD for one unit' })
  const amounts = { price: read('/amounts/price', price ?? '0', USD_PLACES, errors) }
  return errors.length > 0 ? { errors } : { amounts }
}

type SaidTokens = Readonly<Partial<Record<TokenKind, string | undefined>>>
type SaidTiered = SaidTokens & Pick<SaidAmounts, 'tiers' | 'promptTokensMax'>

/** The text of whole pico-USD; a wrong one is told, and stands as zero until then. */
function read(path: string, text: string, places: number, errors: FieldError[]): string {
  const picos = picosOf(text, places)
  if (typeof picos === 'bigint') return picos.toString()
  errors.push({ path, message: picos.wrong })
  return '0'
}

function picosOf(text: string, places: number): Picos | { readonly wrong: string } {
  const value = /^-?\d+(?:\.\d+)?$/.test(text) ? readDecimal(text) : undefined
  if (value === undefined) return { wrong: 'must be a decimal text of USD, for example "1.25"' }
  if (value.digits < 0n) return { wrong: 'must not be negative' }
  const picos = wholeOf(shifted(value, places))
  const per = places === USD_PLACES ? 'unit' : 'million tokens'
  if (picos === undefined)
    return { wrong: `has more decimals than are kept exactly: at most ${places} in USD per ${per}` }
  if (picos >= USD_MAX * 10n ** BigInt(places)) return { wrong: `must be below ${USD_MAX} USD per ${per}` }
  return picos
}

/** The amounts of a row as they were said. */
export function amountsOf(row: Pick<OwnPriceRow, 'amounts'>): SaidAmounts {
  const stored = storedOf(row)
  return isUnitPrice(stored) ? { price: decimalOf(stored.price, USD_PLACES) } : saidAmounts(stored)
}

/** A model's amounts in USD per million tokens. */
export function saidAmounts({ conditions, ...standard }: PriceAmounts): SaidAmounts {
  if (conditions === undefined) return saidTiered(standard)
  const named = Object.entries(conditions).map(([name, of]) => [name, saidTiered(of)] as const)
  return { ...saidTiered(standard), conditions: Object.fromEntries(named) }
}

function saidTiered(of: TieredAmounts): Omit<SaidAmounts, 'conditions' | 'price'> {
  const { tiers, promptTokensMax } = of
  return {
    ...saidTokens(of),
    ...(promptTokensMax === undefined ? {} : { promptTokensMax }),
    ...(tiers === undefined
      ? {}
      : { tiers: tiers.map((tier) => ({ aboveTokens: tier.aboveTokens, ...saidTokens(tier) })) }),
  }
}

function saidTokens(of: AmountTexts): Partial<Record<TokenKind, string>> {
  const texts: Partial<Record<TokenKind, string>> = {}
  for (const kind of TOKEN_KINDS) {
    const text = of[kind]
    if (text != null) texts[kind] = decimalOf(text, PER_MILLION_PLACES)
  }
  return texts
}

/** Pico-USD per token as USD per million tokens. */
export function perMillion(picos: Picos): string {
  return decimalText({ digits: picos, exponent: -PER_MILLION_PLACES })
}

function decimalOf(picos: string, places: number): string {
  return decimalText({ digits: BigInt(picos), exponent: -places })
}

/** A row as rating takes it; undefined where it is none of a model. */
export function modelPriceOf(row: OwnPriceRow): OwnPrice | undefined {
  const { id, subject, effectiveFrom, effectiveUntil } = row
  const amounts = storedOf(row)
  return isUnitPrice(amounts) ? undefined : { id, subject, effectiveFrom, effectiveUntil, amounts }
}

/** Pico-USD for one unit; undefined where it is a model's price. */
export function unitPriceOf(row: OwnPriceRow): Picos | undefined {
  const amounts = storedOf(row)
  return isUnitPrice(amounts) ? BigInt(amounts.price) : undefined
}

export function isOwnInForce({ effectiveFrom, effectiveUntil }: OwnPriceRow, at: EpochMs): boolean {
  return isInForce({ from: effectiveFrom, until: effectiveUntil ?? undefined }, at)
}

function isUnitPrice(stored: StoredAmounts): stored is { readonly price: string } {
  return 'price' in stored
}

/** What `readAmounts` made is all that is ever stored. */
function storedOf({ amounts }: Pick<OwnPriceRow, 'amounts'>): StoredAmounts {
  return JSON.parse(amounts) as StoredAmounts
}
