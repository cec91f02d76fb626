// Medians and quantiles.

export interface Quantiles {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** Throws where there is no value: a bench that measured nothing must not answer a number. */
export function median(values: readonly number[]): number {
  const sorted = ordered(values)
  const middle = sorted.length / 2
  return Number.isInteger(middle)
    ? (at(sorted, middle - 1) + at(sorted, middle)) / 2
    : at(sorted, middle - 0.5)
}

export function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = ordered(values)
  return { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99) }
}

/** The median of each quantile over rounds. */
export function medianQuantiles(rounds: readonly Quantiles[]): Quantiles {
  return {
    p50: median(rounds.map(({ p50 }) => p50)),
    p95: median(rounds.map(({ p95 }) => p95)),
    p99: median(rounds.map(({ p99 }) => p99)),
  }
}

function ordered(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort()
}

/** The nearest rank. */
function quantile(sorted: Float64Array, share: number): number {
  return at(sorted, Math.max(0, Math.ceil(sorted.length * share) - 1))
}

function at(sorted: Float64Array, index: number): number {
  const value = sorted[index]
  if (value === undefined) throw new Error('Nothing was measured.')
  return value
}
