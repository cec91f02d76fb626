// When a provider says that one may come back.

/** Longer than any provider asks for; a larger value is a mistake and is cut to this. */
const RETRY_AFTER_READ_MAX_MS = 24 * 60 * 60 * 1000

/**
 * Milliseconds from `retry-after-ms` (OpenAI, Azure) or `retry-after` (RFC 9110, section 10.2.3: seconds or an HTTP date),
 * or undefined where there is none or it cannot be read. Header names are in lower case.
 */
export function readRetryAfter(
  headers: Readonly<Record<string, string>> | undefined,
  nowMs: number,
): number | undefined {
  if (headers === undefined) return undefined
  const exact = decimal(headers['retry-after-ms'])
  if (exact !== undefined) return bounded(exact)
  const text = headers['retry-after']
  if (text === undefined) return undefined
  const seconds = decimal(text)
  if (seconds !== undefined) return bounded(seconds * 1000)
  // `Date.parse` takes almost anything for a date; an HTTP date begins with a weekday.
  const at = /^\s*[A-Za-z]{3}/.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(at) ? undefined : bounded(at - nowMs)
}

function decimal(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) : undefined
}

function bounded(ms: number): number {
  return Math.min(RETRY_AFTER_READ_MAX_MS, Math.max(0, Math.round(ms)))
}
