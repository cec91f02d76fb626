import { z } from 'zod'
import { json } from '../fields.ts'
import { resourceOf, versionOf } from '../resource.ts'
import { route } from '../route.ts'
import { toolDefinition } from '../tool.ts'
import { definitionRoutes, which } from './definitions.ts'
import { idOrName } from './path-params.ts'

const id = idOrName('tool.not-found', 'get-weather')

const tools = definitionRoutes({
  kind: 'tool',
  definition: toolDefinition,
  id,
  read: 'READ_TOOLS',
  write: 'WRITE_TOOLS',
  remove: 'DELETE_TOOLS',
  refusals: ['definition.invalid', 'tool.name-taken', 'outbound.refused'],
  publish: which,
})

const importTools = z.strictObject({
  /** An OpenAPI 3 document: an object, or its text in JSON or YAML. */
  document: z.union([z.string().min(1), json]),
  /** Instead of the document's own servers. */
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional(),
  /** Only these operations, by `operationId`. */
  only: z.array(z.string().min(1).max(200)).max(1_000).optional(),
  /** Make the tools; without it they are only shown. */
  create: z.boolean().optional(),
  publish: z.boolean().optional(),
})

const importedTools = z.object({
  tools: z.array(toolDefinition),
  created: z.array(z.object({ id: z.string(), name: z.string(), version: z.int() })),
  skipped: z.array(z.object({ operation: z.string(), reason: z.string() })),
})

export const toolRoutes = {
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
  testTool: route({
    method: 'POST',
    path: '/tools/{name}/test',
    permission: 'RUN_TOOLS',
    tag: 'tools',
    summary: 'Run a tool once, outside a run',
    description: 'It really runs: a tool with an effect has its effect.',
    params: { name: id },
    body: { schema: z.strictObject({ input: json }) },
    responses: { 200: z.object({ output: json }) },
    errors: [
      'tool.not-published',
      'tool.unregistered',
      'tool.input-invalid',
      'tool.output-invalid',
      'tool.output-too-large',
      'tool.failed',
      'tool.timeout',
      'outbound.refused',
      'outbound.failed',
    ],
    unrepeatable: true,
  }),
  importTools: route({
    method: 'POST',
    path: '/tools/import',
    permission: 'WRITE_TOOLS',
    tag: 'tools',
    summary: 'Turn an OpenAPI document into tools',
    description:
      'Shows the tools; with `create` it makes them, and tells those that it could not make under `skipped`.',
    body: { schema: importTools },
    responses: { 200: importedTools },
    errors: ['definition.invalid'],
  }),
} as const

const tool = resourceOf(toolDefinition)
const toolVersion = versionOf(toolDefinition)
export type Tool = z.infer<typeof tool>
export type ToolVersion = z.infer<typeof toolVersion>
export type ImportTools = z.infer<typeof importTools>
export type ImportedTools = z.infer<typeof importedTools>
