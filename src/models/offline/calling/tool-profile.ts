// What the offline model knows about a tool: its words and what each of its arguments is for. Read once per tool.

import { isJsonObject, type Json, type JsonObject } from '../../../base/json.ts'
import type { ModelTool } from '../../model.ts'
import { contentStems, stem, words } from '../reading/words.ts'

/** What an argument is for; it decides where its value comes from. */
export type Role =
  | 'constant'
  | 'choice'
  | 'expression'
  | 'query'
  | 'place'
  | 'time_zone'
  | 'date'
  | 'date_time'
  | 'code'
  | 'url'
  | 'email'
  | 'number'
  | 'boolean'
  | 'list'
  | 'object'
  | 'text'

export interface Property {
  readonly name: string
  readonly role: Role
  readonly schema: JsonObject
  readonly required: boolean
}

export interface ToolProfile {
  readonly tool: ModelTool
  /** Stems with how much they say: those of the name most. */
  readonly weights: ReadonlyMap<string, number>
  readonly nameStems: readonly string[]
  /** The verb in the name, where it changes something: `cancel` of `cancel_order`. */
  readonly changes: string | undefined
  readonly properties: readonly Property[]
  readonly isSearch: boolean
  /** Nothing must be said to call it, so its words alone decide. */
  readonly needsNothing: boolean
  /** A search that is asked whole questions, unlike one that finds things by their names. */
  readonly isDocumentSearch: boolean
  readonly isCalculator: boolean
}

const profiles = new WeakMap<ModelTool, ToolProfile>()

export function profileOf(tool: ModelTool): ToolProfile {
  const known = profiles.get(tool)
  if (known !== undefined) return known
  const fresh = readProfile(tool)
  profiles.set(tool, fresh)
  return fresh
}

const NAME_WEIGHT = 3
const DESCRIPTION_WEIGHT = 1
const CHOICE_WEIGHT = 1.5
/** Verbs of names that say nothing about the subject. */
const EMPTY_VERBS: ReadonlySet<string> = new Set(
  ['get', 'fetch', 'retrieve', 'read', 'run', 'do', 'tool', 'api', 'http', 'json'].map(stem),
)
const CHANGING_VERBS: ReadonlySet<string> = new Set(
  (
    'create delete remove cancel refund update send pay charge issue set add place submit book transfer execute deploy drop reset ' +
    'close approve reject publish write post put patch buy subscribe unsubscribe invite ban block restart stop start move rename ' +
    'upload install uninstall assign merge revoke rotate'
  )
    .split(' ')
    .map(stem),
)

/** A clause that begins with such a verb asks for a change: "Delete …". */
export function isChangingVerb(stemmed: string | undefined): boolean {
  return stemmed !== undefined && CHANGING_VERBS.has(stemmed)
}

function readProfile(tool: ModelTool): ToolProfile {
  const properties = propertiesOf(tool.inputSchema)
  const weights = new Map<string, number>()
  const add = (text: string, weight: number): void => {
    for (const word of contentStems(text)) {
      // A number in a description is an example.
      if (!/^\d+$/.test(word)) weights.set(word, Math.max(weights.get(word) ?? 0, weight))
    }
  }
  for (const { name, schema } of properties) {
    add(name, DESCRIPTION_WEIGHT / 2)
    add(textOf(schema.description), DESCRIPTION_WEIGHT / 2)
    for (const choice of choicesOf(schema)) add(String(choice), CHOICE_WEIGHT)
  }
  // What stands in quotes is an example: `such as "Europe/Berlin"` does not make it a tool about Berlin.
  add(tool.description.replace(/"[^"]{0,200}"/g, ' '), DESCRIPTION_WEIGHT)
  const nameWords = words(tool.name)
  const nameStems = nameWords.map(stem).filter((word) => !EMPTY_VERBS.has(word))
  for (const word of nameStems) weights.set(word, NAME_WEIGHT)
  const verb = stem(nameWords[0] ?? '')
  const isSearch =
    properties.some(({ role, required }) => role === 'query' && required) &&
    properties.every(({ role, required }) => role === 'query' || !required)
  return {
    tool,
    weights,
    nameStems,
    changes: CHANGING_VERBS.has(verb) ? verb : undefined,
    properties,
    isSearch,
    needsNothing: properties.every(({ required }) => !required),
    isDocumentSearch: isSearch && DOCUMENTS.test(`${nameWords.join(' ')} ${tool.description}`),
    isCalculator: properties.some(({ role }) => role === 'expression'),
  }
}

const DOCUMENTS =
  /\b(?:docs?|documents?|documentation|knowledge|handbook|manual|wiki|faq|articles?|passages?|pages?|web|internet|notes|files)\b/i

/** The properties of an object schema, required ones first. Other schemas have none. */
export function propertiesOf(schema: JsonObject): readonly Property[] {
  const listed = schema.properties
  if (!isJsonObject(listed)) return []
  const required = new Set(listOf(schema.required))
  const properties = Object.entries(listed).map(([name, value]): Property => {
    const inner = plainSchema(value)
    return { name, role: roleOf(name, inner), schema: inner, required: required.has(name) }
  })
  return [
    ...properties.filter((property) => property.required),
    ...properties.filter((property) => !property.required),
  ]
}

/** The first of the alternatives that is not null, so that `anyOf: [string, null]` is a string. */
export function plainSchema(schema: Json): JsonObject {
  if (!isJsonObject(schema)) return {}
  for (const keyword of ['anyOf', 'oneOf'] as const) {
    const found = listOf(schema[keyword]).find((option) => isJsonObject(option) && option.type !== 'null')
    if (isJsonObject(found)) return { ...found, ...withoutKeyword(schema, keyword) }
  }
  return schema
}

/** The first type of a schema that is not null. */
export function typeOf(schema: JsonObject): string | undefined {
  const type = schema.type
  if (typeof type === 'string') return type
  const first = listOf(type).find((item) => item !== 'null')
  return typeof first === 'string' ? first : undefined
}

export function choicesOf(schema: JsonObject): readonly Json[] {
  return listOf(schema.enum).filter((choice) => choice !== null)
}

export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : []
}

function withoutKeyword(schema: JsonObject, keyword: string): JsonObject {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== keyword))
}

const ROLE_BY_WORDS: readonly (readonly [Role, RegExp])[] = [
  ['expression', /\b(?:expression|expr|formula|calculation|equation|arithmetic)\b/],
  ['time_zone', /\b(?:timezone|tz|time zone)\b/],
  ['url', /\b(?:url|uri|link|href)\b/],
  ['email', /\b(?:e mail|email|recipient)\b/],
  ['code', /\b(?:id|ids|uuid|number|code|sku|reference|ref|ticket|isbn|key)$/],
  ['date', /\b(?:date|day|since|until|deadline)\b/],
  ['place', /\b(?:city|cities|location|place|town|country|region|destination|origin|capital)\b/],
  ['query', /\b(?:query|queries|q|question|search|keyword|keywords|term|terms|topic|prompt|input)\b/],
]
const ROLE_BY_FORMAT: Readonly<Record<string, Role>> = {
  date: 'date',
  'date-time': 'date_time',
  uri: 'url',
  email: 'email',
  uuid: 'code',
}

function roleOf(name: string, schema: JsonObject): Role {
  if (schema.const !== undefined) return 'constant'
  if (choicesOf(schema).length > 0) return 'choice'
  const type = typeOf(schema) ?? (schema.properties === undefined ? 'string' : 'object')
  if (type === 'integer' || type === 'number') return 'number'
  if (type === 'boolean') return 'boolean'
  if (type === 'array') return 'list'
  if (type === 'object') return 'object'
  const format = ROLE_BY_FORMAT[textOf(schema.format)]
  if (format !== undefined) return format
  const spoken = words(name).join(' ')
  const byName = ROLE_BY_WORDS.find(([, pattern]) => pattern.test(spoken))
  if (byName !== undefined) return byName[0]
  return /\barithmetic|mathematical expression\b/i.test(textOf(schema.description)) ? 'expression' : 'text'
}
