// Whether a JSON document is a JSON Schema that we can use.

import type { FieldError } from './errors.ts'
import { isJsonObject, type Json, type JsonObject } from './json.ts'
import { resolvePointer, toPointer } from './json-schema-pointer.ts'

const SCHEMA_DEPTH_MAX = 32
const SUBSCHEMAS_MAX = 2_000
const SCHEMA_ERRORS_MAX = 50
const DIALECT = 'https://json-schema.org/draft/2020-12/schema'
const TYPES = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'] as const

/** What each keyword's value must be. A keyword that is not here is a remark and is not looked at. */
const KEYWORDS: Readonly<Record<string, KeywordKind>> = {
  ...kinds('schema', ['additionalProperties', 'unevaluatedProperties', 'propertyNames', 'items', 'contains']),
  ...kinds('schema', ['unevaluatedItems', 'not', 'if', 'then', 'else', 'contentSchema']),
  ...kinds('schemas', ['allOf', 'anyOf', 'oneOf', 'prefixItems']),
  ...kinds('schema map', ['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions']),
  ...kinds('text', ['$schema', '$id', '$comment', 'title', 'description', 'format', 'pattern', '$ref']),
  ...kinds('text', ['contentEncoding', 'contentMediaType']),
  ...kinds('boolean', ['uniqueItems', 'deprecated', 'readOnly', 'writeOnly']),
  ...kinds('count', ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties']),
  ...kinds('count', ['minContains', 'maxContains']),
  ...kinds('number', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']),
  ...kinds('positive', ['multipleOf']),
  ...kinds('names', ['required']),
  ...kinds('names map', ['dependentRequired']),
  ...kinds('type', ['type']),
  ...kinds('list', ['enum', 'examples']),
  ...kinds('refused', [
    '$dynamicRef',
    '$dynamicAnchor',
    '$anchor',
    '$recursiveRef',
    '$recursiveAnchor',
    '$vocabulary',
  ]),
}

type KeywordKind =
  | 'schema'
  | 'schemas'
  | 'schema map'
  | 'text'
  | 'boolean'
  | 'count'
  | 'number'
  | 'positive'
  | 'names'
  | 'names map'
  | 'type'
  | 'list'
  | 'refused'

/** Keywords that look at the same value again, so that a circle through them never ends. */
const IN_PLACE = ['$ref', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentSchemas'] as const

interface Checked {
  readonly root: Json
  readonly checkPattern: (source: string) => string | undefined
  readonly errors: FieldError[]
  /** Every place where a schema stands. */
  readonly places: Map<string, Json>
  readonly references: { readonly at: string; readonly target: string }[]
}

export function schemaErrors(root: Json, checkPattern: (source: string) => string | undefined): FieldError[] {
  const checked: Checked = { root, checkPattern, errors: [], places: new Map(), references: [] }
  visitSchema(root, [], checked)
  for (const { at, target } of checked.references) {
    if (checked.places.has(target)) continue
    report(checked, at, 'must point to a schema in this document, such as #/$defs/name')
  }
  if (checked.errors.length === 0) findCircle(checked)
  return checked.errors.slice(0, SCHEMA_ERRORS_MAX)
}

function visitSchema(schema: Json, keys: readonly string[], checked: Checked): void {
  const at = toPointer(keys)
  if (checked.places.size >= SUBSCHEMAS_MAX) {
    checked.errors.splice(0, Infinity, {
      path: '',
      message: `must have at most ${SUBSCHEMAS_MAX} subschemas`,
    })
    return
  }
  checked.places.set(at, schema)
  if (typeof schema === 'boolean') return
  if (!isJsonObject(schema)) {
    const hint = Array.isArray(schema) && keys.at(-1) === 'items' ? ' (a list belongs in prefixItems)' : ''
    report(checked, at, `must be a schema: an object, true or false${hint}`)
    return
  }
  if (depthOf(keys) > SCHEMA_DEPTH_MAX) {
    report(checked, at, `must not be nested deeper than ${SCHEMA_DEPTH_MAX} schemas`)
    return
  }
  for (const [keyword, value] of Object.entries(schema)) {
    const kind = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined
    if (kind === undefined) continue
    checkKeyword(kind, keyword, value, [...keys, keyword], checked)
  }
}

/** A subschema is at most two keys below its parent (`properties`, name). */
function depthOf(keys: readonly string[]): number {
  return Math.ceil(keys.length / 2)
}

function checkKeyword(
  kind: KeywordKind,
  keyword: string,
  value: Json,
  keys: readonly string[],
  checked: Checked,
): void {
  if (kind === 'schema') {
    visitSchema(value, keys, checked)
  } else if (kind === 'schemas' && Array.isArray(value) && value.length > 0) {
    for (const [index, item] of value.entries()) visitSchema(item, [...keys, String(index)], checked)
  } else if (kind === 'schema map' && isJsonObject(value)) {
    visitMap(keyword, value, keys, checked)
  } else if (kind === 'text' && typeof value === 'string') {
    checkText(keyword, value, keys, checked)
  } else {
    const problem = plainProblem(kind, value)
    if (problem !== undefined) report(checked, toPointer(keys), problem)
  }
}

/** What is wrong with a keyword's value by itself. */
function plainProblem(kind: KeywordKind, value: Json): string | undefined {
  const unless = (right: boolean, message: string): string | undefined => (right ? undefined : message)
  switch (kind) {
    case 'schema':
      return undefined
    case 'schemas':
      return 'must be a list of at least one schema'
    case 'schema map':
      return 'must be an object whose values are schemas'
    case 'text':
      return 'must be a text'
    case 'boolean':
      return unless(typeof value === 'boolean', 'must be true or false')
    case 'count':
      return unless(Number.isSafeInteger(value) && Number(value) >= 0, 'must be a whole number from 0')
    case 'number':
      return unless(typeof value === 'number', 'must be a number')
    case 'positive':
      return unless(typeof value === 'number' && value > 0, 'must be a number above 0')
    case 'names':
      return unless(isNames(value), 'must be a list of different names')
    case 'names map':
      return unless(isNamesMap(value), 'must be an object of lists of names')
    case 'type':
      return unless(isType(value), `must be one of ${TYPES.join(', ')}, or a list of different ones`)
    case 'list':
      return unless(Array.isArray(value) && value.length > 0, 'must be a list of at least one value')
    case 'refused':
      return 'is not supported; use $ref with #/$defs/name'
    default:
      return kind satisfies never
  }
}

function visitMap(keyword: string, map: JsonObject, keys: readonly string[], checked: Checked): void {
  for (const [name, schema] of Object.entries(map)) {
    if (keyword === 'patternProperties') checkPatternSource(name, toPointer([...keys, name]), checked)
    visitSchema(schema, [...keys, name], checked)
  }
}

function checkText(keyword: string, text: string, keys: readonly string[], checked: Checked): void {
  const at = toPointer(keys)
  if (keyword === 'pattern') checkPatternSource(text, at, checked)
  if (keyword === '$id' && keys.length > 1) report(checked, at, 'is only allowed at the top of the schema')
  if (keyword === '$schema' && text.replace(/#$/, '') !== DIALECT) report(checked, at, `must be ${DIALECT}`)
  if (keyword !== '$ref') return
  const target = resolvePointer(text, checked.root)
  if (target === undefined)
    report(checked, at, 'must be # or begin with #/ and point to a schema in this document')
  else checked.references.push({ at, target: target.pointer })
}

function checkPatternSource(source: string, at: string, checked: Checked): void {
  const problem = checked.checkPattern(source)
  if (problem !== undefined) report(checked, at, `must be a safe regular expression: ${problem}`)
}

function isNames(value: Json): boolean {
  if (!Array.isArray(value)) return false
  return value.every((name) => typeof name === 'string') && new Set(value).size === value.length
}

function isNamesMap(value: Json): boolean {
  return isJsonObject(value) && Object.values(value).every(isNames)
}

function isType(value: Json): boolean {
  const names: readonly Json[] = Array.isArray(value) ? value : [value]
  const known = names.every((name) => TYPES.some((type) => type === name))
  return known && names.length > 0 && new Set(names).size === names.length
}

/** Reports a schema that leads back to itself for the same value: checking against it would never end. */
function findCircle(checked: Checked): void {
  const state = new Map<string, 'open' | 'done'>()
  const visit = (at: string): boolean => {
    if (state.get(at) === 'done') return false
    if (state.get(at) === 'open') return true
    state.set(at, 'open')
    const circular = inPlace(at, checked).some(visit)
    state.set(at, 'done')
    return circular
  }
  for (const at of checked.places.keys()) {
    if (!visit(at)) continue
    report(checked, at, 'leads back to itself without going into the value')
    return
  }
}

function inPlace(at: string, checked: Checked): string[] {
  const schema = checked.places.get(at)
  if (!isJsonObject(schema)) return []
  return IN_PLACE.flatMap((keyword) => {
    const value = schema[keyword]
    if (value === undefined) return []
    if (keyword === '$ref') {
      const target = typeof value === 'string' ? resolvePointer(value, checked.root) : undefined
      return target === undefined ? [] : [target.pointer]
    }
    const base = `${at}/${keyword}`
    if (keyword === 'dependentSchemas')
      return Object.keys(value ?? {}).map((name) => base + toPointer([name]))
    return Array.isArray(value) ? value.map((_, index) => `${base}/${index}`) : [base]
  })
}

function report(checked: Checked, path: string, message: string): void {
  if (checked.errors.length < SCHEMA_ERRORS_MAX) checked.errors.push({ path, message })
}

function kinds(kind: KeywordKind, keywords: readonly string[]): Record<string, KeywordKind> {
  return Object.fromEntries(keywords.map((keyword) => [keyword, kind]))
}
