// Answers from other JSON: the fields that the question asks for first, named and with their units. Pure.

import { isJsonObject, type Json, type JsonObject } from '../../../base/json.ts'
import { contentStems, relatedStems, stem, words } from '../reading/words.ts'
import { isMoment, type Leaf, label, say, show } from './speak.ts'

const LEAVES_MAX = 300
const DEPTH_MAX = 6
/** So many fields are quoted whole; of more, only those that are asked for. */
const SMALL = 8
const QUOTED_MAX = 12
const ROWS_MAX = 5

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
  return sayAll(chosen.length > 0 ? chosen : leaves, leaves)
}

/** Each fact once: `utc` says nothing new beside the same moment in another zone. */
function sayAll(chosen: readonly Leaf[], among: readonly Leaf[]): string {
  const parts: string[] = []
  const moments = new Set<number>()
  for (const leaf of chosen) {
    const moment = isMoment(leaf.value) ? Date.parse(String(leaf.value)) : Number.NaN
    const second = Math.floor(moment / 1_000)
    const isSaid =
      moments.has(second) || (typeof leaf.value === 'string' && parts.join(', ').includes(show(leaf.value)))
    if (isSaid) continue
    if (!Number.isNaN(second)) moments.add(second)
    if (parts.push(say(leaf, among)) === QUOTED_MAX) break
  }
  return parts.join(', ')
}

/** Fields that say how a thing stands, whatever was asked. */
const TELLING: ReadonlySet<string> = new Set(['status', 'state', 'result', 'answer', 'message', 'error'])
/** What a question word asks for, by the names of fields and by their values. */
const ASKED_BY: readonly (readonly [question: RegExp, names: string, isKind?: (value: Json) => boolean])[] = [
  [/\bwhere\b/i, 'status state location place position'],
  [/\bwhen\b|\bwhat (?:day|date|time)\b|\barriv\w*/i, 'expected estimated delivery', isMoment],
  [/\bhow much\b/i, 'price cost amount total fee'],
  [/\bhow many\b/i, 'count quantity stock number total'],
  [/\bwho\b|\bwhose\b/i, 'name author customer owner user'],
  [/\b(?:in stock|available|sold out)\b/i, 'stock available availability'],
]

/** The fields that the question names; where it names none, those it asks for otherwise and those that tell how things stand. */
function askedFor(question: string, leaves: readonly Leaf[]): readonly Leaf[] {
  const asked = contentStems(question)
  const stemsOf = ({ path }: Leaf): readonly string[] => path.flatMap((part) => words(part).map(stem))
  const named = leaves.filter((leaf) => stemsOf(leaf).some((word) => asked.includes(word)))
  const wanted = ASKED_BY.filter(([pattern]) => pattern.test(question))
  const names = new Set(wanted.flatMap(([, list]) => contentStems(list)))
  const meant = leaves.filter(
    (leaf) =>
      wanted.some(([, , isKind]) => isKind?.(leaf.value) === true) ||
      stemsOf(leaf).some((word) => names.has(word)),
  )
  if (named.length > 0) return [...new Set([...named, ...meant])]
  const near = asked.flatMap(relatedStems)
  const others = leaves.filter((leaf) =>
    stemsOf(leaf).some((word) => near.includes(word) || TELLING.has(word)),
  )
  return [...new Set([...meant, ...others])]
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
    return rows.length > 0 && rows.length === value.length ? { name: 'results', rows, beside: [] } : undefined
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
  const facts = askedFor(question, beside).map((leaf) => say(leaf, beside))
  const [only] = matching
  // One row needs no list.
  if (only !== undefined && rows.length === 1 && facts.length === 0) return sayRow(question, only)
  const lines = matching.slice(0, ROWS_MAX).map((row) => `- ${sayRow(question, row)}`)
  const more = matching.length > ROWS_MAX ? [`- and ${matching.length - ROWS_MAX} more`] : []
  const total = matching.length === rows.length ? '' : ` of ${rows.length}`
  const count = `${matching.length}${total} ${label(name, rows.length)}`
  return [[count, ...facts].join(', '), ...lines, ...more].join('\n')
}

const HEADS = ['title', 'name', 'label', 'subject']

/** `A Field Guide to Clouds: price 22.00 USD, in stock 3`: what it is called, then what is asked for, then the rest. */
function sayRow(question: string, row: JsonObject): string {
  const leaves = leavesOf(row)
  const head = leaves.find(
    ({ path, value }) => path.length === 1 && HEADS.includes(path[0] ?? '') && typeof value === 'string',
  )
  const rest = leaves.filter((leaf) => leaf !== head)
  const asked = askedFor(question, rest)
  const ordered = [...asked, ...rest.filter((leaf) => !asked.includes(leaf))].slice(0, SMALL)
  const said = sayAll(ordered, leaves)
  if (head === undefined) return said
  return said === '' ? show(head.value) : `${show(head.value)}: ${said}`
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
