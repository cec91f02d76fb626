// Fills the arguments of a tool from plain text, by its JSON Schema. What the text does not say is left out, never invented.

import type { Json, JsonObject } from '../../../base/json.ts'
import { findArithmetic } from '../reading/arithmetic.ts'
import { names, timeZones } from '../reading/places.ts'
import { isMistyped } from '../reading/spelling.ts'
import { codes, dates, dateTimes, emails, quotedTexts, urls } from '../reading/values.ts'
import { contentStems, isStopWord, stem, words } from '../reading/words.ts'
import { findBoolean, findNumber, wordAfter } from './find-value.ts'
import {
  choicesOf,
  type Property,
  plainSchema,
  propertiesOf,
  type ToolProfile,
  textOf,
  typeOf,
} from './tool-profile.ts'

/** One question about three cities becomes three calls, but not thirty. */
const CALLS_PER_CLAUSE_MAX = 4
const QUERY_CHARS_MAX = 400
const PATTERN_CHARS_MAX = 100
/** Patterns of classes and counts between `^` and `$` only: nobody's pattern may take long here. */
const SIMPLE_PATTERN = /^\^(?:(?:\[[\w-]+\]|\\[dw]|[A-Za-z0-9_-])(?:\{\d+(?:,\d*)?\}|\+)?)+\$$/

export type Filled =
  | {
      readonly status: 'complete'
      /** Mostly one; one for each where the text names several places or codes and the tool takes one. */
      readonly sets: readonly JsonObject[]
      /** Which roles the text filled, for the choice between tools. */
      readonly roles: readonly Property['role'][]
    }
  | { readonly status: 'incomplete'; readonly missing: readonly Property[] }

/** What another sentence may be meant with by "there", "it" or "that". */
const REFERABLE: ReadonlySet<Property['role']> = new Set(['place', 'time_zone', 'date', 'code'])

/** `texts` in order of preference: the question itself, then what it refers to. Only required places, dates and codes are taken from there. */
export function fillArguments(profile: ToolProfile, texts: readonly string[]): Filled {
  const taken: Taken = new Map()
  const values: Record<string, Json> = {}
  const roles: Property['role'][] = []
  const missing: Property[] = []
  let spread: { readonly name: string; readonly values: readonly string[] } | undefined
  for (const property of profile.properties) {
    let found: Found = { status: 'absent' }
    for (const [index, text] of texts.entries()) {
      if (index > 0 && !(property.required && REFERABLE.has(property.role))) break
      found = findFor(property, text, profile, taken)
      if (found.status !== 'absent') break
    }
    if (found.status === 'found') {
      values[property.name] = found.value
      roles.push(property.role)
      if (found.others.length > 0) spread ??= { name: property.name, values: found.others }
    } else if (property.schema.default !== undefined) {
      if (property.required) values[property.name] = property.schema.default
    } else if (property.required) {
      missing.push(...lackingIn(property, texts[0] ?? '', profile))
    }
  }
  if (missing.length > 0) return { status: 'incomplete', missing }
  const others = (spread?.values ?? []).slice(0, CALLS_PER_CLAUSE_MAX - 1)
  const sets = [values, ...others.map((value) => ({ ...values, [spread?.name ?? '']: value }))]
  return { status: 'complete', sets, roles }
}

/** The property itself; of an object, those inside that are not found. */
function lackingIn(property: Property, text: string, profile: ToolProfile): readonly Property[] {
  if (property.role !== 'object') return [property]
  const inner = fillArguments({ ...profile, properties: propertiesOf(property.schema) }, [text])
  return inner.status === 'incomplete' ? inner.missing : [property]
}

/** How many values of a role other properties of the same tool have taken. */
type Taken = Map<string, number>

type Found =
  | { readonly status: 'found'; readonly value: Json; readonly others: readonly string[] }
  | { readonly status: 'absent' }

const ABSENT: Found = { status: 'absent' }

function found(value: Json | undefined): Found {
  return value === undefined ? ABSENT : { status: 'found', value, others: [] }
}

function findFor(property: Property, text: string, profile: ToolProfile, taken: Taken): Found {
  const { schema } = property
  switch (property.role) {
    case 'constant':
      return found(schema.const)
    case 'choice':
      return findChoices(property, text, profile)
    case 'number':
      return found(findNumber(property, text))
    case 'boolean':
      return found(findBoolean(property, text))
    case 'expression':
      return found(findArithmetic(text))
    case 'query':
      return found(findQuery(property, text, profile))
    case 'place':
      return findListed(property, names(text), text, profile, taken)
    case 'time_zone':
      return findListed(property, timeZones(text), text, profile, taken)
    case 'date':
      return findListed(property, dates(text), text, profile, taken)
    case 'date_time':
      return findListed(property, dateTimes(text), text, profile, taken)
    case 'url':
      return findListed(property, urls(text), text, profile, taken)
    case 'email':
      return findListed(property, emails(text), text, profile, taken)
    case 'code':
      return findListed(property, codesFor(property, text, profile), text, profile, taken)
    case 'list':
      return found(findList(schema, text, profile))
    case 'object':
      return property.required ? findObject(schema, text, profile) : ABSENT
    case 'text':
      return findText(property, text, profile)
    default:
      return property.role satisfies never
  }
}

/**
 * The next of the listed values that no other property took. Where this is the only property of its role, the further
 * values become further calls. `from X to Y` goes by the names of the properties.
 */
function findListed(
  property: Property,
  listed: readonly string[],
  text: string,
  profile: ToolProfile,
  taken: Taken,
): Found {
  const list = listed.filter((value) => fitsText(property, value))
  const after = wordAfter(property, text)
  const named = after === undefined ? undefined : list.find((value) => value.startsWith(after))
  if (named !== undefined) return found(named)
  const start = taken.get(property.role) ?? 0
  const value = list[start]
  if (value === undefined) return ABSENT
  taken.set(property.role, start + 1)
  const isOnly = profile.properties.filter(({ role }) => role === property.role).length === 1
  const others =
    isOnly && isWorthRepeating(property)
      ? [...new Set(list.slice(start + 1))].filter((other) => other !== value)
      : []
  return { status: 'found', value, others }
}

/** Two places in a question about the time are two questions, though the place may be left out. */
function isWorthRepeating({ required, role }: Property): boolean {
  return required || role === 'place' || role === 'time_zone'
}

/** The choice that the text names; for the only choice that the tool needs, further ones become further calls. */
function findChoices({ schema, required }: Property, text: string, profile: ToolProfile): Found {
  const spoken = words(text).map(stem)
  const named = choicesOf(schema)
    .map((choice) => ({ choice, stems: words(String(choice)).map(stem) }))
    .filter(({ stems }) => stems.length > 0 && stems.every((part) => spoken.includes(part)))
    // The longest first: `in_transit` before `in`; then as they are said.
    .sort(
      (a, b) =>
        b.stems.length - a.stems.length ||
        spoken.indexOf(a.stems[0] ?? '') - spoken.indexOf(b.stems[0] ?? ''),
    )
    .map(({ choice }) => choice)
  const [first, ...others] = named
  if (first === undefined) return ABSENT
  const isOnly = required && profile.properties.filter(({ role }) => role === 'choice').length === 1
  const isText = (choice: Json): choice is string => typeof choice === 'string'
  return { status: 'found', value: first, others: isOnly ? others.filter(isText) : [] }
}

const SEARCH_LEAD =
  /^(?:please\s+)?(?:(?:can|could)\s+you\s+)?(?:search|look|find|query)\b(?:\s+(?:up|in|through|the|my|our|docs|documentation|web|internet|files|knowledge\s+base))*\s+(?:for|about|on)\s+/i
const SAY_LEAD =
  /^(?:what|where)\s+(?:do|does|is|did)\s+(?:the|our|your)\s+(?:docs?|documentation|manual|guide|handbook|readme)\s+(?:say|tell|state|mention)s?\s+(?:us\s+)?(?:about|on|regarding)\s+/i

function findQuery(property: Property, text: string, profile: ToolProfile): string | undefined {
  if (!property.required && wordAfter(property, text) === undefined) return undefined
  const question = text
    .replace(/^(?:(?:also|then|please|now|so|and|but)[\s,]+)+/i, '')
    .replace(/[?!.\s]+$/, '')
    .trim()
  const query = queryIn(question, text, profile)
  const max = typeof property.schema.maxLength === 'number' ? property.schema.maxLength : QUERY_CHARS_MAX
  return query === '' ? undefined : cut(query, max)
}

function queryIn(question: string, text: string, profile: ToolProfile): string {
  const quoted = quotedTexts(text)
  const first = quoted[0]
  if (first !== undefined && SEARCH_LEAD.test(`${question.split(/["“«`']/)[0] ?? ''} `)) return first
  if (first !== undefined && contentStems(question.replace(first, '')).length <= 1) return first
  const bare = question.replace(SEARCH_LEAD, '').replace(SAY_LEAD, '').trim()
  return profile.isDocumentSearch ? bare : (first ?? subjectIn(bare, profile))
}

/** What a catalogue is asked for: a name, else the words that are not the tool's own ("Which book is about clouds"). */
function subjectIn(question: string, profile: ToolProfile): string {
  if (!question.includes(' ')) return question
  const [name] = names(question)
  if (name !== undefined && name.length > 1) return name
  const own = words(question).filter((word) => !isStopWord(word) && !profile.weights.has(stem(word)))
  return own.length > 0 ? own.join(' ') : question
}

/** The end of a text that is too long: there people say what they want. */
function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  const end = text.slice(-charsMax)
  return end.slice(end.indexOf(' ') + 1)
}

/** Codes; and plain numbers where the word before them names the thing: `order 1042`, `orders 1042 and 1043`. */
function codesFor(property: Property, text: string, profile: ToolProfile): readonly string[] {
  const listed = codes(text).filter((code) => fitsText(property, code))
  if (listed.length > 0) return listed
  const things = [...profile.nameStems, ...words(property.name).map(stem)]
  const found: string[] = []
  for (const match of text.matchAll(NAMED_NUMBERS)) {
    const thing = stem((match[1] ?? '').toLowerCase())
    if (things.some((known) => known === thing || isMistyped(thing, known)))
      found.push(...(match[2] ?? '').split(/\D+/).filter((code) => code !== '' && fitsText(property, code)))
  }
  // A pattern tells by itself which number is meant.
  if (found.length === 0 && textOf(property.schema.pattern) !== '')
    found.push(
      ...(text.match(/(?<![-.:/\w])\d{3,20}(?![-.:/]?\w)/g) ?? []).filter((code) => fitsText(property, code)),
    )
  return found
}

const NAMED_NUMBERS =
  /(\p{L}+)\s+(?:(?:numbers?|no\.?|ids?|nr\.?)\s*)?[:#]?\s*(\d{1,20}(?:\s*(?:,|and|or|&)\s*#?\d{1,20}){0,5})\b(?!\.\d)/giu

/** Whether a text keeps to the schema's length and pattern, as far as these can be read. */
function fitsText({ schema }: Property, value: string): boolean {
  const { minLength, maxLength, pattern } = schema
  if (typeof minLength === 'number' && value.length < minLength) return false
  if (typeof maxLength === 'number' && value.length > maxLength) return false
  if (typeof pattern !== 'string' || pattern.length > PATTERN_CHARS_MAX) return true
  const isSimple = SIMPLE_PATTERN.test(pattern) && (pattern.match(/\+|,\d*\}/g) ?? []).length <= 2
  return isSimple ? new RegExp(pattern).test(value) : true
}

function findList(schema: JsonObject, text: string, profile: ToolProfile): Json | undefined {
  const items = plainSchema(schema.items ?? {})
  const choices = choicesOf(items)
  if (choices.length > 0) {
    const spoken = words(text).map(stem)
    const chosen = choices.filter((choice) =>
      words(String(choice))
        .map(stem)
        .every((part) => spoken.includes(part)),
    )
    return chosen.length > 0 ? chosen : undefined
  }
  if ((typeOf(items) ?? 'string') !== 'string') return undefined
  const quoted = quotedTexts(text)
  if (quoted.length > 0) return quoted
  const named = [...codes(text), ...(profile.isSearch ? [] : names(text))]
  return named.length > 0 ? named : undefined
}

function findObject(schema: JsonObject, text: string, profile: ToolProfile): Found {
  const inner = fillArguments({ ...profile, properties: propertiesOf(schema) }, [text])
  return inner.status === 'complete' ? found(inner.sets[0]) : ABSENT
}

/** Free text: what stands in quotes or after the property's name; a name; for the only required text, the question itself. */
function findText(property: Property, text: string, profile: ToolProfile): Found {
  const after = wordAfter(property, text)
  if (after !== undefined) return found(quotedTexts(text).find((quoted) => quoted.startsWith(after)) ?? after)
  if (!property.required) return ABSENT
  const quoted = quotedTexts(text)[0]
  if (quoted !== undefined) return found(quoted)
  const spoken = `${words(property.name).join(' ')} ${textOf(property.schema.description)}`
  if (/\b(?:currency|symbol|ticker|airport|iata)\b/i.test(spoken))
    return found(/\b[A-Z]{3,5}\b/.exec(text)?.[0])
  const name = names(text)[0]
  if (name !== undefined) return found(name)
  const texts = profile.properties.filter(({ role, required }) => role === 'text' && required)
  return texts.length === 1 &&
    /\b(?:text|message|content|body|sentence|note)\b/.test(words(property.name).join(' '))
    ? found(text.trim())
    : ABSENT
}
