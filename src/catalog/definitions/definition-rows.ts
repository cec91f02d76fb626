// Rows turned into definitions. What is stored was checked when it came in, so it is renamed and not checked again.

import { AppError } from '../../base/errors.ts'
import type { DefinitionId } from '../../base/ids.ts'
import { isId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { TenantReader } from '../../storage/database.ts'
import type { RowOf } from '../../storage/schema/tables.ts'
import type { Head, Kind, KindMap, Resource, Version } from '../catalog.ts'
import type { KindData } from '../kind.ts'
import { isName } from '../kind.ts'
import { selectHeadById, selectHeadByName } from './definition-statements.ts'

export type HeadRow = RowOf<'definitions'>
export type VersionRow = RowOf<'definitionVersions'>
export type ResourceRow = HeadRow &
  Pick<VersionRow, 'version' | 'status' | 'digest' | 'body' | 'createdBy'> & {
    readonly versionCreatedAt: number
  }

/** The head that an id (`agt_…`) or a name means. An archived one has its id only: its name may be another's by now. */
export async function findHead(reader: TenantReader, kind: Kind, idOrName: string): Promise<HeadRow> {
  let row: HeadRow | undefined
  if (isId(kind, idOrName)) row = await reader.first(selectHeadById, { kind, id: definitionId(idOrName) })
  else if (isName(kind, idOrName)) row = await reader.first(selectHeadByName, { kind, name: idOrName })
  if (row === undefined) throw notFound(kind)
  return row
}

/** The text of an id of any kind, once its form was checked. */
export function definitionId(id: string): DefinitionId {
  return id as DefinitionId
}

export function headOf<K extends Kind>(kind: K, row: HeadRow): Head<K> {
  return {
    kind,
    id: row.id as KindMap[K]['id'],
    name: row.name,
    latestVersion: row.latestVersion,
    publishedVersion: row.publishedVersion,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    archivedAt: row.archivedAt,
  }
}

export function versionOf<K extends Kind>(data: KindData<K>, row: VersionRow): Version<K> {
  return {
    id: row.definitionId as KindMap[K]['id'],
    version: row.version,
    status: row.status,
    digest: row.digest,
    definition: data.codec.read(JSON.parse(row.body) as Json),
    createdAt: row.createdAt,
    createdBy: row.createdBy,
  }
}

export function resourceOf<K extends Kind>(data: KindData<K>, row: ResourceRow): Resource<K> {
  return {
    head: headOf(data.kind, row),
    version: versionOf(data, { ...row, definitionId: row.id, createdAt: row.versionCreatedAt }),
  }
}

/** The same for one that is another tenant's, so that nobody learns of it. */
export function notFound(kind: Kind): AppError {
  return new AppError(`${kind}.not-found`, `There is no ${kind} of that id or name.`)
}

export function versionNotFound(kind: Kind, version: number): AppError {
  return new AppError('version.not-found', `The ${kind} has no version ${version}.`)
}
