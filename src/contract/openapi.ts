// /openapi.json: OpenAPI 3.1 made from the table of routes and the schemas that validate. Nothing is written twice.

import type { z } from 'zod'
import type { ErrorCode } from '../base/errors.ts'
import { COMPONENT_NAMES } from './openapi/component-names.ts'
import { EXAMPLE_BODIES } from './openapi/examples.ts'
import { createJsonSchemas, type JsonSchema, reference } from './openapi/json-schema.ts'
import { headerParameters, type Parameter, pathParameters, queryParameters } from './openapi/parameters.ts'
import { statusByCode } from './problem.ts'
import { commonErrors, fullPath, type Route } from './route.ts'
import { ROUTE_LIST, type RouteId } from './routes.ts'

export interface OpenApiDocument {
  readonly openapi: '3.1.1'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: readonly { readonly url: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly securitySchemes: Readonly<Record<string, JsonSchema>>
  }
}

export interface Operation {
  readonly operationId: RouteId
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  /** The permission that a credential needs, or `authenticated`, or `public`. */
  readonly 'x-permission': string
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters: readonly Parameter[]
  readonly requestBody?: RequestBody
  readonly responses: Readonly<Record<string, OperationResponse>>
}

interface RequestBody {
  readonly required: boolean
  readonly content: Readonly<Record<string, { readonly schema: JsonSchema; readonly example?: unknown }>>
}

interface OperationResponse {
  readonly description: string
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>
}

const API_VERSION = '1'
const schemaOf = createJsonSchemas(COMPONENT_NAMES)
const problemContent = { 'application/problem+json': { schema: reference('Problem') } }

/** The whole document. Made anew at each call: keep it. */
export function openApiDocument(): OpenApiDocument {
  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of ROUTE_LIST) {
    const path = fullPath(route)
    paths[path] ??= {}
    paths[path][route.method.toLowerCase()] = operationOf(route)
  }
  const named = [...COMPONENT_NAMES].map(([schema, name]) => [name, schemaOf(schema, true)] as const)
  return {
    openapi: '3.1.1',
    info: {
      title: 'Agent Factory',
      version: API_VERSION,
      description:
        'Agents, tools and workflows as data; durable runs; the record of what was said, done and spent. JSON in snake_case; failures are RFC 9457 problems with a stable `code`; lists are pages with a cursor.',
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: Object.fromEntries(named),
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: `Authorization: Bearer af_…`.' },
      },
    },
  }
}

function operationOf(route: Route & { readonly id: RouteId }): Operation {
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    'x-permission': route.permission,
    security: route.permission === 'public' ? [] : [{ apiKey: [] }],
    parameters: [...pathParameters(route), ...queryParameters(route, schemaOf), ...headerParameters(route)],
    ...(route.body ? { requestBody: requestBodyOf(route, route.body) } : {}),
    responses: { ...successes(route), ...problems(route) },
  }
}

function requestBodyOf(route: { readonly id: RouteId }, body: NonNullable<Route['body']>): RequestBody {
  const schema = schemaOf(body.schema)
  const example = EXAMPLE_BODIES[route.id]
  const json = example === undefined ? { schema } : { schema, example }
  if (body.raw) {
    return { required: true, content: { 'application/json': { schema: {} }, 'text/plain': { schema } } }
  }
  if (body.form) {
    const content = { 'application/json': json, 'application/x-www-form-urlencoded': { schema } }
    return { required: true, content }
  }
  const content = body.yaml
    ? { 'application/json': json, 'application/yaml': { schema } }
    : { 'application/json': json }
  return { required: body.optional !== true, content }
}

const MEDIA_TYPES = { text: 'text/plain', html: 'text/html' } as const

function successes(route: Route): Record<string, OperationResponse> {
  const made = Object.entries(route.responses).map(([status, schema]) => [
    status,
    success(route, Number(status), schema),
  ])
  if (route.kind === 'sse')
    made.push(['204', { description: 'The run has ended and nothing comes after that event.' }])
  return Object.fromEntries(made)
}

function success(route: Route, status: number, schema: z.ZodType | null): OperationResponse {
  const description = DESCRIPTIONS[status] ?? 'OK'
  if (!schema) return { description }
  if (route.kind === 'text' || route.kind === 'html') {
    return { description, content: { [MEDIA_TYPES[route.kind]]: { schema: { type: 'string' } } } }
  }
  if (route.kind === 'file') {
    const schema = { type: 'string', format: 'binary' }
    return {
      description,
      content: Object.fromEntries((route.mediaTypes ?? []).map((type) => [type, { schema }])),
    }
  }
  const json = { 'application/json': { schema: schemaOf(schema) } }
  const stream = { 'text/event-stream': { schema: { type: 'string' } } }
  return { description, content: route.kind === 'sse' ? { ...stream, ...json } : json }
}

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  201: 'Made.',
  202: 'Accepted; `Location` says where to look.',
  204: 'Done.',
  503: 'Not now.',
}

/** The problems by status, each with its codes. */
function problems(route: Route): Record<string, OperationResponse> {
  const byStatus = new Map<number, Set<ErrorCode>>()
  for (const code of [...commonErrors(route), ...(route.errors ?? [])]) {
    const status = statusByCode[code]
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code))
  }
  const sorted = [...byStatus].filter(([status]) => !(status in route.responses)).sort(([a], [b]) => a - b)
  return Object.fromEntries(
    sorted.map(([status, codes]) => {
      const description = [...codes].map((code) => `\`${code}\``).join(', ')
      return [String(status), { description, content: problemContent }]
    }),
  )
}
