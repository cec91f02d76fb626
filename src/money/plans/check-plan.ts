// What a new version of a plan says, checked as a whole: every wrong field is told. What is stored is exact.

import {
  currencyDigits,
  isCurrency,
  isHoldable,
  parseMinor,
  parseUnitNanos,
  UNITS_OF_AMOUNT_MAX,
} from '../../base/currency.ts'
import { AppError, type FieldError } from '../../base/errors.ts'
import type { CreatePlan, OverageInput } from '../../contract/plan.ts'
import type { StoredOverage, StoredTier } from './plan.ts'

const UNIT_NANOS_MAX = UNITS_OF_AMOUNT_MAX * 1_000_000_000n

export interface CheckedPlan {
  readonly baseMinor: bigint
  readonly overage: readonly StoredOverage[]
}

/** The amounts of a plan in minor units and billionths. Throws `request.invalid` with every wrong field. */
export function checkPlan(input: CreatePlan): CheckedPlan {
  const errors: FieldError[] = []
  const { currency } = input
  if (!isCurrency(currency)) {
    throw invalid([
      { path: '/currency', message: `There is no currency "${currency}". Allowed: codes of ISO 4217.` },
    ])
  }
  const minor = (text: string, path: string): bigint => {
    const amount = parseMinor(text, currency)
    if (amount !== undefined && amount >= 0n && isHoldable(amount, currency)) return amount
    const message = `Must be an amount up to ${UNITS_OF_AMOUNT_MAX}, with at most ${currencyDigits(currency)} decimals.`
    errors.push({ path, message })
    return 0n
  }
  const baseMinor = minor(input.basePrice, '/base_price')
  const given = input.overage ?? []
  const overage = given.map((entry, index) => stored(entry, `/overage/${index}`, minor, errors))
  given.forEach(({ metric }, index) => {
    if (given.findIndex((other) => other.metric === metric) < index)
      errors.push({ path: `/overage/${index}/metric`, message: `"${metric}" is charged twice.` })
  })
  if (errors.length > 0) throw invalid(errors)
  return { baseMinor, overage }
}

type ReadMinor = (text: string, path: string) => bigint

function stored(entry: OverageInput, path: string, minor: ReadMinor, errors: FieldError[]): StoredOverage {
  const { metric } = entry
  switch (entry.model) {
    case 'per_unit':
      return { metric, model: 'per_unit', unitNanos: unit(entry.unitPrice, `${path}/unit_price`, errors) }
    case 'package': {
      const { packageSize } = entry
      const packageMinor = minor(entry.packagePrice, `${path}/package_price`).toString()
      return { metric, model: 'package', packageSize, packageMinor }
    }
    case 'graduated':
    case 'volume': {
      checkTiers(entry.tiers, path, errors)
      const tiers = entry.tiers.map(
        ({ upTo, unitPrice, flatPrice }, index): StoredTier => ({
          upTo,
          unitNanos: unit(unitPrice, `${path}/tiers/${index}/unit_price`, errors),
          flatMinor:
            flatPrice === undefined ? '0' : minor(flatPrice, `${path}/tiers/${index}/flat_price`).toString(),
        }),
      )
      return { metric, model: entry.model, tiers }
    }
    default:
      return entry satisfies never
  }
}

/** Tiers lie side by side: each begins where the one before ends, so that rising ends and an open last one leave no gap. */
function checkTiers(
  tiers: readonly { readonly upTo: number | null }[],
  path: string,
  errors: FieldError[],
): void {
  let below = 0
  tiers.forEach(({ upTo }, index) => {
    const at = `${path}/tiers/${index}/up_to`
    const isLast = index === tiers.length - 1
    if (upTo === null && !isLast) errors.push({ path: at, message: 'Only the last tier is open.' })
    if (upTo !== null && isLast)
      errors.push({
        path: at,
        message: 'The last tier must be open (null): else usage above it has no price.',
      })
    if (upTo === null) return
    if (upTo <= below)
      errors.push({ path: at, message: `Must be more than ${below}, where the tier before ends.` })
    below = upTo
  })
}

function unit(text: string, path: string, errors: FieldError[]): string {
  const nanos = parseUnitNanos(text)
  if (nanos !== undefined && nanos >= 0n && nanos <= UNIT_NANOS_MAX) return nanos.toString()
  errors.push({ path, message: `Must be an amount up to ${UNITS_OF_AMOUNT_MAX}, with at most 9 decimals.` })
  return '0'
}

function invalid(errors: readonly FieldError[]): AppError {
  return new AppError('request.invalid', 'The plan cannot be made like this; see errors.', { errors })
}
