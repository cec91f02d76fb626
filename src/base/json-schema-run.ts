// One check of a value against a schema: what it found, what it has looked at, how much it may still do.

import type { FieldError } from './errors.ts'
import type { Json } from './json.ts'
import { toPointer } from './json-schema-pointer.ts'

const STEPS_MAX = 200_000
const LEVELS_MAX = 256
const ERRORS_MAX = 50
const SHOWN_CHARS_MAX = 60

/** Where in the value; written out as a pointer only for an error. */
export type Place = { readonly parent: Place; readonly key: string | number } | undefined

/** Among alternatives, a wrong `type` of the value, or a wrong `constant` in it or in a property, is another kind of value. */
export type FoundKind = 'type' | 'constant' | 'plain'

export interface Found {
  readonly place: Place
  readonly message: string
  readonly kind: FoundKind
}

/** The properties and items that a keyword has looked at, for `unevaluatedProperties` and `unevaluatedItems`. */
export interface Seen {
  readonly names: Set<string>
  readonly items: Set<number>
}

export interface Run {
  readonly found: Found[]
  readonly seen: Seen
  readonly effort: { steps: number; levels: number; exhausted: boolean }
}

/** Checks a value and adds what is wrong to the run. */
export type Check = (value: Json, place: Place, run: Run) => void

/** What the keywords of one schema need to compile what is inside them. */
export interface Inside {
  readonly compile: (schema: Json) => Check
  readonly compilePattern: (source: string) => (text: string) => boolean
}

export function createRun(
  effort: Run['effort'] = { steps: STEPS_MAX, levels: LEVELS_MAX, exhausted: false },
): Run {
  return { found: [], seen: { names: new Set(), items: new Set() }, effort }
}

/** Takes steps from what is left; false when the check has to stop. */
export function spend(run: Run, steps: number): boolean {
  run.effort.steps -= steps
  if (run.effort.steps < 0 || run.effort.levels < 0) run.effort.exhausted = true
  return !run.effort.exhausted
}

/** Runs a check for itself, so that its findings do not count yet. Shares the effort. */
export function attempt(check: Check, value: Json, place: Place, run: Run): Run {
  const inner = createRun(run.effort)
  check(value, place, inner)
  return inner
}

export function keepSeen(run: Run, inner: Run): void {
  for (const name of inner.seen.names) run.seen.names.add(name)
  for (const item of inner.seen.items) run.seen.items.add(item)
}

export function report(run: Run, place: Place, message: string, kind: FoundKind = 'plain'): void {
  if (run.found.length <= ERRORS_MAX) run.found.push({ place, message, kind })
}

export function fieldErrors(run: Run): FieldError[] {
  if (run.effort.exhausted) {
    return [{ path: '', message: 'is too large or too deep to be checked against this schema' }]
  }
  const errors = run.found.map(({ place, message }) => ({ path: pointerOf(place), message }))
  // The same finding can come from two schemas that both apply.
  const different = errors.filter(
    (error, index) =>
      errors.findIndex((other) => other.path === error.path && other.message === error.message) === index,
  )
  return different.slice(0, ERRORS_MAX)
}

export function pointerOf(place: Place): string {
  const keys: (string | number)[] = []
  for (let at = place; at !== undefined; at = at.parent) keys.unshift(at.key)
  return toPointer(keys)
}

/** A value as it is shown in a message: short, on one line. */
export function shown(value: Json): string {
  if (Array.isArray(value)) return value.length === 1 ? 'a list of 1 item' : `a list of ${value.length} items`
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(typeof value === 'string' ? value.slice(0, SHOWN_CHARS_MAX + 1) : value)
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text
}
