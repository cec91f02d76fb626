// A project: a grouping of runs, costs and budgets inside a tenant. An archived one keeps what it has and takes nothing new.

import type { ProjectId, TenantId } from '../base/ids.ts'
import type { Principal } from '../contract/principal.ts'
import type { TenantTransaction } from '../storage/database.ts'
import type { RowOf } from '../storage/schema/tables.ts'

export type Project = Omit<RowOf<'projects'>, 'tenantId'>

/** Archived ones count: their names stay taken, and costs go on naming them. */
export const PROJECTS_PER_TENANT_MAX = 10_000

export interface ProjectContext {
  readonly requestId: string | undefined
  /** Called in the transaction of the change, with the id of the project. */
  readonly inTransaction?: ((tx: TenantTransaction, id: string) => Promise<void>) | undefined
}

export interface ProjectChange {
  readonly name?: string | undefined
  readonly state?: Project['state'] | undefined
}

export interface ProjectFilter {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly state?: Project['state'] | undefined
}

export interface Projects {
  /** Throws `project.name-taken`. */
  create(principal: Principal, input: { readonly name: string }, context: ProjectContext): Promise<Project>
  /** Newest first. */
  list(
    tenantId: TenantId,
    filter: ProjectFilter,
  ): Promise<{ readonly items: readonly Project[]; readonly nextCursor: string | undefined }>
  /** Throws `project.not-found`. */
  get(tenantId: TenantId, id: ProjectId): Promise<Project>
  /** Renames, archives, or takes an archived one up again. Throws `project.not-found`, `project.name-taken`. */
  update(
    principal: Principal,
    id: ProjectId,
    change: ProjectChange,
    context: ProjectContext,
  ): Promise<Project>
}
