// The keywords of JSON Schema for objects.

import { isJsonObject, type Json, type JsonObject } from './json.ts'
import {
  attempt,
  type Check,
  createRun,
  type Inside,
  type Place,
  type Run,
  report,
  spend,
} from './json-schema-run.ts'
import { patternProblem } from './json-schema-scalars.ts'

const NAMES_SHOWN_MAX = 12

type ObjectCheck = (value: JsonObject, place: Place, run: Run) => void

export function objectChecks(schema: JsonObject, inside: Inside): Check[] {
  const checks: ObjectCheck[] = [
    ...sizeChecks(schema),
    ...requiredChecks(schema),
    ...namesCheck(schema.propertyNames, inside),
    ...dependentChecks(schema.dependentSchemas, inside),
    ...propertyChecks(schema, inside),
    ...unevaluatedCheck(schema.unevaluatedProperties, inside),
  ]
  if (checks.length === 0) return []
  return [
    (value, place, run) => {
      if (isJsonObject(value)) for (const check of checks) check(value, place, run)
    },
  ]
}

/** Checks one property: a value of its own, so what is seen inside does not count for the object. */
function checkProperty(check: Check, value: JsonObject, name: string, place: Place, run: Run): void {
  const inner: Run = { ...createRun(run.effort), found: run.found }
  check(value[name] ?? null, { parent: place, key: name }, inner)
}

function propertyChecks(schema: JsonObject, inside: Inside): ObjectCheck[] {
  const named = new Map(entries(schema.properties).map(([name, inner]) => [name, inside.compile(inner)]))
  const patterns = entries(schema.patternProperties).map(([source, inner]) => ({
    matches: inside.compilePattern(source),
    check: inside.compile(inner),
  }))
  const additional = schema.additionalProperties
  if (named.size === 0 && patterns.length === 0 && additional === undefined) return []
  const rest = additional === undefined ? undefined : restCheck(additional, [...named.keys()], inside)
  return [
    (value, place, run) => {
      for (const name of Object.keys(value)) {
        if (!spend(run, 1 + patterns.length)) return
        const fitting = patterns
          .filter(({ matches }) => patternProblem(matches, name) === undefined)
          .map(({ check }) => check)
        const own = named.get(name)
        if (own !== undefined) fitting.push(own)
        if (fitting.length === 0 && rest !== undefined) fitting.push(rest)
        if (fitting.length > 0) run.seen.names.add(name)
        for (const check of fitting) checkProperty(check, value, name, place, run)
      }
    },
  ]
}

function restCheck(schema: Json, names: readonly string[], inside: Inside): Check {
  if (schema !== false) return inside.compile(schema)
  const list = names.slice(0, NAMES_SHOWN_MAX).join(', ')
  const allowed =
    names.length === 0
      ? 'no property is'
      : names.length > NAMES_SHOWN_MAX
        ? `${list}, … are`
        : `${list} ${names.length === 1 ? 'is' : 'are'}`
  return (_value, place, run) => report(run, place, `is not allowed here; ${allowed}`)
}

function sizeChecks({ minProperties: min, maxProperties: max }: JsonObject): ObjectCheck[] {
  if (min === undefined && max === undefined) return []
  return [
    (value, place, run) => {
      const size = Object.keys(value).length
      if (typeof min === 'number' && size < min)
        report(run, place, `must have at least ${min} properties, has ${size}`)
      if (typeof max === 'number' && size > max)
        report(run, place, `must have at most ${max} properties, has ${size}`)
    },
  ]
}

function requiredChecks({ required, dependentRequired }: JsonObject): ObjectCheck[] {
  const checks: ObjectCheck[] = []
  const demand = (names: readonly Json[], message: string): ObjectCheck => {
    return (value, place, run) => {
      for (const name of names) {
        if (!Object.hasOwn(value, String(name))) report(run, { parent: place, key: String(name) }, message)
      }
    }
  }
  if (Array.isArray(required)) checks.push(demand(required, 'is required'))
  for (const [trigger, names] of entries(dependentRequired)) {
    const check = demand(Array.isArray(names) ? names : [], `is required when ${trigger} is given`)
    checks.push((value, place, run) => {
      if (Object.hasOwn(value, trigger)) check(value, place, run)
    })
  }
  return checks
}

function namesCheck(schema: Json | undefined, inside: Inside): ObjectCheck[] {
  if (schema === undefined) return []
  const check = inside.compile(schema)
  return [
    (value, place, run) => {
      for (const name of Object.keys(value)) {
        const at = { parent: place, key: name }
        const [first] = attempt(check, name, at, run).found
        if (first !== undefined) report(run, at, `has a name that ${first.message}`)
      }
    },
  ]
}

function dependentChecks(schemas: Json | undefined, inside: Inside): ObjectCheck[] {
  return entries(schemas).map(([trigger, schema]) => {
    const check = inside.compile(schema)
    return (value, place, run) => {
      if (Object.hasOwn(value, trigger)) check(value, place, run)
    }
  })
}

/** Runs last: it applies to what no other keyword of this schema, or of schemas put into it, has looked at. */
function unevaluatedCheck(schema: Json | undefined, inside: Inside): ObjectCheck[] {
  if (schema === undefined) return []
  const check = schema === false ? restCheck(false, [], inside) : inside.compile(schema)
  return [
    (value, place, run) => {
      for (const name of Object.keys(value)) {
        if (run.seen.names.has(name)) continue
        checkProperty(check, value, name, place, run)
        run.seen.names.add(name)
      }
    },
  ]
}

function entries(value: Json | undefined): [string, Json][] {
  return isJsonObject(value) ? Object.entries(value) : []
}
