// HTTP tools: the path, its parameters, the body and the headers fit together.

import type { FieldError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { isJsonObject } from '../../base/json.ts'
import type { HttpImplementation } from '../../contract/tool.ts'
import { below, repeated } from './checks.ts'

type Parameter = NonNullable<HttpImplementation['parameters']>[number]

/** A token of RFC 9110, the form of a header's name. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a header's value may not hold.
const FORBIDDEN_IN_VALUE = /[\u0000-\u0008\u000a-\u001f\u007f]/
const PLACEHOLDER = /\{([^{}]*)\}/g

export function httpErrors(http: HttpImplementation, inputSchema: JsonObject | undefined): FieldError[] {
  const parameters = http.parameters ?? []
  const properties = inputSchema?.properties
  const isProperty = (name: string): boolean => isJsonObject(properties) && Object.hasOwn(properties, name)
  return below('/implementation', [
    ...urlErrors(http.baseUrl),
    ...pathErrors(http.path, parameters),
    ...parameters.flatMap((parameter, index) =>
      below(`/parameters/${index}`, parameterErrors(parameter, isProperty)),
    ),
    ...repeated(
      parameters,
      (parameter) =>
        `${parameter.in} ${parameter.in === 'header' ? parameter.name.toLowerCase() : parameter.name}`,
      (index, first) => ({
        path: `/parameters/${index}/name`,
        message: `is a parameter already, at /implementation/parameters/${first}`,
      }),
    ),
    ...bodyErrors(http, isProperty),
    ...headerErrors(http.headers ?? {}),
  ])
}

function urlErrors(baseUrl: string): FieldError[] {
  const url = URL.parse(baseUrl)
  if (url === null)
    return [{ path: '/base_url', message: 'must be a URL that begins with http:// or https://' }]
  if (url.username !== '' || url.password !== '') {
    return [
      { path: '/base_url', message: 'must not hold a user or a password: definitions are read by many' },
    ]
  }
  if (url.search !== '' || url.hash !== '') {
    return [
      { path: '/base_url', message: 'must end before "?" and "#": write query parameters as parameters' },
    ]
  }
  return []
}

function pathErrors(path: string, parameters: readonly Parameter[]): FieldError[] {
  const inPath = new Set([...path.matchAll(PLACEHOLDER)].map((match) => match[1] ?? ''))
  const declared = new Set(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name))
  const errors: FieldError[] = []
  if (path !== '' && !path.startsWith('/'))
    errors.push({ path: '/path', message: 'must be empty or begin with "/"' })
  if (/[?#\s\\]/.test(path))
    errors.push({
      path: '/path',
      message: 'must not hold "?", "#", "\\" or spaces: write query parameters as parameters',
    })
  for (const name of inPath) {
    if (!declared.has(name))
      errors.push({ path: '/path', message: `has {${name}}, for which there is no parameter in the path` })
  }
  parameters.forEach((parameter, index) => {
    if (parameter.in !== 'path' || inPath.has(parameter.name)) return
    errors.push({
      path: `/parameters/${index}/name`,
      message: `does not stand in the path: write {${parameter.name}} there`,
    })
  })
  return errors
}

function parameterErrors(parameter: Parameter, isProperty: (name: string) => boolean): FieldError[] {
  const errors: FieldError[] = []
  if (!isProperty(parameter.property)) {
    errors.push({ path: '/property', message: 'must be a property of the input schema' })
  }
  if (parameter.in === 'header' && !TOKEN.test(parameter.name)) {
    errors.push({ path: '/name', message: 'must be the name of a header: letters, digits and "-"' })
  }
  return errors
}

function bodyErrors(
  { body, method }: HttpImplementation,
  isProperty: (name: string) => boolean,
): FieldError[] {
  if (body === undefined) return []
  const errors: FieldError[] = []
  if (!isProperty(body.property))
    errors.push({ path: '/body/property', message: 'must be a property of the input schema' })
  if (method === 'GET' || method === 'HEAD')
    errors.push({ path: '/body', message: `cannot be sent with ${method}` })
  return errors
}

function headerErrors(headers: Readonly<Record<string, string>>): FieldError[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const path = `/headers/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (!TOKEN.test(name)) return [{ path, message: 'is not the name of a header: letters, digits and "-"' }]
    return FORBIDDEN_IN_VALUE.test(value)
      ? [{ path, message: 'must not hold line breaks or control characters' }]
      : []
  })
}
