// Turns an OpenAPI document into tools: data in, data out. It fetches nothing and calls nothing.
// What it cannot express it leaves out, and says so. The API and the CLI call it; the catalog stores what comes out.

import { AppError } from '../base/errors.ts'
import type { Json, JsonObject } from '../base/json.ts'
import { isJsonObject } from '../base/json.ts'
import type { ToolDefinition } from '../contract/tool.ts'
import type { OpenApiDocument } from './openapi/document.ts'
import { readDocument, Unsupported } from './openapi/document.ts'
import { createToolNames } from './openapi/names.ts'
import type { Operation } from './openapi/operation.ts'
import { toolOf } from './openapi/operation.ts'

export interface OpenApiOptions {
  /** Where the document is from: relative server URLs are read against it; without servers it is the server. */
  readonly baseUrl?: string
  /** Operation ids or `GET /path`: only these become tools. */
  readonly only?: readonly string[]
}

export interface OpenApiTools {
  readonly tools: ToolDefinition[]
  readonly skipped: { readonly operation: string; readonly reason: string }[]
}

/** How many operations of a document become tools. */
const TOOLS_MAX = 1_000
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
const OTHER_METHODS = ['OPTIONS', 'TRACE'] as const

/**
 * The tools of an OpenAPI 3.0 or 3.1 document: one per operation, with the arguments as one JSON Schema (parameters
 * by name, a JSON body as `body`). Throws `definition.invalid` where it is no such document.
 */
export function importOpenApi(document: Json, options: OpenApiOptions = {}): OpenApiTools {
  const openApi = readDocument(document)
  const wanted = new Set(options.only)
  const found = new Set<string>()
  const names = createToolNames()
  const result: OpenApiTools = { tools: [], skipped: [] }
  for (const entry of operationsOf(openApi, result)) {
    const keys = [
      entry.label,
      ...(typeof entry.operation.operationId === 'string' ? [entry.operation.operationId] : []),
    ]
    for (const key of keys) found.add(key)
    if (options.only !== undefined && !keys.some((key) => wanted.has(key))) continue
    attempt(result, entry.label, () => {
      if (result.tools.length >= TOOLS_MAX) throw new Unsupported(`the import ends after ${TOOLS_MAX} tools`)
      const tool = toolOf(openApi, entry, options.baseUrl)
      result.tools.push({ ...tool, name: names(tool.name) })
    })
  }
  for (const key of wanted) {
    if (!found.has(key)) result.skipped.push({ operation: key, reason: 'the document has no such operation' })
  }
  return result
}

/** Does the work, or notes why not. */
function attempt(result: OpenApiTools, operation: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof Unsupported) && !(error instanceof AppError)) throw error
    result.skipped.push({ operation, reason: error.message })
  }
}

function operationsOf(document: OpenApiDocument, result: OpenApiTools): Operation[] {
  return Object.entries(document.paths).flatMap(([path, value]) => {
    const operations: Operation[] = []
    attempt(result, path, () => {
      const item = document.resolve(value)
      if (!isJsonObject(item)) throw new Unsupported('is not an object')
      operations.push(...METHODS.flatMap((method) => operationAt(item, path, method)))
      for (const method of OTHER_METHODS) {
        if (item[method.toLowerCase()] === undefined) continue
        result.skipped.push({
          operation: `${method} ${path}`,
          reason: `tools do not use the method ${method}`,
        })
      }
    })
    return operations
  })
}

function operationAt(item: JsonObject, path: string, method: Operation['method']): Operation[] {
  const operation = item[method.toLowerCase()]
  return isJsonObject(operation) ? [{ method, path, label: `${method} ${path}`, item, operation }] : []
}
