// Brings the catalog to what definitions in files say: creates, updates and publishes. The same content adds no version.

import { isAppError } from '../../base/errors.ts'
import type { Catalog, Definitions, Kind, KindMap } from '../../catalog/catalog.ts'
import type { Principal } from '../../contract/principal.ts'

export interface DefinitionSet {
  readonly tools: readonly KindMap['tool']['definition'][]
  /** Agents and workflows: in an order in which each comes after those that it calls. */
  readonly agents: readonly KindMap['agent']['definition'][]
  readonly workflows: readonly KindMap['workflow']['definition'][]
}

export interface SyncedDefinition {
  readonly kind: Kind
  readonly name: string
  readonly result:
    | { readonly action: 'created' | 'updated' | 'unchanged'; readonly version: number }
    | { readonly action: 'refused'; readonly reason: string }
}

/** One result for each definition, in the order tools, agents, workflows. A refused one does not stop the others. */
export async function syncDefinitions(
  catalog: Pick<Catalog, 'agents' | 'tools' | 'workflows'>,
  principal: Principal,
  set: DefinitionSet,
): Promise<readonly SyncedDefinition[]> {
  const synced: SyncedDefinition[] = []
  for (const tool of set.tools) synced.push(await syncOne('tool', catalog.tools, principal, tool))
  for (const agent of set.agents) synced.push(await syncOne('agent', catalog.agents, principal, agent))
  for (const workflow of set.workflows)
    synced.push(await syncOne('workflow', catalog.workflows, principal, workflow))
  return synced
}

async function syncOne<K extends Kind>(
  kind: K,
  definitions: Definitions<K>,
  principal: Principal,
  definition: KindMap[K]['definition'],
): Promise<SyncedDefinition> {
  const { name } = definition
  try {
    const before = await existing(definitions, principal, kind, name)
    const context = { requestId: undefined }
    const { head, version } =
      before === undefined
        ? await definitions.create(principal, definition, { publish: true }, context)
        : await definitions.update(principal, before.head.id, definition, { publish: true }, context)
    const same = before?.head.publishedVersion === head.publishedVersion
    const action = before === undefined ? 'created' : same ? 'unchanged' : 'updated'
    return { kind, name, result: { action, version: version.version } }
  } catch (error) {
    if (!isAppError(error)) throw error
    const fields = error.errors.map(({ path, message }) => `${path} ${message}`)
    return {
      kind,
      name,
      result: { action: 'refused', reason: fields.length > 0 ? fields.join('; ') : error.message },
    }
  }
}

async function existing<K extends Kind>(
  definitions: Definitions<K>,
  principal: Principal,
  kind: K,
  name: string,
) {
  try {
    const found = await definitions.get(principal, name)
    return found.head.archivedAt === null ? found : undefined
  } catch (error) {
    if (isAppError(error, `${kind}.not-found`)) return undefined
    throw error
  }
}
