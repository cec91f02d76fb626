// Answers from other JSON: the fields that the question asks for, named and with their units. Pure.

import { isJsonObject, type Json, type JsonObject } from '../../../base/json.ts'
import { contentStems, relatedStems, stem, words } from '../reading/words.ts'

const LEAVES_MAX = 300
const DEPTH_MAX = 6
/** So many fields are quoted whole; of more, only those that are asked for. */
const SMALL = 8
const QUOTED_MAX = 12
const ROWS_MAX = 5
const VALUE_CHARS_MAX = 300

export interface Leaf {
  readonly path: readonly string[]
  readonly value: string | number | boolean
}

/**
 * One line for an object; one line per row for a list of objects. Empty where there is nothing to say.
 * `said` are values that the answer names already, e.g. the city that was asked about.
 */
export function quoteJson(question: string, value: Json, said: readonly string[] = []): string {
  const rows = rowsOf(value)
  if (rows !== undefined) return quoteRows(question, rows)
  if (Array.isArray(value)) return value.slice(0, QUOTED_MAX).map(show).join(', ')
  if (!isJsonObject(value)) return show(value)
  const all = leavesOf(value)
  const fresh = all.filter((leaf) => !said.includes(String(leaf.value)))
  const leaves = fresh.length > 0 ? fresh : all
  const asked = askedFor(question, leaves)
  const chosen =
    leaves.length <= SMALL ? [...asked, ...leaves.filter((leaf) => !asked.includes(leaf))] : asked
  return (chosen.length > 0 ? chosen : leaves)
    .slice(0, QUOTED_MAX)
    .map((leaf) => say(leaf, leaves))
    .join(', ')
}

/** Fields that say how a thing stands, whatever was asked. */
const TELLING: ReadonlySet<string> = new Set(['status', 'state', 'result', 'answer', 'message', 'error'])

/** The fields that the question names; where it names none, those with related names and those that tell how things stand. */
function askedFor(question: string, leaves: readonly Leaf[]): readonly Leaf[] {
  const asked = contentStems(question)
  const stemsOf = ({ path }: Leaf): readonly string[] => path.flatMap((part) => words(part).map(stem))
  const named = leaves.filter((leaf) => stemsOf(leaf).some((word) => asked.includes(word)))
  if (named.length > 0) return named
  const near = asked.flatMap(relatedStems)
  return leaves.filter((leaf) => stemsOf(leaf).some((word) => near.includes(word) || TELLING.has(word)))
}

interface Rows {
  readonly name: string
  readonly rows: readonly JsonObject[]
  /** What stands beside the list, e.g. a total. */
  readonly beside: readonly Leaf[]
}

/** A list of objects, by itself or as the one list of an object. */
function rowsOf(value: Json): Rows | undefined {
  if (Array.isArray(value)) {
    const rows = (value as readonly Json[]).filter(isJsonObject)
    return rows.length > 0 && rows.length === value.length ? { name: 'entries', rows, beside: [] } : undefined
  }
  if (!isJsonObject(value)) return undefined
  const lists = Object.entries(value).filter(
    ([, item]) => Array.isArray(item) && item.length > 0 && item.every(isJsonObject),
  )
  const only = lists[0]
  if (only === undefined || lists.length > 1) return undefined
  const rest = Object.fromEntries(Object.entries(value).filter(([name]) => name !== only[0]))
  const beside = leavesOf(rest)
  // An object with a few items inside, such as an order, is a thing of its own and not a list.
  return beside.length > 3 ? undefined : { name: only[0], rows: only[1] as readonly JsonObject[], beside }
}

function quoteRows(question: string, { name, rows, beside }: Rows): string {
  const asked = contentStems(question)
  const scored = rows.map((row) => ({ row, score: rowScore(row, asked) }))
  const best = Math.max(...scored.map(({ score }) => score))
  const matching = best > 0 ? scored.filter(({ score }) => score === best).map(({ row }) => row) : rows
  const lines = matching.slice(0, ROWS_MAX).map((row) => {
    const leaves = leavesOf(row)
    return `- ${leaves
      .slice(0, SMALL)
      .map((leaf) => say(leaf, leaves))
      .join(', ')}`
  })
  const more = matching.length > ROWS_MAX ? [`- and ${matching.length - ROWS_MAX} more`] : []
  const total = matching.length === rows.length ? '' : ` of ${rows.length}`
  const count = `${matching.length}${total} ${label(name, rows.length)}`
  const facts = askedFor(question, beside).map((leaf) => say(leaf, beside))
  return [[count, ...facts].join(', '), ...lines, ...more].join('\n')
}

/** Rows are told apart by their values: a name, a status, a code. */
function rowScore(row: JsonObject, asked: readonly string[]): number {
  const said = new Set(leavesOf(row).flatMap(({ value }) => contentStems(String(value))))
  return asked.filter((word) => said.has(word)).length
}

/** The plain values inside, in order. */
export function leavesOf(value: Json): readonly Leaf[] {
  const leaves: Leaf[] = []
  const visit = (node: Json, path: readonly string[]): void => {
    if (leaves.length >= LEAVES_MAX || path.length > DEPTH_MAX || node === null) return
    if (Array.isArray(node)) {
      const list = node as readonly Json[]
      const isPlain = list.length > 0 && list.every((item) => typeof item !== 'object')
      if (isPlain) leaves.push({ path, value: list.slice(0, QUOTED_MAX).map(String).join(', ') })
      else for (const [index, item] of list.entries()) visit(item, [...path, String(index + 1)])
    } else if (isJsonObject(node)) {
      for (const [name, item] of Object.entries(node)) visit(item, [...path, name])
    } else {
      leaves.push({ path, value: node as Leaf['value'] })
    }
  }
  visit(value, [])
  return leaves
}

/** Endings of field names that are units. */
const UNITS: Readonly<Record<string, string>> = {
  c: ' °C',
  celsius: ' °C',
  f: ' °F',
  fahrenheit: ' °F',
  kmh: ' km/h',
  kph: ' km/h',
  mph: ' mph',
  mm: ' mm',
  km: ' km',
  kg: ' kg',
  percent: ' %',
  pct: ' %',
  ms: ' ms',
  seconds: ' s',
  usd: ' USD',
  eur: ' EUR',
  gbp: ' GBP',
}

function say(leaf: Leaf, among: readonly Leaf[]): string {
  const last = leaf.path.at(-1) ?? ''
  const isUnique = among.filter(({ path }) => path.at(-1) === last).length === 1
  const spoken = [...words(isUnique ? last : leaf.path.join(' '))]
  const unit = typeof leaf.value === 'number' && spoken.length > 1 ? UNITS[spoken.at(-1) ?? ''] : undefined
  const name = (unit === undefined ? spoken : spoken.slice(0, -1)).join(' ')
  const shown = show(leaf.value)
  // A longer text needs marks to be told from what comes after it.
  return / .* .* /.test(shown) ? `${name} "${shown}"` : `${name} ${shown}${unit ?? ''}`
}

function label(name: string, count: number): string {
  const spoken = words(name).join(' ')
  return count === 1 ? spoken.replace(/(?:ies|s)$/, (ending) => (ending === 's' ? '' : 'y')) : spoken
}

function show(value: Json): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  const text =
    typeof value === 'string'
      ? value.replace(/\s+/g, ' ').trim()
      : typeof value === 'number'
        ? String(value)
        : JSON.stringify(value)
  return text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX - 1)}…` : text
}
