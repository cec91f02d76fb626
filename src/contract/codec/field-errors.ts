// What a schema found wrong, told for people: where on the wire, what is allowed, what came instead.

import type { z } from 'zod'
import type { FieldError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import { quote, summarize } from './value-summary.ts'
import { pointerBelow, wireName } from './wire-name.ts'
import type { WireNode } from './wire-node.ts'

const CHOICES_SHOWN_MAX = 40

type Issue = z.core.$ZodIssue

/** The issues of a failed parse as field errors, with wire names in the paths. */
export function fieldErrors(issues: readonly Issue[], node: WireNode, wire: Json | undefined): FieldError[] {
  return issues.flatMap((issue) => {
    const place = follow(issue.path, node, wire)
    const inner = innerIssues(issue)
    if (inner)
      return fieldErrors(inner, place.node, place.wire).map((error) => ({
        ...error,
        path: place.at + error.path,
      }))
    return [{ path: place.at, message: told(issue, place.wire) }]
  })
}

interface Place {
  readonly at: string
  readonly node: WireNode
  readonly wire: Json | undefined
}

function follow(path: readonly PropertyKey[], node: WireNode, wire: Json | undefined): Place {
  let place: Place = { at: '', node, wire }
  for (const key of path) {
    const below = place.node.below(key, place.wire)
    const parent = place.wire
    const here =
      typeof parent === 'object' && parent !== null && Object.hasOwn(parent, below.name)
        ? (parent as Readonly<Record<string, Json>>)[below.name]
        : undefined
    place = { at: pointerBelow(place.at, below.name), node: below.node, wire: here }
  }
  return place
}

/** Of a union, the one form that the value could be, when there is exactly one: then its errors are told. */
function innerIssues(issue: Issue): readonly Issue[] | undefined {
  if (issue.code !== 'invalid_union') return undefined
  const possible = issue.errors.filter((errors) => !errors.some(isOtherKind))
  return possible.length === 1 ? possible[0] : undefined
}

function isOtherKind(issue: Issue): boolean {
  return (
    issue.path.length === 0 &&
    (issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'custom')
  )
}

function told(issue: Issue, value: Json | undefined): string {
  const allowed = allows(issue)
  if (value === undefined) return `is required; it ${allowed}`
  return `${allowed}; got ${summarize(value)}`
}

function allows(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${kindName(issue.expected)}`
    case 'too_big':
      return `must ${bound('at most', issue.maximum, issue.origin, issue.inclusive)}`
    case 'too_small':
      return `must ${bound('at least', issue.minimum, issue.origin, issue.inclusive)}`
    case 'invalid_value':
      return `must be ${choices(issue.values)}`
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    case 'invalid_union':
      return `must be ${unionKinds(issue)}`
    case 'invalid_key':
      return `must have allowed keys: a key ${issue.issues[0] ? allows(issue.issues[0]) : 'is wrong'}`
    case 'unrecognized_keys':
      return `has unknown fields: ${issue.keys.map((key) => quote(wireName(key))).join(', ')}`
    case 'invalid_format':
      return formatRule(issue)
    default:
      return issue.message
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  url: 'must be a URL that begins with http:// or https://',
  datetime: 'must be a time in RFC 3339, for example "2026-11-22T10:00:00.000Z"',
  email: 'must be an e-mail address',
}

function formatRule(issue: z.core.$ZodIssueInvalidStringFormat): string {
  return FORMATS[issue.format] ?? issue.message
}

function bound(word: string, limit: number | bigint, origin: string, inclusive: boolean | undefined): string {
  if (origin === 'string') return `have ${word} ${limit} characters`
  if (origin === 'array' || origin === 'set') return `have ${word} ${limit} items`
  if (inclusive === false) return `be ${word === 'at most' ? 'less than' : 'more than'} ${limit}`
  return `be ${word} ${limit}`
}

function choices(values: readonly unknown[]): string {
  const shown = values
    .slice(0, CHOICES_SHOWN_MAX)
    .map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value)))
  const more = values.length > shown.length ? ', …' : ''
  return values.length === 1 ? String(shown[0]) : `one of ${shown.join(', ')}${more}`
}

function unionKinds(issue: z.core.$ZodIssueInvalidUnion): string {
  if ('options' in issue && Array.isArray(issue.options)) return choices(issue.options)
  const kinds = issue.errors.flatMap((errors) =>
    errors.filter(isOtherKind).map((inner) => allows(inner).replace(/^must be /, '')),
  )
  return kinds.length > 0 ? [...new Set(kinds)].join(' or ') : 'one of the allowed forms'
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  record: 'an object',
  null: 'null',
}

function kindName(expected: string): string {
  return KINDS[expected] ?? expected
}
