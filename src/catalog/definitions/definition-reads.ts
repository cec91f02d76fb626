// Reading definitions: what a tenant has, in pages that writes do not disturb.

import { createBoundedMap } from '../../base/bounded-map.ts'
import { isId } from '../../base/ids.ts'
import type { Database, TenantReader } from '../../storage/database.ts'
import type { Definitions, Kind, Version, VersionStatus } from '../catalog.ts'
import { changesBetween } from '../diff.ts'
import type { KindData } from '../kind.ts'
import { isName } from '../kind.ts'
import type { HeadRow, ResourceRow, VersionRow } from './definition-rows.ts'
import {
  definitionId,
  findHead,
  headOf,
  notFound,
  resourceOf,
  versionNotFound,
  versionOf,
} from './definition-rows.ts'
import { selectVersion, selectVersions } from './definition-statements.ts'
import { idAfterAll, isVersionNumber, keyOf, pageOf, pageSize, VERSION_MAX } from './page.ts'
import {
  selectArchivedResources,
  selectResource,
  selectResourceByName,
  selectResources,
} from './resource-statements.ts'

const KNOWN_MAX = 5_000

type Reads<K extends Kind> = Pick<Definitions<K>, 'get' | 'list' | 'versions' | 'version' | 'diff'>

export function createReads<K extends Kind>(db: Database, data: KindData<K>): Reads<K> {
  const { kind } = data
  // Versions never change, apart from their status, which follows from the head: only the head is read each time.
  const known = createBoundedMap<Version<K>>(KNOWN_MAX)
  return {
    get: ({ tenantId }, idOrName) =>
      db.tenant(tenantId).read(async (reader) => {
        const row = await findHead(reader, kind, idOrName)
        const shown = row.publishedVersion ?? row.latestVersion
        const status = shownStatus(row)
        const key = `${tenantId} ${row.id} ${shown} ${status}`
        let version = known.get(key)
        if (version === undefined) {
          const stored = await reader.first(selectVersion, { id: row.id, version: shown })
          if (stored === undefined) throw versionNotFound(kind, shown)
          version = { ...versionOf(data, stored), status }
          known.set(key, version)
        }
        return { head: headOf(kind, row), version }
      }),

    list: async ({ tenantId }, { limit, cursor, archived }) => {
      const before = keyOf(cursor, (key) => isId(kind, key)) ?? idAfterAll(kind)
      const size = pageSize(limit)
      const params = { kind, before: definitionId(before), limit: size + 1 }
      const statement = archived ? selectArchivedResources : selectResources
      const rows = await db.tenant(tenantId).read((reader) => reader.all(statement, params))
      return pageOf(
        rows,
        size,
        (row) => resourceOf(data, row),
        (row) => row.id,
      )
    },

    versions: ({ tenantId }, idOrName, { limit, cursor }) =>
      db.tenant(tenantId).read(async (reader) => {
        const before = Number(keyOf(cursor, (key) => isVersionNumber(Number(key))) ?? VERSION_MAX)
        const size = pageSize(limit)
        const { id } = await findHead(reader, kind, idOrName)
        const rows = await reader.all(selectVersions, { id, before, limit: size + 1 })
        return pageOf(
          rows,
          size,
          (row) => versionOf(data, row),
          (row) => String(row.version),
        )
      }),

    version: ({ tenantId }, idOrName, version) =>
      db
        .tenant(tenantId)
        .read(async (reader) => versionOf(data, await findVersion(reader, kind, idOrName, version))),

    diff: ({ tenantId }, idOrName, from, to) =>
      db.tenant(tenantId).read(async (reader) => {
        const before = await findVersion(reader, kind, idOrName, from)
        const after = await findVersion(reader, kind, idOrName, to)
        return changesBetween(before.body, after.body)
      }),
  }
}

/** Of the version that stands for a definition: the published one where there is one, else the latest. */
function shownStatus({ publishedVersion, archivedAt }: HeadRow): VersionStatus {
  if (publishedVersion !== null) return 'published'
  return archivedAt === null ? 'draft' : 'archived'
}

/** The definition that an id or a name means, with the version that stands for it. */
export async function findResource(
  reader: TenantReader,
  kind: Kind,
  idOrName: string,
): Promise<ResourceRow | undefined> {
  if (isId(kind, idOrName)) return reader.first(selectResource, { kind, id: definitionId(idOrName) })
  return isName(kind, idOrName) ? reader.first(selectResourceByName, { kind, name: idOrName }) : undefined
}

/** Throws `<kind>.not-found`. */
export async function requireResource(
  reader: TenantReader,
  kind: Kind,
  idOrName: string,
): Promise<ResourceRow> {
  const row = await findResource(reader, kind, idOrName)
  if (row === undefined) throw notFound(kind)
  return row
}

async function findVersion(
  reader: TenantReader,
  kind: Kind,
  idOrName: string,
  version: number,
): Promise<VersionRow> {
  const { id } = await findHead(reader, kind, idOrName)
  const row = isVersionNumber(version) ? await reader.first(selectVersion, { id, version }) : undefined
  if (row === undefined) throw versionNotFound(kind, version)
  return row
}
