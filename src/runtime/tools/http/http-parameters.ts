// Parameters of an HTTP operation in the forms of OpenAPI: https://spec.openapis.org/oas/v3.1.1#style-values

import { AppError } from '../../../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../base/json.ts'
import type { HttpImplementation } from '../../../contract/tool.ts'

export type HttpParameter = NonNullable<HttpImplementation['parameters']>[number]

export interface PlacedParameters {
  /** The path with its placeholders filled in. */
  readonly path: string
  readonly query: readonly (readonly [name: string, value: string])[]
  readonly headers: Readonly<Record<string, string>>
}

/** Puts the input's values where they belong. Throws `tool.input-invalid` for one that is missing or has no form. */
export function placeParameters(
  template: string,
  parameters: readonly HttpParameter[],
  input: JsonObject,
): PlacedParameters {
  let path = template
  const query: (readonly [string, string])[] = []
  const headers: Record<string, string> = {}
  const cookies: string[] = []
  for (const parameter of parameters) {
    const value = input[parameter.property]
    if (value === undefined || value === null) {
      if (parameter.required === true || parameter.in === 'path') throw invalid(parameter, 'is required')
      continue
    }
    switch (parameter.in) {
      case 'path':
        path = path.replaceAll(`{${parameter.name}}`, () => pathSegment(parameter, value))
        break
      case 'query':
        query.push(...queryPairs(parameter, value))
        break
      case 'header':
        headers[parameter.name.toLowerCase()] = simple(parameter, value)
        break
      case 'cookie':
        cookies.push(`${parameter.name}=${encodeURIComponent(simple(parameter, value))}`)
        break
      default:
        parameter.in satisfies never
    }
  }
  const open = /\{[^{}]*\}/.exec(path)
  if (open !== null) throw new AppError('definition.invalid', `The path has no parameter for ${open[0]}.`)
  if (cookies.length > 0) headers.cookie = cookies.join('; ')
  return { path, query, headers }
}

function pathSegment(parameter: HttpParameter, value: Json): string {
  const text = simple(parameter, value)
  // The URL parser would take these for steps to another path.
  if (text === '' || text === '.' || text === '..') throw invalid(parameter, 'must not be empty, "." or ".."')
  return encodeURIComponent(text)
}

function queryPairs(parameter: HttpParameter, value: Json): (readonly [string, string])[] {
  const { name, style = 'form' } = parameter
  const explode = parameter.explode ?? style === 'form'
  if (isJsonObject(value)) {
    const entries = Object.entries(value).map(([key, item]) => [key, scalar(parameter, item)] as const)
    if (style === 'deepObject') return entries.map(([key, text]) => [`${name}[${key}]`, text])
    return explode ? entries : [[name, entries.flat().join(',')]]
  }
  if (!Array.isArray(value)) return [[name, scalar(parameter, value)]]
  const items = value.map((item: Json) => scalar(parameter, item))
  if (explode) return items.map((item) => [name, item] as const)
  const separator = style === 'spaceDelimited' ? ' ' : style === 'pipeDelimited' ? '|' : ','
  return [[name, items.join(separator)]]
}

/** The style `simple`: items joined by commas, an object as `key,value` or, exploded, `key=value`. */
function simple(parameter: HttpParameter, value: Json): string {
  if (Array.isArray(value)) return value.map((item: Json) => scalar(parameter, item)).join(',')
  if (!isJsonObject(value)) return scalar(parameter, value)
  const sign = parameter.explode === true ? '=' : ','
  return Object.entries(value)
    .map(([key, item]) => `${key}${sign}${scalar(parameter, item)}`)
    .join(',')
}

function scalar(parameter: HttpParameter, value: Json): string {
  if (typeof value === 'object' && value !== null)
    throw invalid(parameter, 'must not hold lists or objects inside')
  return value === null ? '' : String(value)
}

function invalid(parameter: HttpParameter, message: string): AppError {
  return new AppError('tool.input-invalid', `The argument "${parameter.property}" ${message}.`, {
    errors: [{ path: `/${parameter.property.replaceAll('~', '~0').replaceAll('/', '~1')}`, message }],
  })
}
