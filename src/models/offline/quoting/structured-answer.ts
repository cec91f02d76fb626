// Fills an output schema from the results of tools and the question, as far as types allow. Pure.

import { isJsonObject, type Json, type JsonObject } from '../../../base/json.ts'
import { emptyValue } from '../calling/find-value.ts'
import { choicesOf, plainSchema, textOf, typeOf } from '../calling/tool-profile.ts'
import { findArithmetic } from '../reading/arithmetic.ts'
import { numbers } from '../reading/values.ts'
import { relatedStems, stem, words } from '../reading/words.ts'
import { hitsOf, sourcesOf } from './hits.ts'
import { leavesOf } from './quote-json.ts'
import type { CalledResult } from './quote-results.ts'
import type { Leaf } from './speak.ts'

const DEPTH_MAX = 8
const ITEMS_MAX = 10
const ANSWER_NAMES =
  /\b(?:answer|text|summary|response|reply|message|result|content|explanation|description|reason|reasoning|output)\b/
const SOURCE_NAMES = /\b(?:sources?|citations?|references?|links?|urls?|paths?)\b/

/** What there is to fill fields from. `answer` is the answer in prose. */
export interface Facts {
  readonly question: string
  readonly answer: string
  readonly results: readonly CalledResult[]
}

/** JSON text that follows the schema's types, required fields, choices and bounds of numbers. Patterns are not tried. */
export function structuredAnswer(schema: JsonObject, facts: Facts): string {
  const leaves = facts.results.flatMap(({ result }) =>
    result.output.type === 'json' ? leavesOf(result.output.value) : [],
  )
  return JSON.stringify(fill(plainSchema(schema), '', { ...facts, leaves }, 0))
}

interface Known extends Facts {
  readonly leaves: readonly Leaf[]
}

function fill(schema: JsonObject, name: string, facts: Known, depth: number): Json {
  if (schema.const !== undefined) return schema.const
  const choices = choicesOf(schema)
  if (choices.length > 0) return choose(choices, name, facts)
  const type = typeOf(schema) ?? (schema.properties === undefined ? 'string' : 'object')
  if (depth >= DEPTH_MAX) return emptyValue(type)
  switch (type) {
    case 'object':
      return fillObject(schema, facts, depth)
    case 'array':
      return fillList(schema, name, facts, depth)
    case 'number':
    case 'integer':
      return fillNumber(schema, type, name, facts)
    case 'boolean':
      return (
        facts.leaves.find((leaf) => typeof leaf.value === 'boolean' && isNamed(leaf, name))?.value ??
        schema.default ??
        false
      )
    case 'string':
      return fillText(schema, name, facts)
    default:
      return emptyValue(type)
  }
}

function fillObject(schema: JsonObject, facts: Known, depth: number): Json {
  const properties = isJsonObject(schema.properties) ? schema.properties : {}
  return Object.fromEntries(
    Object.entries(properties).map(([name, inner]) => [
      name,
      fill(plainSchema(inner), name, facts, depth + 1),
    ]),
  )
}

function fillList(schema: JsonObject, name: string, facts: Known, depth: number): Json {
  const items = plainSchema(schema.items ?? {})
  const limit = typeof schema.maxItems === 'number' ? schema.maxItems : ITEMS_MAX
  const least = typeof schema.minItems === 'number' ? schema.minItems : 0
  const found = listFor(items, name, facts).slice(0, limit)
  const missing = Math.max(0, Math.min(least, ITEMS_MAX) - found.length)
  return [...found, ...Array.from({ length: missing }, () => fill(items, name, facts, depth + 1))]
}

function listFor(items: JsonObject, name: string, facts: Known): readonly Json[] {
  if ((typeOf(items) ?? 'string') !== 'string' || choicesOf(items).length > 0) return []
  if (SOURCE_NAMES.test(spoken(name))) {
    return facts.results.flatMap(({ result }) =>
      result.output.type === 'json'
        ? sourcesOf(hitsOf(result.output.value) ?? []).filter((source) => facts.answer.includes(source))
        : [],
    )
  }
  return facts.leaves.filter((leaf) => isNamed(leaf, name)).map(({ value }) => String(value))
}

function fillNumber(schema: JsonObject, type: string, name: string, facts: Known): Json {
  const fits = (value: Json | undefined): value is number =>
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (type === 'number' || Number.isInteger(value)) &&
    !(typeof schema.minimum === 'number' && value < schema.minimum) &&
    !(typeof schema.maximum === 'number' && value > schema.maximum)
  const numeric = facts.leaves.map((leaf) => ({
    leaf,
    value: typeof leaf.value === 'string' ? Number(leaf.value || NaN) : leaf.value,
  }))
  const named = numeric.find(({ leaf, value }) => isNamed(leaf, name) && fits(value))?.value
  if (fits(named)) return named
  // One number in all the results is what was asked for; a sum's result too.
  const all = [
    ...facts.results.flatMap(({ result }) =>
      result.output.type === 'json' && typeof result.output.value === 'number' ? [result.output.value] : [],
    ),
    ...numeric.map(({ value }) => value),
  ]
  const usable = all.filter(fits)
  if (usable[0] !== undefined && (usable.length === 1 || findArithmetic(facts.question) !== undefined))
    return usable[0]
  const asked = numbers(facts.question).find(({ value }) => fits(value))?.value
  const fallback = [asked, schema.default, 0, schema.minimum, schema.maximum].find(fits)
  return fallback ?? 0
}

function fillText(schema: JsonObject, name: string, facts: Known): string {
  const limit = typeof schema.maxLength === 'number' ? schema.maxLength : Infinity
  const cut = (text: string): string => text.slice(0, limit)
  const own = spoken(name)
  if (name === '' || ANSWER_NAMES.test(own)) return cut(facts.answer)
  if (/\bquestion\b/.test(own)) return cut(facts.question)
  const leaf = facts.leaves.find((candidate) => isNamed(candidate, name))
  if (leaf !== undefined) return cut(String(leaf.value))
  return cut(textOf(schema.default))
}

/** The choice that the results name, else the answer or the question, by its own words or related ones; else the one for the rest. */
function choose(choices: readonly Json[], name: string, facts: Known): Json {
  const leaf = facts.leaves.find((candidate) => isNamed(candidate, name))
  const texts = [...(leaf === undefined ? [] : [String(leaf.value)]), facts.answer, facts.question]
  for (const text of texts) {
    const best = bestChoice(choices, new Set(words(text).map(stem)))
    if (best !== undefined) return best
  }
  return (
    choices.find((choice) => /^(?:other|unknown|none|neutral|general)$/i.test(String(choice))) ??
    choices[0] ??
    null
  )
}

function bestChoice(choices: readonly Json[], said: ReadonlySet<string>): Json | undefined {
  const scored = choices.map((choice) => {
    const parts = words(String(choice)).map(stem)
    if (parts.length > 0 && parts.every((part) => said.has(part))) return { choice, score: 2 }
    const isNear = parts.some((part) => relatedStems(part).some((other) => said.has(other)))
    return { choice, score: isNear ? 1 : 0 }
  })
  const best = scored.reduce((first, next) => (next.score > first.score ? next : first), {
    choice: null as Json,
    score: 0,
  })
  return best.score > 0 ? best.choice : undefined
}

/** Whether the leaf's own name, or its whole path, has the words of the field's name. */
function isNamed({ path }: Leaf, name: string): boolean {
  const wanted = words(name).map(stem)
  const own = path.flatMap((part) => words(part).map(stem))
  return wanted.length > 0 && wanted.every((part) => own.includes(part))
}

function spoken(name: string): string {
  return words(name).join(' ')
}
