// What catalog/ gives the rest: definitions as immutable versions, found by id or name.

import type { AgentId, DefinitionId, TenantId, ToolId, WorkflowId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import type { AgentDefinition } from '../contract/agent.ts'
import type { Principal } from '../contract/principal.ts'
import type { ToolDefinition } from '../contract/tool.ts'
import type { WorkflowDefinition } from '../contract/workflow.ts'

export interface KindMap {
  readonly agent: { readonly id: AgentId; readonly definition: AgentDefinition }
  readonly tool: { readonly id: ToolId; readonly definition: ToolDefinition }
  readonly workflow: { readonly id: WorkflowId; readonly definition: WorkflowDefinition }
}
export type Kind = keyof KindMap
export type VersionStatus = 'draft' | 'published' | 'archived'

/** A definition's head: the thing that has versions. */
export interface Head<K extends Kind> {
  readonly kind: K
  readonly id: KindMap[K]['id']
  readonly name: string
  readonly latestVersion: number
  readonly publishedVersion: number | null
  readonly createdAt: EpochMs
  readonly updatedAt: EpochMs
  readonly archivedAt: EpochMs | null
}

export interface Version<K extends Kind> {
  readonly id: KindMap[K]['id']
  readonly version: number
  readonly status: VersionStatus
  /** SHA-256 in hexadecimal of the canonical JSON (RFC 8785) of the definition in wire form. */
  readonly digest: string
  readonly definition: KindMap[K]['definition']
  readonly createdAt: EpochMs
  readonly createdBy: string
}

/** A head together with one of its versions: the published one where there is one, else the latest. */
export interface Resource<K extends Kind> {
  readonly head: Head<K>
  readonly version: Version<K>
}

export interface Change {
  /** JSON Pointer in wire names. */
  readonly path: string
  readonly type: 'added' | 'removed' | 'changed'
  readonly before?: unknown
  readonly after?: unknown
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | undefined
}

export interface WriteContext {
  readonly requestId: string | undefined
  /** Called in the transaction of the change, with the id of what was made: idempotency keys are recorded here. */
  readonly inTransaction?:
    | ((tx: import('../storage/database.ts').TenantTransaction, id: DefinitionId) => Promise<void>)
    | undefined
}

/** The use cases of one kind. `idOrName` takes either; a foreign or unknown one is `<kind>.not-found`. */
export interface Definitions<K extends Kind> {
  /** Makes version 1: a draft, or published at once. Throws `definition.invalid` with every wrong field, `<kind>.name-taken`. */
  create(
    principal: Principal,
    definition: KindMap[K]['definition'],
    options: { readonly publish: boolean },
    context: WriteContext,
  ): Promise<Resource<K>>
  /** Adds a version (the same content as the latest adds none). `expectedVersion` refuses a lost update with `version.conflict`. */
  update(
    principal: Principal,
    idOrName: string,
    definition: KindMap[K]['definition'],
    options: { readonly publish: boolean; readonly expectedVersion?: number | undefined },
    context: WriteContext,
  ): Promise<Resource<K>>
  get(principal: Principal, idOrName: string): Promise<Resource<K>>
  list(
    principal: Principal,
    page: {
      readonly limit: number
      readonly cursor?: string | undefined
      readonly archived?: boolean | undefined
    },
  ): Promise<Page<Resource<K>>>
  versions(
    principal: Principal,
    idOrName: string,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<Version<K>>>
  version(principal: Principal, idOrName: string, version: number): Promise<Version<K>>
  /** Publishes a version (the latest where none is named); the one before becomes `archived`. Pins nothing: runs pin. */
  publish(
    principal: Principal,
    idOrName: string,
    version: number | undefined,
    context: WriteContext,
  ): Promise<Resource<K>>
  /** Publishes an older version again (the one published before, where none is named). */
  rollback(
    principal: Principal,
    idOrName: string,
    version: number | undefined,
    context: WriteContext,
  ): Promise<Resource<K>>
  diff(principal: Principal, idOrName: string, from: number, to: number): Promise<readonly Change[]>
  /** Archives: no new runs, the name is free again, versions stay for the runs that used them. */
  archive(principal: Principal, idOrName: string, context: WriteContext): Promise<Head<K>>
}

/** For the runtime: published versions by name and pinned ones by number, cached (a version never changes). */
export interface VersionReader {
  /** The published version of an agent by id or name; throws `agent.not-found`, `agent.not-published`, `agent.archived`. */
  publishedAgent(tenantId: TenantId, idOrName: string): Promise<Version<'agent'> & { readonly name: string }>
  /** The published version of a tenant's tool by name, or undefined where the tenant has no such tool. */
  publishedTool(tenantId: TenantId, name: string): Promise<Version<'tool'> | undefined>
  pinnedAgent(tenantId: TenantId, id: AgentId, version: number): Promise<Version<'agent'>>
  pinnedTool(tenantId: TenantId, id: ToolId, version: number): Promise<Version<'tool'>>
  /** The published version of a workflow by id or name; throws `workflow.not-found`, `workflow.not-published`, `workflow.archived`. */
  publishedWorkflow(
    tenantId: TenantId,
    idOrName: string,
  ): Promise<Version<'workflow'> & { readonly name: string }>
  pinnedWorkflow(tenantId: TenantId, id: WorkflowId, version: number): Promise<Version<'workflow'>>
}

export interface Catalog {
  readonly agents: Definitions<'agent'>
  readonly tools: Definitions<'tool'>
  readonly workflows: Definitions<'workflow'>
  readonly versions: VersionReader
}
