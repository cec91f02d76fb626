// The SQL of definitions: one statement per question or change, each within a tenant.

import type { DefinitionId, TenantId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { Bind } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'
import type { Kind, VersionStatus } from '../catalog.ts'

interface ById {
  readonly kind: Kind
  readonly id: DefinitionId
}
interface ByName {
  readonly kind: Kind
  readonly name: string
}
interface ByVersion {
  readonly id: DefinitionId
  readonly version: number
}

/** Changes no row where the name is taken. */
export const insertHead = statement(
  'definitions.insert',
  (db, p: Bind<ById & ByName & { readonly publishedVersion: number | null; readonly at: EpochMs }>) =>
    db
      .insertInto('definitions')
      .values({
        tenantId: p.tenantId as TenantId,
        id: p.id,
        kind: p.kind,
        name: p.name,
        latestVersion: 1,
        publishedVersion: p.publishedVersion,
        createdAt: p.at,
        updatedAt: p.at,
        archivedAt: null,
      })
      .onConflict((conflict) => conflict.doNothing()),
)

export const updateHead = statement(
  'definitions.update',
  (
    db,
    p: Bind<{
      readonly id: DefinitionId
      readonly latestVersion: number
      readonly publishedVersion: number | null
      readonly archivedAt: EpochMs | null
      readonly at: EpochMs
    }>,
  ) =>
    db
      .updateTable('definitions')
      .set({
        latestVersion: p.latestVersion,
        publishedVersion: p.publishedVersion,
        archivedAt: p.archivedAt,
        updatedAt: p.at,
      })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id),
)

export const insertVersion = statement(
  'definition-versions.insert',
  (
    db,
    p: Bind<
      ByVersion & {
        readonly status: VersionStatus
        readonly digest: string
        readonly body: string
        readonly at: EpochMs
        readonly createdBy: string
      }
    >,
  ) =>
    db.insertInto('definitionVersions').values({
      tenantId: p.tenantId as TenantId,
      definitionId: p.id,
      version: p.version,
      status: p.status,
      digest: p.digest,
      body: p.body,
      createdAt: p.at,
      createdBy: p.createdBy,
    }),
)

export const setVersionStatus = statement(
  'definition-versions.set-status',
  (db, p: Bind<ByVersion & { readonly status: VersionStatus }>) =>
    db
      .updateTable('definitionVersions')
      .set({ status: p.status })
      .where('tenantId', '=', p.tenantId)
      .where('definitionId', '=', p.id)
      .where('version', '=', p.version),
)

export const selectHeadById = statement('definitions.by-id', (db, p: Bind<ById>) =>
  db
    .selectFrom('definitions')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('kind', '=', p.kind)
    .where('id', '=', p.id),
)

export const selectHeadByName = statement('definitions.by-name', (db, p: Bind<ByName>) =>
  db
    .selectFrom('definitions')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('kind', '=', p.kind)
    .where('name', '=', p.name)
    .where('archivedAt', 'is', null),
)

/** Holds the row until the end of the transaction: changes of one definition happen one after another. */
export const lockHead = statement('definitions.lock', (db, p: Bind<ById>, dialect) => {
  const query = db
    .selectFrom('definitions')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('kind', '=', p.kind)
    .where('id', '=', p.id)
  return dialect === 'postgres' ? query.forUpdate() : query
})

/** Keeps a definition that another one is about to use from being archived meanwhile. */
export const lockUsed = statement('definitions.lock-used', (db, p: Bind<ByName>, dialect) => {
  const query = db
    .selectFrom('definitions')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('kind', '=', p.kind)
    .where('name', '=', p.name)
    .where('archivedAt', 'is', null)
  return dialect === 'postgres' ? query.forShare() : query
})

export const selectVersion = statement('definition-versions.by-number', (db, p: Bind<ByVersion>) =>
  db
    .selectFrom('definitionVersions')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('definitionId', '=', p.id)
    .where('version', '=', p.version),
)

/** The newest version below a number that was published once. */
export const selectPublishedBefore = statement(
  'definition-versions.published-before',
  (db, p: Bind<ByVersion>) =>
    db
      .selectFrom('definitionVersions')
      .selectAll()
      .where('tenantId', '=', p.tenantId)
      .where('definitionId', '=', p.id)
      .where('status', '=', 'archived')
      .where('version', '<', p.version)
      .orderBy('version', 'desc')
      .limit(1),
)

export const selectVersions = statement(
  'definition-versions.page',
  (db, p: Bind<{ readonly id: DefinitionId; readonly before: number; readonly limit: number }>) =>
    db
      .selectFrom('definitionVersions')
      .selectAll()
      .where('tenantId', '=', p.tenantId)
      .where('definitionId', '=', p.id)
      .where('version', '<', p.before)
      .orderBy('version', 'desc')
      .limit(p.limit),
)
