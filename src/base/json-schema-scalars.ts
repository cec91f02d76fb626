// The keywords of JSON Schema for single values: type, enum, const, numbers and texts.

import type { Json, JsonObject } from './json.ts'
import { isMultipleOf, sameJson } from './json-schema-equality.ts'
import { formatOf } from './json-schema-formats.ts'
import { type Check, type Inside, type Place, type Run, report, shown, spend } from './json-schema-run.ts'

const TYPE_NAMES: Readonly<Record<string, string>> = {
  array: 'an array',
  boolean: 'true or false',
  integer: 'an integer',
  null: 'null',
  number: 'a number',
  object: 'an object',
  string: 'a string',
}
const CHOICES_SHOWN_MAX = 12

/** Whether the value has a type that the schema allows; reports it when not. */
export function typeCheck(schema: JsonObject): (value: Json, place: Place, run: Run) => boolean {
  if (schema.type === undefined) return () => true
  const types = (Array.isArray(schema.type) ? schema.type : [schema.type]).map(String)
  const allowed = types.map((type) => TYPE_NAMES[type] ?? type).join(' or ')
  return (value, place, run) => {
    if (types.some((type) => hasType(value, type))) return true
    report(run, place, `must be ${allowed}, got ${shown(value)}`, 'type')
    return false
  }
}

export function scalarChecks(schema: JsonObject, inside: Inside): Check[] {
  return [...constantChecks(schema), ...numberChecks(schema), ...textChecks(schema, inside)]
}

function hasType(value: Json, type: string): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'null':
      return value === null
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}

function constantChecks(schema: JsonObject): Check[] {
  const checks: Check[] = []
  const { enum: choices, const: only } = schema
  if (Array.isArray(choices)) {
    const list = choices.slice(0, CHOICES_SHOWN_MAX).map(shown).join(', ')
    const more = choices.length > CHOICES_SHOWN_MAX ? `, … (${choices.length} values)` : ''
    checks.push((value, place, run) => {
      if (!spend(run, choices.length) || choices.some((choice) => sameJson(choice, value))) return
      report(
        run,
        place,
        `must be one of ${list}${more}; got ${shown(value)}`,
        choices.length === 1 ? 'constant' : 'type',
      )
    })
  }
  if (only !== undefined) {
    checks.push((value, place, run) => {
      if (!sameJson(only, value))
        report(run, place, `must be ${shown(only)}, got ${shown(value)}`, 'constant')
    })
  }
  return checks
}

function numberChecks(schema: JsonObject): Check[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
  const rules: { readonly isRight: (value: number) => boolean; readonly text: string }[] = []
  if (typeof minimum === 'number')
    rules.push({ isRight: (value) => value >= minimum, text: `at least ${minimum}` })
  if (typeof maximum === 'number')
    rules.push({ isRight: (value) => value <= maximum, text: `at most ${maximum}` })
  if (typeof exclusiveMinimum === 'number') {
    rules.push({ isRight: (value) => value > exclusiveMinimum, text: `more than ${exclusiveMinimum}` })
  }
  if (typeof exclusiveMaximum === 'number') {
    rules.push({ isRight: (value) => value < exclusiveMaximum, text: `less than ${exclusiveMaximum}` })
  }
  if (typeof multipleOf === 'number') {
    rules.push({ isRight: (value) => isMultipleOf(value, multipleOf), text: `a multiple of ${multipleOf}` })
  }
  if (rules.length === 0) return []
  return [
    (value, place, run) => {
      if (typeof value !== 'number') return
      for (const { isRight, text } of rules)
        if (!isRight(value)) report(run, place, `must be ${text}, got ${value}`)
    },
  ]
}

function textChecks(schema: JsonObject, inside: Inside): Check[] {
  const checks: Check[] = []
  const { minLength, maxLength, pattern, format } = schema
  if (typeof minLength === 'number' || typeof maxLength === 'number')
    checks.push(lengthCheck(minLength, maxLength))
  if (typeof pattern === 'string') {
    const matches = inside.compilePattern(pattern)
    checks.push((value, place, run) => {
      if (typeof value !== 'string') return
      const problem = patternProblem(matches, value)
      if (problem !== undefined) report(run, place, `must match the pattern ${pattern}, ${problem}`)
    })
  }
  const known = typeof format === 'string' ? formatOf(format) : undefined
  if (known !== undefined) {
    const text = `must have the format ${String(format)}, such as ${known.example}`
    checks.push((value, place, run) => {
      if (typeof value !== 'string' || known.test(value)) return
      report(run, place, `${text}; got ${shown(value)}`)
    })
  }
  return checks
}

/** Lengths count characters as the specification does: code points, not halves of surrogate pairs. */
function lengthCheck(min: Json | undefined, max: Json | undefined): Check {
  return (value, place, run) => {
    if (typeof value !== 'string') return
    let length = 0
    for (const _character of value) length += 1
    if (typeof min === 'number' && length < min)
      report(run, place, `must have at least ${min} characters, has ${length}`)
    if (typeof max === 'number' && length > max)
      report(run, place, `must have at most ${max} characters, has ${length}`)
  }
}

/** Why a text does not match, or undefined when it does. A matcher may refuse a text that is too long for it. */
export function patternProblem(matches: (text: string) => boolean, text: string): string | undefined {
  try {
    return matches(text) ? undefined : `got ${shown(text)}`
  } catch {
    return 'but is too long to be compared with it'
  }
}
