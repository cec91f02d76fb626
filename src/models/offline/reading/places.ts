// Names in plain text: places, people, products; and time zones. By capitals and prepositions, no gazetteer.

import { isStopWord, words } from './words.ts'

/** Words that begin a sentence with a capital without being a name. */
const SENTENCE_STARTS: ReadonlySet<string> = new Set(
  (
    'show list find search look get tell give calculate compute convert check compare explain describe summarize summarise ' +
    'send create cancel delete update book refund please weather temperature forecast time date order orders yes no and also now ' +
    'today tomorrow yesterday according current track fetch'
  ).split(' '),
)
/** Capitalised words that name no place or person. */
const NO_NAMES: ReadonlySet<string> = new Set(
  (
    'i monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october ' +
    'november december celsius fahrenheit kelvin api http https json url utc gmt faq'
  ).split(' '),
)
const NAME =
  /\p{Lu}[\p{L}\p{M}'’.-]*(?:\s+(?:(?:de|del|la|of|the|da|do|am|an|der|upon)\s+)?\p{Lu}[\p{L}\p{M}'’-]*)*/gu
const AFTER_PREPOSITION = /\b(?:in|at|near|for|around)\s+(?:the\s+)?((?:[\p{L}\p{M}'’-]+\s*){1,6})/giu
/** Where a name in lower case ends. */
const NAME_ENDS: ReadonlySet<string> = new Set(
  'today tomorrow yesterday now right currently tonight this next on like please with without over during'.split(
    ' ',
  ),
)

/** Names, in order: capitalised words; where there are none, what follows `in`, `at`, `near`, `for`. */
export function names(source: string): readonly string[] {
  const found: string[] = []
  // Codes have capitals too.
  const text = source.replace(/\b[A-Za-z]*[-_]?\d[\w-]*/g, (code) => '0'.repeat(code.length))
  for (const match of text.matchAll(NAME)) {
    const name = withoutStart(trimName(match[0]), isSentenceStart(text, match.index))
    if (name !== '' && !isNoName(name)) found.push(name)
  }
  return found.length > 0 ? found : namesAfterPrepositions(text)
}

function isSentenceStart(text: string, at: number): boolean {
  return /(?:^|[.?!:;]\s+|["“])$/.test(text.slice(0, at))
}

/** `What Berlin`: takes away the words that only begin the sentence. A name may begin it too. */
function withoutStart(name: string, startsSentence: boolean): string {
  const parts = name.split(/\s+/)
  const first = words(parts[0] ?? '')[0] ?? ''
  if (startsSentence && (isStopWord(first) || SENTENCE_STARTS.has(first))) return parts.slice(1).join(' ')
  return name
}

function isNoName(name: string): boolean {
  const parts = words(name)
  return parts.every((part) => NO_NAMES.has(part) || isStopWord(part))
}

function trimName(name: string): string {
  return name
    .replace(/['’]s\b/g, '')
    .replace(/[.'’-]+$/, '')
    .trim()
}

function namesAfterPrepositions(text: string): readonly string[] {
  const found: string[] = []
  for (const match of text.matchAll(AFTER_PREPOSITION)) {
    const taken: string[] = []
    for (const word of (match[1] ?? '').trim().split(/\s+/)) {
      const plain = words(word)[0] ?? ''
      if (NAME_ENDS.has(plain) || (isStopWord(plain) && !(taken.length > 0 && plain === 'of'))) break
      taken.push(word)
      if (taken.length === 3) break
    }
    if (taken.length > 0) found.push(taken.join(' '))
  }
  return found
}

let zonesByCity: ReadonlyMap<string, string> | undefined

/** IANA time zones: written out (`Europe/Berlin`), `UTC`, or the zone that is named after a city of the text. */
export function timeZones(text: string): readonly string[] {
  const written = text.match(
    /\b(?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific|Etc)\/[A-Za-z_/+-]+\d*/g,
  )
  if (written !== null) return written
  zonesByCity ??= new Map(
    Intl.supportedValuesOf('timeZone').map((zone) => [
      words(zone.slice(zone.lastIndexOf('/') + 1)).join(' '),
      zone,
    ]),
  )
  const found: string[] = []
  for (const name of names(text)) {
    const zone = zonesByCity.get(words(name).join(' '))
    if (zone !== undefined) found.push(zone)
  }
  if (found.length === 0 && /\b(?:UTC|GMT)\b/.test(text)) found.push('UTC')
  return found
}
