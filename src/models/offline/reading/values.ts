// Values in plain text that an argument can take: quoted texts, dates, numbers, ids, addresses. Pure.

/** Quoted texts of all usual kinds, in order. */
export function quotedTexts(text: string): readonly string[] {
  const found: string[] = []
  for (const match of text.matchAll(
    /"([^"]{1,500})"|“([^”]{1,500})”|«([^»]{1,500})»|`([^`]{1,500})`|(?<!\w)'([^']{1,500})'(?!\w)/g,
  )) {
    const inner = match.slice(1).find((group) => group !== undefined)
    if (inner !== undefined && inner.trim() !== '') found.push(inner.trim())
  }
  return found
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const MONTH = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\\.?'
const DAY_MONTH = new RegExp(`\\b(\\d{1,2})(?:st|nd|rd|th)?\\s+(?:of\\s+)?${MONTH},?\\s+(\\d{4})\\b`, 'gi')
const MONTH_DAY = new RegExp(`\\b${MONTH}\\s+(\\d{1,2})(?:st|nd|rd|th)?,?\\s+(\\d{4})\\b`, 'gi')

/** Dates as `2026-11-22`, also those written with the month's name, in order. */
export function dates(text: string): readonly string[] {
  const found: { readonly at: number; readonly date: string }[] = []
  const add = (at: number, year: string, month: number, day: string): void => {
    const date = `${year}-${String(month).padStart(2, '0')}-${day.padStart(2, '0')}`
    if (!Number.isNaN(Date.parse(`${date}T00:00:00Z`))) found.push({ at, date })
  }
  for (const match of text.matchAll(/\b(\d{4})-(\d{2})-(\d{2})\b/g)) {
    add(match.index, match[1] ?? '', Number(match[2]), match[3] ?? '')
  }
  for (const match of text.matchAll(DAY_MONTH))
    add(match.index, match[3] ?? '', monthNumber(match[2]), match[1] ?? '')
  for (const match of text.matchAll(MONTH_DAY))
    add(match.index, match[3] ?? '', monthNumber(match[1]), match[2] ?? '')
  return found.sort((a, b) => a.at - b.at).map(({ date }) => date)
}

function monthNumber(name: string | undefined): number {
  return MONTHS.indexOf((name ?? '').slice(0, 3).toLowerCase()) + 1
}

export function dateTimes(text: string): readonly string[] {
  return text.match(/\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?/g) ?? []
}

export function urls(text: string): readonly string[] {
  return (text.match(/\bhttps?:\/\/[^\s<>"'`]+/g) ?? []).map((url) => url.replace(/[.,;:!?)]+$/, ''))
}

export function emails(text: string): readonly string[] {
  return text.match(/\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}\b/g) ?? []
}

/** Codes such as `ORD-1042`, `run_01h…`, `#1042` (without its mark) and UUIDs. */
export function codes(text: string): readonly string[] {
  const masked = urls(text).reduce((rest, url) => rest.replace(url, ' '), text)
  const found: string[] = []
  const pattern =
    /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[A-Za-z]{1,12}[-_](?=[A-Za-z_-]{0,20}\d)[\w-]{1,60}|\b(?=[A-Z]{0,6}\d)[A-Z]{1,6}\d[A-Z\d]{1,30}\b|#(\d{1,20})\b/g
  for (const match of masked.matchAll(pattern)) found.push(match[1] ?? match[0])
  return found
}

const NUMBER_WORDS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ')

export interface FoundNumber {
  readonly value: number
  /** The words right before and after it, in lower case. */
  readonly before: string
  readonly after: string
}

/** Numbers that stand for themselves: not part of a date, a code or a time. */
export function numbers(text: string): readonly FoundNumber[] {
  const masked = text.replace(
    /\b\d{4}-\d{2}-\d{2}[T\d:.Z]*|\b[A-Za-z]+[-_]\d[\w-]*|#\d+|\b\d{1,2}:\d{2}\b/g,
    (part) => ' '.repeat(part.length),
  )
  const found: FoundNumber[] = []
  const pattern = new RegExp(
    `-?\\b\\d{1,15}(?:,\\d{3})*(?:\\.\\d{1,12})?\\b|\\b(?:${NUMBER_WORDS.slice(2).join('|')})\\b`,
    'gi',
  )
  for (const match of masked.matchAll(pattern)) {
    const word = NUMBER_WORDS.indexOf(match[0].toLowerCase())
    const value = word >= 0 ? word : Number(match[0].replaceAll(',', ''))
    const before = /(\p{L}+)[\s:=]*$/u.exec(masked.slice(0, match.index))?.[1] ?? ''
    const after = /^[\s%°]*(\p{L}+)/u.exec(masked.slice(match.index + match[0].length))?.[1] ?? ''
    found.push({ value, before: before.toLowerCase(), after: after.toLowerCase() })
  }
  return found
}
