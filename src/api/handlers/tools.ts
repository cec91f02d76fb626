import { type AppError, isAppError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import { parseJson } from '../../base/json.ts'
import type { Principal } from '../../contract/principal.ts'
import type { ImportedTools } from '../../contract/routes/tools.ts'
import type { ToolDefinition } from '../../contract/tool.ts'
import type { ApiDeps } from '../api-deps.ts'
import { type Handlers, ok, type RequestFacts } from '../call.ts'
import { parseYaml } from '../request/yaml.ts'
import { definitionHandlers } from './definitions.ts'

type ToolRoutes = typeof import('../../contract/routes/tools.ts').toolRoutes

export function toolHandlers(deps: ApiDeps): Pick<Handlers, keyof ToolRoutes> {
  const tools = definitionHandlers(deps, 'tool', deps.catalog.tools)
  return {
    listTools: tools.list,
    createTool: tools.create,
    getTool: tools.get,
    updateTool: tools.update,
    deleteTool: tools.remove,
    listToolVersions: tools.versions,
    getToolVersion: tools.version,
    publishTool: tools.publish,
    rollbackTool: tools.rollback,
    diffTool: tools.diff,
    async testTool({ principal, params, body, request }) {
      const context = { requestId: request.requestId }
      return ok({ output: await deps.runtime.testTool(principal, params.name, body.input, context) })
    },
    async importTools({ principal, body, request }) {
      const { baseUrl, only } = body
      const options = {
        ...(baseUrl === undefined ? {} : { baseUrl }),
        ...(only === undefined ? {} : { only }),
      }
      const imported = await deps.importOpenApi(documentOf(body.document), options)
      const answer: ImportedTools = {
        tools: [...imported.tools],
        created: [],
        skipped: [...imported.skipped],
      }
      if (body.create) await createEach(deps, principal, request, answer, body.publish === true)
      return ok(answer)
    },
  }
}

/** Text of JSON or YAML is read with the same limits as a body. */
function documentOf(document: Json): Json {
  if (typeof document !== 'string') return document
  return document.trimStart().startsWith('{') ? parseJson(document) : parseYaml(document)
}

/** Each tool by itself: one that cannot be made is told, and hinders no other. */
async function createEach(
  deps: ApiDeps,
  principal: Principal,
  request: RequestFacts,
  answer: ImportedTools,
  publish: boolean,
): Promise<void> {
  for (const definition of answer.tools) {
    try {
      const { head, version } = await deps.catalog.tools.create(
        principal,
        definition,
        { publish },
        { requestId: request.requestId },
      )
      answer.created.push({ id: head.id, name: head.name, version: version.version })
    } catch (error) {
      if (!isAppError(error)) throw error
      answer.skipped.push({ operation: definition.name, reason: reasonOf(error, definition) })
    }
  }
}

function reasonOf(error: AppError, definition: ToolDefinition): string {
  const [first] = error.errors
  return first ? `${error.message} (${definition.name}${first.path} ${first.message})` : error.message
}
