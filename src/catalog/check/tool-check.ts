// What a tool's definition means, beyond its form: every error at once.

import type { FieldError } from '../../base/errors.ts'
import { isId } from '../../base/ids.ts'
import type { ToolDefinition } from '../../contract/tool.ts'
import type { Checks } from './checks.ts'
import { below } from './checks.ts'
import { httpErrors } from './http-check.ts'

export function toolErrors(checks: Checks, tool: ToolDefinition): FieldError[] {
  const { inputSchema, outputSchema, implementation } = tool
  return [
    ...(inputSchema ? inputErrors(checks, inputSchema) : []),
    ...(outputSchema ? below('/output_schema', checks.checkSchema(outputSchema)) : []),
    ...(implementation.type === 'http' ? httpErrors(implementation, inputSchema) : []),
    ...attemptErrors(tool),
  ]
}

/** Asked of a new tool only: a release that brings a built-in tool of that name does not lock the tenant's own. */
export function toolNameErrors({ builtinToolNames }: Checks, { name }: ToolDefinition): FieldError[] {
  if (builtinToolNames.has(name)) {
    return [
      {
        path: '/name',
        message: `is the name of a built-in tool; take another one, for example "my-${name}"`,
      },
    ]
  }
  // A tool is found by id or by name: a name that reads as an id would hide the tool of that id.
  return isId('tool', name) ? [{ path: '/name', message: 'has the form of an id; take another one' }] : []
}

function inputErrors(checks: Checks, schema: NonNullable<ToolDefinition['inputSchema']>): FieldError[] {
  const errors = below('/input_schema', checks.checkSchema(schema))
  if (errors.length > 0 || schema.type === 'object') return errors
  return [{ path: '/input_schema/type', message: 'must be "object": the arguments of a tool are an object' }]
}

function attemptErrors({ effect, maxAttempts }: ToolDefinition): FieldError[] {
  if (effect !== 'once' || maxAttempts === undefined || maxAttempts === 1) return []
  return [
    {
      path: '/max_attempts',
      message: 'must be 1 where the effect is "once": such a call is never tried again by itself',
    },
  ]
}
