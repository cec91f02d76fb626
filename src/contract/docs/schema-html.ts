// A JSON Schema as a list of fields.

import { isJsonObject } from '../../base/json.ts'
import { escapeHtml, prose } from './escape-html.ts'

/** The fields of a schema, nested; a named schema is a link. */
export function schemaHtml(schema: unknown): string {
  const inner = fieldsOf(schema)
  return `<p>${typeHtml(schema)}${noteHtml(schema)}</p>${inner}`
}

function fieldsOf(schema: unknown): string {
  if (!isJsonObject(schema)) return ''
  if (isJsonObject(schema.properties)) {
    const required = Array.isArray(schema.required) ? schema.required : []
    const items = Object.entries(schema.properties).map(([name, field]) => {
      const mark = required.includes(name) ? '' : ' <span class="dim">optional</span>'
      return `<li><code>${escapeHtml(name)}</code> ${typeHtml(field)}${mark}${noteHtml(field)}${fieldsOf(field)}</li>`
    })
    return items.length > 0 ? `<ul class="fields">${items.join('')}</ul>` : ''
  }
  if (isJsonObject(schema.items)) return fieldsOf(schema.items)
  const forms = formsOf(schema).map(fieldsOf)
  return forms.filter((form) => form !== '').join('<p class="dim">or</p>')
}

function typeHtml(schema: unknown): string {
  if (!isJsonObject(schema)) return 'any JSON'
  if (typeof schema.$ref === 'string') {
    const name = schema.$ref.split('/').at(-1) ?? ''
    return `<a href="#schema-${escapeHtml(name)}">${escapeHtml(name)}</a>`
  }
  if (schema.const !== undefined) return `<code>${escapeHtml(JSON.stringify(schema.const))}</code>`
  if (Array.isArray(schema.enum))
    return schema.enum.map((value) => `<code>${escapeHtml(JSON.stringify(value))}</code>`).join(' ')
  const forms = formsOf(schema)
  if (forms.length > 0) return forms.map(typeHtml).join(' or ')
  if (schema.type === 'array') return `array of ${typeHtml(schema.items)}`
  return typeof schema.type === 'string' ? escapeHtml(schema.type) : 'any JSON'
}

function formsOf(schema: { readonly [key: string]: unknown }): readonly unknown[] {
  const forms = schema.anyOf ?? schema.oneOf
  return Array.isArray(forms) ? forms : []
}

const BOUNDS: Readonly<Record<string, string>> = {
  minimum: 'at least',
  maximum: 'at most',
  minLength: 'characters, at least',
  maxLength: 'characters, at most',
  maxItems: 'items, at most',
  default: 'default',
  pattern: 'pattern',
}

function noteHtml(schema: unknown): string {
  if (!isJsonObject(schema)) return ''
  const bounds = Object.entries(BOUNDS)
    .filter(([key]) => schema[key] !== undefined)
    .map(([key, words]) => `${words} <code>${escapeHtml(String(schema[key]))}</code>`)
  const text = typeof schema.description === 'string' ? ` ${prose(schema.description)}` : ''
  return `${text}${bounds.length > 0 ? ` <span class="dim">(${bounds.join('; ')})</span>` : ''}`
}
