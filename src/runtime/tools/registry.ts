// The built-in tools of this server, by name.

import { AppError } from '../../base/errors.ts'
import { compileSchema } from '../../base/json-schema.ts'
import type { GuardedFetch } from '../../outbound/guarded-fetch.ts'
import type { BuiltinTool } from './builtin-tool.ts'
import { calculator } from './calculator/calculator.ts'
import { currentTime } from './current-time.ts'
import { createDocumentSearch } from './documents/search-documents.ts'
import { createHttpGet, createHttpRequest } from './http/http-tools.ts'

export interface BuiltinToolsDeps {
  readonly fetch: GuardedFetch
  /** The absolute folder of each collection that `search_documents` may read. */
  readonly collections: Readonly<Record<string, string>>
}

export function createBuiltinTools(deps: BuiltinToolsDeps): ReadonlyMap<string, BuiltinTool> {
  const tools = [
    calculator,
    currentTime,
    createDocumentSearch({ collections: deps.collections }),
    createHttpGet(deps.fetch),
    createHttpRequest(deps.fetch),
  ]
  return new Map(tools.map((tool) => [tool.name, withCheckedConfig(tool)]))
}

const NO_CONFIG = { type: 'object', additionalProperties: false } as const

/** Every tool is only called with a config that its schema allows. */
function withCheckedConfig(tool: BuiltinTool): BuiltinTool {
  const check = compileSchema(tool.configSchema ?? NO_CONFIG)
  return {
    ...tool,
    call: async (input, config, context) => {
      const errors = check(config)
      if (errors.length > 0) {
        const list = errors.map(({ path, message }) => `config${path} ${message}`).join('; ')
        throw new AppError('definition.invalid', `The config of the tool ${tool.name} is wrong: ${list}.`, {
          errors,
        })
      }
      return tool.call(input, config, context)
    },
  }
}
