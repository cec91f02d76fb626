// The keywords of JSON Schema that put schemas together: allOf, anyOf, oneOf, not, if.

import type { Json, JsonObject } from './json.ts'
import {
  attempt,
  type Check,
  type Found,
  type Inside,
  keepSeen,
  type Place,
  pointerOf,
  type Run,
  report,
} from './json-schema-run.ts'

const FORMS_SHOWN_MAX = 4

export function choiceChecks(schema: JsonObject, inside: Inside): Check[] {
  const checks: Check[] = list(schema.allOf).map(inside.compile)
  if (schema.anyOf !== undefined) checks.push(anyCheck(list(schema.anyOf).map(inside.compile)))
  if (schema.oneOf !== undefined) checks.push(oneCheck(list(schema.oneOf).map(inside.compile)))
  if (schema.not !== undefined) checks.push(notCheck(inside.compile(schema.not)))
  if (schema.if !== undefined) checks.push(ifCheck(schema.if, schema.then, schema.else, inside))
  return checks
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

function anyCheck(checks: readonly Check[]): Check {
  return (value, place, run) => {
    const tries = checks.map((check) => attempt(check, value, place, run))
    const right = tries.filter(({ found }) => found.length === 0)
    for (const inner of right) keepSeen(run, inner)
    if (right.length === 0) reportNone(tries, place, run)
  }
}

function oneCheck(checks: readonly Check[]): Check {
  return (value, place, run) => {
    const tries = checks.map((check) => attempt(check, value, place, run))
    const right = tries.filter(({ found }) => found.length === 0)
    const [only] = right
    if (only === undefined) reportNone(tries, place, run)
    else if (right.length === 1) keepSeen(run, only)
    else
      report(
        run,
        place,
        `must have exactly one of ${checks.length} forms, but has ${right.length} of them at once`,
      )
  }
}

function notCheck(check: Check): Check {
  return (value, place, run) => {
    if (attempt(check, value, place, run).found.length === 0)
      report(run, place, 'has a form that is not allowed')
  }
}

function ifCheck(
  condition: Json,
  then: Json | undefined,
  otherwise: Json | undefined,
  inside: Inside,
): Check {
  const checkIf = inside.compile(condition)
  const checkThen = inside.compile(then ?? true)
  const checkElse = inside.compile(otherwise ?? true)
  return (value, place, run) => {
    const inner = attempt(checkIf, value, place, run)
    if (inner.found.length > 0) {
      checkElse(value, place, run)
      return
    }
    keepSeen(run, inner)
    checkThen(value, place, run)
  }
}

/**
 * No alternative fits. Where the value's kind (its type, or a property that must have a fixed value) leaves a
 * single one, its findings are the useful ones; otherwise each alternative is named with its first finding.
 */
function reportNone(tries: readonly Run[], place: Place, run: Run): void {
  const ofKind = tries.filter(({ found }) => !found.some((each) => isOtherKind(each, place)))
  const [only] = ofKind
  if (only !== undefined && ofKind.length === 1) {
    run.found.push(...only.found)
    return
  }
  const shown = (ofKind.length === 0 ? tries : ofKind).slice(0, FORMS_SHOWN_MAX)
  const reasons = shown.map(({ found }, index) => {
    const telling = found.find((each) => isOtherKind(each, place)) ?? found[0]
    return `(${index + 1}) ${telling === undefined ? '' : relative(telling, place)}`
  })
  const text = `must have one of ${tries.length} forms, but has none: ${reasons.join('; ')}`
  report(run, place, text, ofKind.length === 0 ? 'type' : 'plain')
}

function isOtherKind({ kind, place: at }: Found, place: Place): boolean {
  if (at === place) return kind !== 'plain'
  return kind === 'constant' && at?.parent === place
}

function relative(found: Found, place: Place): string {
  const below = pointerOf(found.place).slice(pointerOf(place).length)
  return below === '' ? found.message : `${below} ${found.message}`
}
