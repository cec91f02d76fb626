// Definitions as the wire has them: flat. Pure: what catalog/ answers in, the contract's form out.

import type { Json } from '../../base/json.ts'
import { formatTime } from '../../base/time.ts'
import type { Change, Kind, KindMap, Resource, Version } from '../../catalog/catalog.ts'
import { timeOrNull } from './time-view.ts'

export function resourceView<K extends Kind>({ head, version }: Resource<K>) {
  const definition: KindMap[K]['definition'] = version.definition
  return {
    id: head.id,
    name: head.name,
    version: version.version,
    status: version.status,
    digest: version.digest,
    latestVersion: head.latestVersion,
    publishedVersion: head.publishedVersion,
    definition,
    createdAt: formatTime(head.createdAt),
    updatedAt: formatTime(head.updatedAt),
    archivedAt: timeOrNull(head.archivedAt),
  }
}

export function versionView<K extends Kind>(version: Version<K>) {
  const definition: KindMap[K]['definition'] = version.definition
  return {
    id: version.id,
    version: version.version,
    status: version.status,
    digest: version.digest,
    definition,
    createdAt: formatTime(version.createdAt),
    createdBy: version.createdBy,
  }
}

export function changeView({ path, type, before, after }: Change) {
  // Both were read from definitions in wire form: JSON.
  return { path, type, before: before as Json | undefined, after: after as Json | undefined }
}
