// An OpenAPI document, and what its references mean: places in the document itself, never another one.

import { AppError } from '../../base/errors.ts'
import type { Json, JsonObject } from '../../base/json.ts'
import { isJsonObject } from '../../base/json.ts'

/** Why an operation does not become a tool. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported'
}

export interface OpenApiDocument {
  /** In 3.0 schemas are a dialect of their own; from 3.1 they are JSON Schema 2020-12. */
  readonly oldSchemas: boolean
  readonly paths: JsonObject
  readonly servers: Json | undefined
  /** The value itself, or what its `$ref` leads to in the end. Throws `Unsupported`. */
  resolve(value: Json | undefined): Json | undefined
  /** What stands at a reference, which may be a reference again. Throws `Unsupported`. */
  at(reference: string): Json
}

/** How many references may lead to each other. */
const REFERENCES_MAX = 16
const REFERENCE_SHOWN_CHARS_MAX = 100

/** Throws `definition.invalid` where it is not OpenAPI 3. */
export function readDocument(document: Json): OpenApiDocument {
  const version = isJsonObject(document) ? document.openapi : undefined
  if (!isJsonObject(document) || typeof version !== 'string' || !/^3\.\d/.test(version))
    throw notOpenApi(document)
  const { paths, servers } = document
  const at = (reference: string): Json => valueAt(document, reference)
  return {
    oldSchemas: version.startsWith('3.0'),
    paths: isJsonObject(paths) ? paths : {},
    servers,
    at,
    resolve: (value) => {
      let current = value
      for (let count = 0; isJsonObject(current) && typeof current.$ref === 'string'; count++) {
        if (count === REFERENCES_MAX)
          throw new Unsupported('its references lead to more references without an end')
        current = at(current.$ref)
      }
      return current
    },
  }
}

function valueAt(document: JsonObject, reference: string): Json {
  const shown = JSON.stringify(reference.slice(0, REFERENCE_SHOWN_CHARS_MAX))
  if (!/^#(\/|$)/.test(reference))
    throw new Unsupported(`it refers to ${shown}, which is not in this document`)
  let value: Json | undefined = document
  for (const segment of reference.split('/').slice(1)) {
    const key = decoded(segment).replaceAll('~1', '/').replaceAll('~0', '~')
    const holder: Json | undefined = value
    value = typeof holder === 'object' && holder !== null ? member(holder, key) : undefined
  }
  if (value === undefined) throw new Unsupported(`it refers to ${shown}, which is not there`)
  return value
}

/** An own one: `constructor` is a member of nothing. */
function member(holder: JsonObject | readonly Json[], key: string): Json | undefined {
  return Object.hasOwn(holder, key) ? (holder as JsonObject)[key] : undefined
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function notOpenApi(document: Json): AppError {
  const isSwagger = isJsonObject(document) && document.swagger !== undefined
  const hint = isSwagger ? 'it is Swagger 2.0: convert it first' : '"openapi" must be 3.0 or 3.1'
  return new AppError('definition.invalid', `The document is not OpenAPI 3: ${hint}.`)
}
