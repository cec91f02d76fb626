// What a bench answers: figures, each beside what it is compared with in the same run.

export type Figure = Measured | Missing | Share

export interface Measured {
  readonly metric: string
  readonly value: number
  readonly unit: string
  readonly comparison?: Comparison
}

/** A figure that could not be taken, with the reason: it is shown, never left out. */
export interface Missing {
  readonly metric: string
  readonly unit: string
  readonly reason: string
}

/** A part of the processor's time. */
export interface Share {
  /** What the processor worked on. */
  readonly of: string
  /** Whose code it was in. */
  readonly place: string
  readonly percent: number
}

export type Comparison =
  /** A target of the product, in the figure's unit. */
  | { readonly kind: 'at-least' | 'at-most'; readonly limit: number }
  /** The same work done by something else, in the figure's unit. */
  | { readonly kind: 'peer'; readonly name: string; readonly value: number }

/** A bench: measures, and answers its figures in the order in which they are read. */
export type Bench = (options: BenchOptions) => Promise<readonly Figure[]>

export interface BenchOptions {
  /** How often each measurement is repeated; figures are medians over the rounds. */
  readonly rounds: number
  /** Whether to say where the time goes as well. */
  readonly profile: boolean
}

export function isMissing(figure: Figure): figure is Missing {
  return 'reason' in figure
}

export function isShare(figure: Figure): figure is Share {
  return 'place' in figure
}

/** The figure divided by what it is compared with. */
export function ratioOf({ value, comparison }: Measured): number | undefined {
  if (comparison === undefined) return undefined
  return value / (comparison.kind === 'peer' ? comparison.value : comparison.limit)
}

/** What it is compared with, in words. */
export function againstOf({ unit, comparison }: Measured): string | undefined {
  if (comparison === undefined) return undefined
  if (comparison.kind === 'peer') return comparison.name
  return `${comparison.kind === 'at-least' ? '≥' : '≤'} ${comparison.limit} ${unit}`
}

/** Whether a target is met; undefined where there is none. */
export function isMet({ value, comparison }: Measured): boolean | undefined {
  if (comparison === undefined || comparison.kind === 'peer') return undefined
  return comparison.kind === 'at-least' ? value >= comparison.limit : value <= comparison.limit
}
