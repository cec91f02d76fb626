// The keywords of JSON Schema for arrays.

import type { Json, JsonObject } from './json.ts'
import { equalityKey } from './json-schema-equality.ts'
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

type ArrayCheck = (value: readonly Json[], place: Place, run: Run) => void

export function arrayChecks(schema: JsonObject, inside: Inside): Check[] {
  const checks: ArrayCheck[] = [
    ...sizeChecks(schema),
    ...(schema.uniqueItems === true ? [checkUnique] : []),
    ...itemChecks(schema, inside),
    ...containsCheck(schema, inside),
    ...unevaluatedCheck(schema.unevaluatedItems, inside),
  ]
  if (checks.length === 0) return []
  return [
    (value, place, run) => {
      if (Array.isArray(value)) for (const check of checks) check(value, place, run)
    },
  ]
}

function checkItem(check: Check, item: Json, index: number, place: Place, run: Run): void {
  const inner: Run = { ...createRun(run.effort), found: run.found }
  check(item, { parent: place, key: index }, inner)
  run.seen.items.add(index)
}

function itemChecks({ prefixItems, items }: JsonObject, inside: Inside): ArrayCheck[] {
  const prefix = Array.isArray(prefixItems) ? prefixItems.map(inside.compile) : []
  const rest = items === undefined ? undefined : inside.compile(items)
  if (prefix.length === 0 && rest === undefined) return []
  return [
    (value, place, run) => {
      for (const [index, item] of value.entries()) {
        const check = prefix[index] ?? rest
        if (check === undefined || run.effort.exhausted) return
        checkItem(check, item, index, place, run)
      }
    },
  ]
}

function sizeChecks({ minItems: min, maxItems: max }: JsonObject): ArrayCheck[] {
  if (min === undefined && max === undefined) return []
  return [
    ({ length }, place, run) => {
      if (typeof min === 'number' && length < min)
        report(run, place, `must have at least ${min} items, has ${length}`)
      if (typeof max === 'number' && length > max)
        report(run, place, `must have at most ${max} items, has ${length}`)
    },
  ]
}

const checkUnique: ArrayCheck = (value, place, run) => {
  const firsts = new Map<string, number>()
  for (const [index, item] of value.entries()) {
    const key = equalityKey(item)
    if (!spend(run, 1 + Math.floor(key.length / 64))) return
    const first = firsts.get(key)
    if (first !== undefined)
      report(run, { parent: place, key: index }, `must be different from item ${first}`)
    else firsts.set(key, index)
  }
}

function containsCheck({ contains, minContains, maxContains }: JsonObject, inside: Inside): ArrayCheck[] {
  if (contains === undefined) return []
  const check = inside.compile(contains)
  const min = typeof minContains === 'number' ? minContains : 1
  const max = typeof maxContains === 'number' ? maxContains : Infinity
  return [
    (value, place, run) => {
      let count = 0
      for (const [index, item] of value.entries()) {
        if (attempt(check, item, { parent: place, key: index }, run).found.length > 0) continue
        if (run.effort.exhausted) return
        run.seen.items.add(index)
        count += 1
      }
      if (count < min)
        report(run, place, `must contain at least ${min} items of the required form, has ${count}`)
      if (count > max)
        report(run, place, `must contain at most ${max} items of the required form, has ${count}`)
    },
  ]
}

/** Runs last, as `unevaluatedProperties` does. */
function unevaluatedCheck(schema: Json | undefined, inside: Inside): ArrayCheck[] {
  if (schema === undefined) return []
  const check = inside.compile(schema)
  return [
    (value, place, run) => {
      for (const [index, item] of value.entries()) {
        if (!run.seen.items.has(index)) checkItem(check, item, index, place, run)
      }
    },
  ]
}
