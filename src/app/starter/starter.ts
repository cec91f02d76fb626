// The starter: the agent `guide` from blueprints/guide, and where the example shop runs, tools for it and the workflow
// `refund`. It is data; what somebody has changed since is left alone. Called by start and by projects that want an agent at once.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { ZodType } from 'zod'
import { isAppError } from '../../base/errors.ts'
import { checkJson } from '../../base/json.ts'
import type { Catalog, Kind } from '../../catalog/catalog.ts'
import { type AgentDefinition, agentDefinition } from '../../contract/agent.ts'
import { codecOf } from '../../contract/codec.ts'
import type { Principal } from '../../contract/principal.ts'
import type { ToolDefinition } from '../../contract/tool.ts'
import { type WorkflowDefinition, workflowDefinition } from '../../contract/workflow.ts'
import { type SyncedDefinition, syncDefinitions } from '../host/sync-definitions.ts'

export const STARTER_AGENT = 'guide'
const BUILTIN_SEARCH = 'search_documents'
const DOCS = 'docs'
/** Pays money out: the workflow calls it after a person was asked, the guide does not. */
const REFUND_TOOL = 'refund_order'
const BLUEPRINT = join(import.meta.dirname, '../../../blueprints/guide')

export interface StarterOptions {
  readonly model: string
  /** Tools beside those that the blueprint names: the operations of the example shop. */
  readonly tools: readonly ToolDefinition[]
  /** Names of the folders that `search_documents` may read. */
  readonly collections: readonly string[]
}

/**
 * Creates or updates the starter as the tenant's own user, not as a key: so a later start knows by whom a version was
 * made, and updates only its own.
 */
export async function installStarter(
  catalog: Catalog,
  principal: Principal,
  options: StarterOptions,
): Promise<readonly SyncedDefinition[]> {
  const installer: Principal = { ...principal, apiKeyId: undefined }
  const set = starterDefinitions(options)
  const [tools, agents, workflows] = await Promise.all([
    withoutForeign(catalog, installer, 'tool', set.tools),
    withoutForeign(catalog, installer, 'agent', [set.agent]),
    withoutForeign(catalog, installer, 'workflow', set.workflows),
  ])
  return syncDefinitions(catalog, installer, { tools, agents, workflows })
}

/** The guide with its model and its further tools, these tools, and the workflow that needs them. */
export function starterDefinitions({ model, tools, collections }: StarterOptions): {
  readonly agent: AgentDefinition
  readonly tools: readonly ToolDefinition[]
  readonly workflows: readonly WorkflowDefinition[]
} {
  const agent = blueprintOf('agent.yaml', agentDefinition)
  const [only, ...others] = collections
  const search = only === undefined || others.length === 0 ? undefined : collectionSearch(collections)
  const own = (agent.tools ?? []).map((name) =>
    name === BUILTIN_SEARCH && search !== undefined ? search.name : name,
  )
  const further = search === undefined ? tools : [search, ...tools]
  const names = tools.map(({ name }) => name)
  return {
    agent: { ...agent, model, tools: [...own, ...names.filter((name) => name !== REFUND_TOOL)] },
    tools: further,
    workflows: names.includes(REFUND_TOOL) ? [blueprintOf('refund.yaml', workflowDefinition)] : [],
  }
}

function blueprintOf<T>(file: string, schema: ZodType<T>): T {
  const wire: unknown = parse(readFileSync(join(BLUEPRINT, file), 'utf8'))
  checkJson(wire)
  const decoded = codecOf(schema).decode(wire)
  if (decoded.ok) return decoded.value
  const [error] = decoded.errors
  throw new Error(`The blueprint ${file} is wrong: ${error?.path ?? ''} ${error?.message ?? ''}.`)
}

/** Where a server has several folders of documents, a tool says which one it searches. */
function collectionSearch(collections: readonly string[]): ToolDefinition {
  const collection = collections.find((name) => name === DOCS) ?? collections[0] ?? DOCS
  return {
    name: 'search_guide_documents',
    description: 'Searches the documentation and returns the passages that fit best, each with its path.',
    effect: 'read',
    untrusted: false,
    implementation: { type: 'builtin', name: BUILTIN_SEARCH, config: { collection } },
  }
}

/** Without those whose latest version somebody else made. */
async function withoutForeign<K extends Kind, D extends { readonly name: string }>(
  catalog: Catalog,
  installer: Principal,
  kind: K,
  definitions: readonly D[],
): Promise<readonly D[]> {
  const kept: D[] = []
  for (const definition of definitions) {
    if (!(await isForeign(catalog, installer, kind, definition.name))) kept.push(definition)
  }
  return kept
}

async function isForeign(catalog: Catalog, installer: Principal, kind: Kind, name: string): Promise<boolean> {
  const definitions = catalog[`${kind}s`]
  try {
    const { head } = await definitions.get(installer, name)
    const latest = await definitions.version(installer, head.id, head.latestVersion)
    return latest.createdBy !== installer.userId
  } catch (error) {
    if (isAppError(error, `${kind}.not-found`)) return false
    throw error
  }
}
