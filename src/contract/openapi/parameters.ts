// Parameters of an operation: of its path, its query, its headers.

import type { z } from 'zod'
import { wireName } from '../codec/wire-name.ts'
import type { Route } from '../route.ts'
import type { JsonSchema } from './json-schema.ts'

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: JsonSchema
  readonly example?: unknown
}

export function pathParameters(route: Route): Parameter[] {
  return Object.entries(route.params ?? {}).map(([name, { form, type, description, example }]) => ({
    name,
    in: 'path',
    required: true,
    description,
    schema: type === 'integer' ? { type, minimum: 1 } : { type, pattern: form.source },
    example: type === 'integer' ? Number(example) : example,
  }))
}

export function queryParameters(route: Route, schemaOf: (schema: z.ZodType) => JsonSchema): Parameter[] {
  if (!route.query) return []
  const { properties, required } = schemaOf(route.query) as {
    properties: Record<string, JsonSchema>
    required?: readonly string[]
  }
  return Object.keys(route.query.shape).map((key) => {
    const name = wireName(key)
    const { description, ...schema } = properties[name] ?? {}
    const shared = { name, in: 'query', required: required?.includes(name) === true, schema } as const
    return typeof description === 'string' ? { ...shared, description } : shared
  })
}

/** The headers that some routes read beside `Authorization`. */
export function headerParameters(route: Route): Parameter[] {
  const parameters: Parameter[] = []
  if (route.idempotent) {
    parameters.push(
      header('Idempotency-Key', 'The same key and the same request make the thing once, for 24 hours.'),
    )
  }
  if (route.method === 'PUT')
    parameters.push(header('If-Match', 'The ETag of what you saw: a change meanwhile is 409.'))
  if (route.query && 'wait' in route.query.shape)
    parameters.push(header('Prefer', '`wait=N`: seconds, like `wait`.'))
  if (route.kind === 'sse')
    parameters.push(header('Last-Event-ID', 'The last `id` that you saw: the stream goes on after it.'))
  return parameters
}

function header(name: string, description: string): Parameter {
  return { name, in: 'header', required: false, description, schema: { type: 'string' } }
}
