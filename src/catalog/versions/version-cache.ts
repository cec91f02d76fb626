// Versions of one kind in memory. A pinned version is kept as long as there is room; what is published only shortly.

import { createBoundedMap } from '../../base/bounded-map.ts'
import type { TenantId } from '../../base/ids.ts'
import type { Clock } from '../../base/time.ts'
import type { Database } from '../../storage/database.ts'
import type { Head, Kind, KindMap, Version } from '../catalog.ts'
import { findResource } from '../definitions/definition-reads.ts'
import { resourceOf, versionNotFound, versionOf } from '../definitions/definition-rows.ts'
import { selectVersion } from '../definitions/definition-statements.ts'
import { isVersionNumber } from '../definitions/page.ts'
import type { KindData } from '../kind.ts'

/** How long this process may go on with what another one has replaced. What it replaces itself, it sees at once. */
export const PUBLISHED_TTL_MS = 1_000
const PUBLISHED_MAX = 10_000
const PINNED_MAX = 5_000

export type Lookup<K extends Kind> =
  | { readonly status: 'published'; readonly version: Version<K> & { readonly name: string } }
  | { readonly status: 'absent' | 'unpublished' | 'archived' }

export interface VersionCache<K extends Kind> {
  published(tenantId: TenantId, idOrName: string): Promise<Lookup<K>>
  /** Its `status` is what it was when it was first read. Throws `version.not-found`. */
  pinned(tenantId: TenantId, id: KindMap[K]['id'], version: number): Promise<Version<K>>
  forget(tenantId: TenantId, head: Pick<Head<Kind>, 'id' | 'name'>): void
}

interface Remembered<K extends Kind> {
  readonly until: number
  readonly lookup: Promise<Lookup<K>>
}

export function createVersionCache<K extends Kind>(
  db: Database,
  clock: Clock,
  data: KindData<K>,
): VersionCache<K> {
  // Answers are kept as promises: a hundred runs that begin together ask the database once.
  const published = createBoundedMap<Remembered<K>>(PUBLISHED_MAX)
  const pinned = createBoundedMap<Promise<Version<K>>>(PINNED_MAX)
  return {
    published: (tenantId, idOrName) => {
      const key = `${tenantId} ${idOrName}`
      const known = published.get(key)
      const now = clock()
      if (known !== undefined && now < known.until) return known.lookup
      const lookup = lookUp(db, data, tenantId, idOrName)
      published.set(key, { until: now + PUBLISHED_TTL_MS, lookup })
      lookup.catch(() => published.delete(key))
      return lookup
    },
    pinned: (tenantId, id, version) => {
      const key = `${tenantId} ${id} ${version}`
      const known = pinned.get(key)
      if (known !== undefined) return known
      const read = readVersion(db, data, tenantId, id, version)
      pinned.set(key, read)
      read.catch(() => pinned.delete(key))
      return read
    },
    forget: (tenantId, { id, name }) => {
      published.delete(`${tenantId} ${id}`)
      published.delete(`${tenantId} ${name}`)
    },
  }
}

async function lookUp<K extends Kind>(
  db: Database,
  data: KindData<K>,
  tenantId: TenantId,
  idOrName: string,
): Promise<Lookup<K>> {
  const row = await db.tenant(tenantId).read((reader) => findResource(reader, data.kind, idOrName))
  if (row === undefined) return { status: 'absent' }
  if (row.archivedAt !== null) return { status: 'archived' }
  if (row.publishedVersion === null) return { status: 'unpublished' }
  const { head, version } = resourceOf(data, row)
  return { status: 'published', version: deeplyFrozen({ ...version, name: head.name }) }
}

async function readVersion<K extends Kind>(
  db: Database,
  data: KindData<K>,
  tenantId: TenantId,
  id: KindMap[K]['id'],
  version: number,
): Promise<Version<K>> {
  const row = isVersionNumber(version)
    ? await db.tenant(tenantId).read((reader) => reader.first(selectVersion, { id, version }))
    : undefined
  if (row === undefined) throw versionNotFound(data.kind, version)
  return deeplyFrozen(versionOf(data, row))
}

/** What many share, nobody changes. */
function deeplyFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const item of Object.values(value)) deeplyFrozen(item)
  return Object.freeze(value)
}
