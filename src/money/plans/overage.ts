// What usage above the included amount costs. Exact: whole billionths of a unit of the plan's currency, never rounded here.

import type { Overage, Tier } from './plan.ts'

/** A part of a charge: so many units at a price, and what was charged once for them. */
export interface ChargePart {
  readonly quantity: bigint
  readonly unitNanos: bigint
  readonly flatNanos: bigint
  readonly amountNanos: bigint
}

export interface Charge {
  readonly exactNanos: bigint
  /** How it was worked out; the amounts of the parts sum to `exactNanos`. Empty where there is nothing to charge. */
  readonly detail: { readonly model: Overage['model']; readonly parts: readonly ChargePart[] }
}

/** The charge for so many units above what is included; none for none. */
export function chargeFor(overage: Overage, quantityAboveIncluded: bigint): Charge {
  const parts = quantityAboveIncluded > 0n ? partsOf(overage, quantityAboveIncluded) : []
  const exactNanos = parts.reduce((sum, { amountNanos }) => sum + amountNanos, 0n)
  return { exactNanos, detail: { model: overage.model, parts } }
}

function partsOf(overage: Overage, quantity: bigint): readonly ChargePart[] {
  switch (overage.model) {
    case 'per_unit':
      return [part(quantity, overage.unitNanos, 0n)]
    case 'graduated':
      return graduated(overage.tiers, quantity)
    case 'volume': {
      const tier = overage.tiers.find(({ upTo }) => upTo === null || quantity <= upTo)
      if (tier === undefined) throw new Error('The last tier of an overage is not open.')
      return [part(quantity, tier.unitNanos, tier.flatNanos)]
    }
    case 'package': {
      // A package that was begun is a whole one.
      const packages = (quantity + overage.packageSize - 1n) / overage.packageSize
      return [part(packages, overage.packageNanos, 0n)]
    }
    default:
      return overage satisfies never
  }
}

function graduated(tiers: readonly Tier[], quantity: bigint): readonly ChargePart[] {
  const parts: ChargePart[] = []
  let below = 0n
  for (const { upTo, unitNanos, flatNanos } of tiers) {
    if (quantity <= below) break
    const end = upTo === null || quantity < upTo ? quantity : upTo
    parts.push(part(end - below, unitNanos, flatNanos))
    below = end
  }
  if (below < quantity) throw new Error('The last tier of an overage is not open.')
  return parts
}

function part(quantity: bigint, unitNanos: bigint, flatNanos: bigint): ChargePart {
  return { quantity, unitNanos, flatNanos, amountNanos: quantity * unitNanos + flatNanos }
}
