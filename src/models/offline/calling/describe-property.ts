// An argument in the words of the one who is asked for it. Pure.

import { words } from '../reading/words.ts'
import { choicesOf, type Property, textOf } from './tool-profile.ts'

const CHOICES_MAX = 8
const HINT_CHARS_MAX = 80
const ACRONYMS: ReadonlySet<string> = new Set(['id', 'isbn', 'url', 'iban', 'sku'])

/** `the order id (the number of the order, for example 1002)`, `the quantity (1 to 10)`, `the day (monday, tuesday …)`. */
export function describeProperty({ name, schema }: Property): string {
  const spoken = words(name).map((word) => (ACRONYMS.has(word) && word !== 'id' ? word.toUpperCase() : word))
  const said = hint({ name, schema })
  return `the ${spoken.join(' ')}${said === '' ? '' : ` (${said})`}`
}

function hint({ schema }: Pick<Property, 'name' | 'schema'>): string {
  const choices = choicesOf(schema).map(String)
  if (choices.length > 0) {
    const more = choices.length > CHOICES_MAX ? ['…'] : []
    return [...choices.slice(0, CHOICES_MAX), ...more].join(', ')
  }
  const { minimum, maximum } = schema
  if (typeof minimum === 'number' && typeof maximum === 'number') return `${minimum} to ${maximum}`
  const description = textOf(schema.description).replace(/\s+/g, ' ').trim().replace(/\.$/, '')
  return description.length > HINT_CHARS_MAX
    ? ''
    : description.replace(/^\p{Lu}(?!\p{Lu})/u, (first) => first.toLowerCase())
}
