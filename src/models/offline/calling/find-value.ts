// Single values for single arguments: numbers, yes or no, and what stands after an argument's name. Pure.

import type { Json } from '../../../base/json.ts'
import { type FoundNumber, numbers } from '../reading/values.ts'
import { contentStems, isStopWord, stem, words } from '../reading/words.ts'
import { type Property, textOf, typeOf } from './tool-profile.ts'

/** Words for "how many" that people use instead of the argument's name. */
const COUNT_NAMES = /\b(?:limit|count|max|maximum|top|size|number|results|k|n)\b/
const COUNT_BEFORE: ReadonlySet<string> = new Set([
  'top',
  'first',
  'last',
  'limit',
  'most',
  'best',
  'newest',
  'latest',
])

/** A number that is meant for the property: beside its name; for a required one, else the first that fits. */
export function findNumber(property: Property, text: string): number | undefined {
  const fitting = numbers(text).filter(({ value }) => fits(property, value))
  const spoken = words(property.name)
  const stems = new Set([...spoken.map(stem), ...contentStems(textOf(property.schema.description))])
  const named = fitting.find((number) => isBeside(number, new Set(spoken.map(stem))))
  if (named !== undefined) return named.value
  if (COUNT_NAMES.test(spoken.join(' '))) {
    const counted = fitting.find(({ before }) => COUNT_BEFORE.has(before))
    if (counted !== undefined) return counted.value
  }
  if (!property.required) return fitting.find((number) => isBeside(number, stems))?.value
  return fitting[0]?.value
}

function isBeside({ before, after }: FoundNumber, stems: ReadonlySet<string>): boolean {
  return (before !== '' && stems.has(stem(before))) || (after !== '' && stems.has(stem(after)))
}

function fits({ schema }: Property, value: number): boolean {
  if (typeOf(schema) === 'integer' && !Number.isInteger(value)) return false
  const { minimum, maximum } = schema
  return (
    !(typeof minimum === 'number' && value < minimum) && !(typeof maximum === 'number' && value > maximum)
  )
}

/** True where the text names the property, false where it does so with a "no" or "without" before. */
export function findBoolean(property: Property, text: string): boolean | undefined {
  const spoken = words(text)
  const name = words(property.name).filter(
    (word) => !isStopWord(word) && !/^(?:is|has|include|with)$/.test(word),
  )
  const at = spoken.findIndex((word) => name.some((part) => stem(part) === stem(word)))
  if (at < 0) return undefined
  return !spoken
    .slice(Math.max(0, at - 3), at)
    .some((word) => /^(?:no|not|without|exclude|excluding|except)$/.test(word))
}

/** The word after the property's name, with or without `is`, `:` or `=` between: `from Berlin`, `name: Ada`. */
export function wordAfter(property: Property, text: string): string | undefined {
  const name = lastWord(property)
  if (name === undefined) return undefined
  const pattern = new RegExp(
    `\\b${name}\\b\\s*(?:is|=|:|called|named)?\\s*["“\`']?([\\p{L}\\p{N}][\\p{L}\\p{N}@._+-]*)`,
    'iu',
  )
  const word = pattern.exec(text)?.[1]?.replace(/[.]+$/, '')
  return word === undefined || isStopWord(word.toLowerCase()) ? undefined : word
}

/** `from_city` is spoken of as `from`, `origin` too; other properties by their last word. */
function lastWord(property: Property): string | undefined {
  const spoken = words(property.name)
  if (spoken.some((word) => /^(?:from|origin|source|start)$/.test(word))) return 'from'
  if (spoken.some((word) => /^(?:to|destination|target|end)$/.test(word))) return 'to'
  const last = spoken.at(-1)
  return last === undefined || last.length < 2 ? undefined : last
}

/** A value of the type that says nothing, for a field that must be there. */
export function emptyValue(type: string | undefined): Json {
  switch (type) {
    case 'number':
    case 'integer':
      return 0
    case 'boolean':
      return false
    case 'array':
      return []
    case 'object':
      return {}
    case 'null':
      return null
    default:
      return ''
  }
}
