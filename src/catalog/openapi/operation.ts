// One operation of a document as one HTTP tool.

import type { Json, JsonObject } from '../../base/json.ts'
import { checkJson, isJsonObject } from '../../base/json.ts'
import { checkSchema } from '../../base/json-schema.ts'
import type { HttpImplementation, ToolDefinition, ToolEffect } from '../../contract/tool.ts'
import { toolDefinition } from '../../contract/tool.ts'
import { definitionErrors } from '../../define/checked-definition.ts'
import { below } from '../check/checks.ts'
import { httpErrors } from '../check/http-check.ts'
import type { OpenApiDocument } from './document.ts'
import { Unsupported } from './document.ts'
import { toolNameFrom } from './names.ts'
import type { Argument } from './parameters.ts'
import { argumentsOf, BODY_PROPERTY } from './parameters.ts'
import { createSchemaWriter, type SchemaWriter } from './schema.ts'
import { serverUrl } from './server.ts'

export interface Operation {
  readonly method: HttpImplementation['method']
  readonly path: string
  /** `GET /pets/{id}`. */
  readonly label: string
  /** What the path says of all its operations. */
  readonly item: JsonObject
  readonly operation: JsonObject
}

const DESCRIPTION_CHARS = 1_000
const JSON_MEDIA_TYPE = /^application\/(json|[\w.+-]+\+json)\s*(;|$)/i
/** What a second call would do, as RFC 9110 (section 9.2) has it. */
const EFFECTS: Readonly<Record<Operation['method'], ToolEffect>> = {
  GET: 'read',
  HEAD: 'read',
  PUT: 'idempotent',
  DELETE: 'idempotent',
  POST: 'once',
  PATCH: 'once',
}

/** Throws `Unsupported` with the reason why not. The name is not yet unique. */
export function toolOf(
  document: OpenApiDocument,
  entry: Operation,
  baseUrl: string | undefined,
): ToolDefinition {
  const { method, path, item, operation } = entry
  if (operation.callbacks !== undefined)
    throw new Unsupported('it calls back, and tools have no address for that')
  const writer = createSchemaWriter(document)
  const args = argumentsOf(document, writer, [item.parameters, operation.parameters], path)
  const body = bodyOf(document, writer, entry)
  return checked({
    name: nameOf(entry),
    description: descriptionOf(entry),
    inputSchema: inputSchemaOf(writer, args, body),
    effect: EFFECTS[method],
    untrusted: true,
    implementation: {
      type: 'http',
      method,
      baseUrl: serverUrl([operation.servers, item.servers, document.servers], baseUrl),
      path,
      ...(args.length > 0 && { parameters: args.map(({ parameter }) => parameter) }),
      ...(body && { body: { property: BODY_PROPERTY, mediaType: body.mediaType } }),
    },
  })
}

function nameOf({ method, path, operation: { operationId } }: Operation): string {
  const isName = typeof operationId === 'string' && /[a-z0-9]/i.test(operationId)
  return toolNameFrom(isName ? operationId : `${method.toLowerCase()} ${path}`)
}

interface Body {
  readonly mediaType: string
  readonly schema: Json
  readonly required: boolean
}

function bodyOf(
  document: OpenApiDocument,
  writer: SchemaWriter,
  { method, operation }: Operation,
): Body | undefined {
  const request = document.resolve(operation.requestBody)
  if (!isJsonObject(request)) return undefined
  const content = isJsonObject(request.content) ? request.content : {}
  const required = request.required === true
  const mediaType = Object.keys(content).find((type) => JSON_MEDIA_TYPE.test(type))
  if (mediaType === undefined || method === 'GET' || method === 'HEAD') {
    if (!required) return undefined
    const types = Object.keys(content).slice(0, 5).join(', ')
    throw new Unsupported(
      mediaType === undefined
        ? `its body is ${types || 'of no known type'}, not JSON`
        : `${method} cannot send its body`,
    )
  }
  const media = document.resolve(content[mediaType])
  const schema = isJsonObject(media) ? (media.schema ?? {}) : {}
  return { mediaType, schema: writer.write(schema), required }
}

function inputSchemaOf(writer: SchemaWriter, args: readonly Argument[], body: Body | undefined): JsonObject {
  const properties = [
    ...args.map(({ parameter, schema }) => [parameter.property, schema] as const),
    ...(body ? [[BODY_PROPERTY, body.schema] as const] : []),
  ]
  const required = [
    ...args.filter(({ parameter }) => parameter.required).map(({ parameter }) => parameter.property),
    ...(body?.required ? [BODY_PROPERTY] : []),
  ]
  const definitions = writer.definitions()
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
    ...(Object.keys(definitions).length > 0 && { $defs: definitions }),
  }
}

function descriptionOf({ operation, label }: Operation): string {
  const parts = [operation.summary, operation.description].filter(
    (part) => typeof part === 'string' && part.trim() !== '',
  )
  const text = [...new Set(parts)].join('\n\n') || label
  return text.length > DESCRIPTION_CHARS ? `${text.slice(0, DESCRIPTION_CHARS - 1).toWellFormed()}…` : text
}

/** A tool that the catalog would refuse is not handed on. */
function checked(tool: ToolDefinition): ToolDefinition {
  checkJson(tool)
  const { implementation, inputSchema } = tool
  const errors = [
    ...definitionErrors(toolDefinition, tool),
    ...below('/input_schema', checkSchema(inputSchema ?? {})),
    ...(implementation.type === 'http' ? httpErrors(implementation, inputSchema) : []),
  ]
  const [first] = errors
  if (first !== undefined) throw new Unsupported(`${first.path} ${first.message}`)
  return tool
}
