// What the platform sells: a version of a plan, as it is stored and as it is worked with. It never changes but for its
// state. Amounts are minor units of its currency; what a unit of usage costs is billionths of a unit of the currency.

import { nanosPerMinor } from '../../base/currency.ts'
import type { PlanId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { Metric } from '../../contract/money.ts'
import type { Feature, LimitName } from '../../contract/plan.ts'
import type { RowOf } from '../../storage/schema/tables.ts'

export type PlanRow = RowOf<'plans'>
export type PlanInterval = PlanRow['interval']

/** The units up to `upTo` (null: all that follow). `flatNanos` is charged once where the tier is entered. */
export interface Tier {
  readonly upTo: bigint | null
  readonly unitNanos: bigint
  readonly flatNanos: bigint
}

/** How usage above what is included is charged. Ranges of tiers are counted from the first unit above it. */
export type Overage =
  | { readonly metric: Metric; readonly model: 'per_unit'; readonly unitNanos: bigint }
  /** Each unit at the price of the tier in which it lies. */
  | { readonly metric: Metric; readonly model: 'graduated'; readonly tiers: readonly Tier[] }
  /** All units at the price of the tier in which the last one lies. */
  | { readonly metric: Metric; readonly model: 'volume'; readonly tiers: readonly Tier[] }
  /** So much for each package that was begun. */
  | {
      readonly metric: Metric
      readonly model: 'package'
      readonly packageSize: bigint
      readonly packageNanos: bigint
    }

/** As `plans.overage` has it: whole numbers as texts, flat amounts in minor units. */
export type StoredOverage =
  | { readonly metric: Metric; readonly model: 'per_unit'; readonly unitNanos: string }
  | { readonly metric: Metric; readonly model: 'graduated' | 'volume'; readonly tiers: readonly StoredTier[] }
  | {
      readonly metric: Metric
      readonly model: 'package'
      readonly packageSize: number
      readonly packageMinor: string
    }

export interface StoredTier {
  readonly upTo: number | null
  readonly unitNanos: string
  readonly flatMinor: string
}

/** What a plan lets a tenant do; what is not named has no limit. */
export type Limits = Readonly<Partial<Record<LimitName, number>>>

export interface Plan {
  readonly id: PlanId
  readonly key: string
  readonly version: number
  readonly name: string
  readonly description: string
  readonly currency: string
  readonly interval: PlanInterval
  readonly baseMinor: bigint
  readonly perSeat: boolean
  readonly trialDays: number
  readonly included: Readonly<Partial<Record<Metric, bigint>>>
  readonly overage: readonly Overage[]
  readonly features: readonly Feature[]
  readonly limits: Limits
  readonly state: PlanRow['state']
  readonly stripePriceId: string | null
  readonly createdBy: string
  readonly createdAt: EpochMs
}

/** The plan of a row. */
export function planOf(row: PlanRow): Plan {
  const included = JSON.parse(row.included) as Record<Metric, number>
  return {
    ...row,
    perSeat: row.perSeat === 1,
    included: Object.fromEntries(Object.entries(included).map(([metric, n]) => [metric, BigInt(n)])),
    overage: (JSON.parse(row.overage) as StoredOverage[]).map((stored) => overageOf(stored, row.currency)),
    features: JSON.parse(row.features) as Feature[],
    limits: JSON.parse(row.limits) as Limits,
  }
}

/** What a period costs in advance: the base price, for each seat where it is by seat. */
export function basePrice(plan: Pick<Plan, 'baseMinor' | 'perSeat'>, seats: number): bigint {
  return plan.perSeat ? plan.baseMinor * BigInt(seats) : plan.baseMinor
}

/** How a metric is charged above what is included; undefined where it is never charged. */
export function overageFor(plan: Pick<Plan, 'overage'>, metric: Metric): Overage | undefined {
  return plan.overage.find((overage) => overage.metric === metric)
}

function overageOf(stored: StoredOverage, currency: string): Overage {
  const { metric } = stored
  switch (stored.model) {
    case 'per_unit':
      return { metric, model: 'per_unit', unitNanos: BigInt(stored.unitNanos) }
    case 'package':
      return {
        metric,
        model: 'package',
        packageSize: BigInt(stored.packageSize),
        packageNanos: BigInt(stored.packageMinor) * nanosPerMinor(currency),
      }
    case 'graduated':
    case 'volume':
      return {
        metric,
        model: stored.model,
        tiers: stored.tiers.map(({ upTo, unitNanos, flatMinor }) => ({
          upTo: upTo === null ? null : BigInt(upTo),
          unitNanos: BigInt(unitNanos),
          flatNanos: BigInt(flatMinor) * nanosPerMinor(currency),
        })),
      }
    default:
      return stored satisfies never
  }
}
