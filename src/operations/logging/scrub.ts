// What may enter a log line: no secret, nothing without bound, no way to break out of the line.

const MASK = '[secret]'
const DEPTH_MAX = 6
const ENTRIES_MAX = 64
const TEXT_CHARS_MAX = 8_192
/** A known secret shorter than this would mask ordinary words. */
const SECRET_CHARS_MIN = 6

/** Names of fields whose values are never logged, whoever put them there. */
const SECRET_NAME =
  /(?:^|[-_.])(?:authorization|cookie|set-cookie|password|passwd|secret|credential|credentials|api[-_]?key|access[-_]?token|refresh[-_]?token|id[-_]?token|private[-_]?key|signature|token)$/i
/** Names like `apiKey` and `accessToken`, written in camelCase. */
const SECRET_CAMEL = /(?:apiKey|accessToken|refreshToken|idToken|privateKey|[Pp]assword|[Ss]ecret)$/
/** Keys and tokens by their form: ours, providers', bearer headers, JSON web tokens, passwords in addresses. */
const SECRET_FORMS =
  /\baf_[A-Za-z0-9_-]{16,}|\bsk-[A-Za-z0-9_-]{12,}|\bAIza[A-Za-z0-9_-]{20,}|\bBearer\s+[^\s"',;]{8,}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*|(?<=:\/\/[^\s:/@]{0,100}:)[^\s@/]{1,200}(?=@)/g

export type Scrub = (value: unknown) => unknown

/** A function that answers a copy of a value that may be logged. `secrets` are texts that are masked wherever they appear. */
export function createScrub(secrets: readonly string[]): Scrub {
  // The longest first, so that a secret that contains another goes as a whole.
  const known = secrets
    .filter((text) => text.length >= SECRET_CHARS_MIN)
    .toSorted((a, b) => b.length - a.length)

  const text = (value: string): string => {
    const clipped =
      value.length > TEXT_CHARS_MAX
        ? `${value.slice(0, TEXT_CHARS_MAX)}… (${value.length} characters)`
        : value
    let masked = clipped.replace(SECRET_FORMS, MASK)
    for (const one of known) masked = masked.replaceAll(one, MASK)
    return masked
  }

  const visit = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return text(value)
    if (typeof value === 'bigint') return value.toString()
    if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`
    if (typeof value !== 'object' || value === null) return value
    if (depth >= DEPTH_MAX) return '[deeper]'
    if (value instanceof Error) return visit(plainError(value), depth)
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString()
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
    if (Array.isArray(value))
      return limited(
        value.slice(0, ENTRIES_MAX).map((item) => visit(item, depth + 1)),
        value.length,
      )
    const held = 'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON() : value
    return held === value ? fields(value, depth) : visit(held, depth + 1)
  }

  const fields = (value: object, depth: number): object => {
    const copy: Record<string, unknown> = Object.create(null)
    const entries = Object.entries(value)
    for (const [name, item] of entries.slice(0, ENTRIES_MAX)) {
      copy[text(name)] = SECRET_NAME.test(name) || SECRET_CAMEL.test(name) ? MASK : visit(item, depth + 1)
    }
    if (entries.length > ENTRIES_MAX) copy['…'] = `${entries.length - ENTRIES_MAX} more`
    return copy
  }

  return (value) => {
    try {
      return visit(value, 0)
    } catch {
      // A getter that throws must not stop the work that is being logged.
      return '[unreadable]'
    }
  }
}

function limited(items: unknown[], count: number): unknown[] {
  return count > items.length ? [...items, `… ${count - items.length} more`] : items
}

function plainError(error: Error): object {
  const { name, message, stack, cause } = error
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  return { type: name, ...code, message, stack, ...(cause === undefined ? {} : { cause }) }
}
