// Versions for the runtime, from memory where possible: what is pinned never changes, what is published may at any time.

import { AppError } from '../../base/errors.ts'
import type { TenantId } from '../../base/ids.ts'
import type { Clock } from '../../base/time.ts'
import type { Database } from '../../storage/database.ts'
import type { Head, Kind, VersionReader } from '../catalog.ts'
import { notFound } from '../definitions/definition-rows.ts'
import { KINDS } from '../kind.ts'
import { createVersionCache, type Lookup } from './version-cache.ts'

export interface CachedReader extends VersionReader {
  /** Forgets what was published, after the commit of a change. */
  forget(tenantId: TenantId, head: Head<Kind>): void
}

export function createVersionReader(db: Database, clock: Clock): CachedReader {
  const agents = createVersionCache(db, clock, KINDS.agent)
  const tools = createVersionCache(db, clock, KINDS.tool)
  const workflows = createVersionCache(db, clock, KINDS.workflow)
  return {
    publishedAgent: async (tenantId, idOrName) => found('agent', await agents.published(tenantId, idOrName)),
    publishedTool: async (tenantId, name) => {
      const lookup = await tools.published(tenantId, name)
      return lookup.status === 'published' ? lookup.version : undefined
    },
    pinnedAgent: agents.pinned,
    pinnedTool: tools.pinned,
    publishedWorkflow: async (tenantId, idOrName) =>
      found('workflow', await workflows.published(tenantId, idOrName)),
    pinnedWorkflow: workflows.pinned,
    forget: (tenantId, head) => {
      if (head.kind === 'agent') agents.forget(tenantId, head)
      if (head.kind === 'tool') tools.forget(tenantId, head)
      if (head.kind === 'workflow') workflows.forget(tenantId, head)
    },
  }
}

/** What was published, or why nothing can run. */
function found<K extends 'agent' | 'workflow'>(
  kind: K,
  lookup: Lookup<K>,
): Extract<Lookup<K>, { status: 'published' }>['version'] {
  switch (lookup.status) {
    case 'published':
      return lookup.version
    case 'archived':
      throw new AppError(`${kind}.archived`, `The ${kind} is archived: it runs no more.`)
    case 'unpublished':
      throw new AppError(`${kind}.not-published`, `The ${kind} has no published version: publish one first.`)
    case 'absent':
      throw notFound(kind)
    default:
      return lookup satisfies never
  }
}
