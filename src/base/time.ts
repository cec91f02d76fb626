// Time: milliseconds since 1970 inside (a number), RFC 3339 in UTC with milliseconds at the edge.

/** Milliseconds since 1970-01-01 UTC. */
export type EpochMs = number
/** The clock is passed in, so that tests can hold it. */
export type Clock = () => EpochMs

export const systemClock: Clock = () => Date.now()

export function formatTime(at: EpochMs): string {
  return new Date(at).toISOString()
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/

/** The moment that an RFC 3339 text names, or undefined where it is not one. */
export function parseTime(text: string): EpochMs | undefined {
  if (!RFC3339.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}
