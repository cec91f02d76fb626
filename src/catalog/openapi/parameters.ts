// Parameters of an operation, as properties of the tool's input and as instructions for the request.

import type { Json, JsonObject } from '../../base/json.ts'
import { isJsonObject } from '../../base/json.ts'
import type { HttpImplementation } from '../../contract/tool.ts'
import type { OpenApiDocument } from './document.ts'
import { Unsupported } from './document.ts'
import { argumentNameFrom } from './names.ts'
import type { SchemaWriter } from './schema.ts'

type HttpParameter = NonNullable<HttpImplementation['parameters']>[number]
type Style = NonNullable<HttpParameter['style']>

/** One argument: where it goes in the request, and what it is. */
export interface Argument {
  readonly parameter: HttpParameter
  readonly schema: Json
}

const STYLES: ReadonlySet<string> = new Set<Style>([
  'form',
  'simple',
  'spaceDelimited',
  'pipeDelimited',
  'deepObject',
])
/** Headers that the request sets by itself; OpenAPI says that parameters of these names are ignored. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['accept', 'content-type', 'authorization'])
/** The property that holds a request's body; no parameter may take it. */
export const BODY_PROPERTY = 'body'

/** The arguments of an operation. Throws `Unsupported` where a required one cannot be sent. */
export function argumentsOf(
  document: OpenApiDocument,
  writer: SchemaWriter,
  lists: readonly (Json | undefined)[],
  path: string,
): Argument[] {
  const taken = new Set([BODY_PROPERTY])
  return [...declared(document, lists, path).values()].flatMap((parameter) => {
    const reason = unsendable(parameter)
    if (reason !== undefined && parameter.required === true) throw new Unsupported(reason)
    if (reason !== undefined) return []
    const property = argumentNameFrom(String(parameter.name), (name) => taken.has(name))
    taken.add(property)
    return [{ parameter: httpParameter(parameter, property), schema: described(writer, parameter) }]
  })
}

/** By place and name, so that an operation's own replaces that of its path. */
function declared(
  document: OpenApiDocument,
  lists: readonly (Json | undefined)[],
  path: string,
): Map<string, JsonObject> {
  const parameters = new Map<string, JsonObject>()
  for (const value of lists.flatMap((list) => (Array.isArray(list) ? list : []))) {
    const parameter = document.resolve(value)
    if (!isJsonObject(parameter) || typeof parameter.name !== 'string')
      throw new Unsupported('one of its parameters has no name')
    const { name, in: place } = parameter
    const isOwn = place === 'header' && OWN_HEADERS.has(name.toLowerCase())
    const isIdle = place === 'path' && !path.includes(`{${name}}`)
    if (!isOwn && !isIdle) parameters.set(`${String(place)} ${name}`, parameter)
  }
  return parameters
}

function unsendable(parameter: JsonObject): string | undefined {
  const { name, in: place, style } = parameter
  const which = `its parameter "${String(name)}"`
  if (place === 'cookie') return `${which} is a cookie`
  if (place !== 'path' && place !== 'query' && place !== 'header') return `${which} has no known place`
  if (typeof style === 'string' && !STYLES.has(style)) return `${which} has the style "${style}"`
  return parameter.content === undefined ? undefined : `${which} has a media type of its own`
}

function httpParameter(parameter: JsonObject, property: string): HttpParameter {
  const { name, in: place, style, explode } = parameter
  return {
    property,
    name: String(name),
    in: place as HttpParameter['in'],
    ...((place === 'path' || parameter.required === true) && { required: true }),
    ...(typeof style === 'string' && { style: style as Style }),
    ...(typeof explode === 'boolean' && { explode }),
  }
}

function described(writer: SchemaWriter, parameter: JsonObject): Json {
  const schema = writer.write(parameter.schema ?? {})
  const { description } = parameter
  if (!isJsonObject(schema) || typeof description !== 'string' || schema.description !== undefined)
    return schema
  return { ...schema, description }
}
