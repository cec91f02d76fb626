import type { DefinitionId, TenantId } from '../../base/ids.ts'
import { integer, integerOrNull, json, oneOf, table, text } from './table.ts'

export const definitions = table('definitions', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<DefinitionId>(),
    kind: oneOf('agent', 'tool', 'workflow'),
    name: text(),
    latestVersion: integer(),
    /** The version that runs; null while nothing was published. */
    publishedVersion: integerOrNull(),
    createdAt: integer(),
    updatedAt: integer(),
    archivedAt: integerOrNull(),
  },
  primaryKey: ['tenantId', 'id'],
  indexes: [
    {
      name: 'definitions_by_name',
      columns: ['tenantId', 'kind', 'name'],
      unique: true,
      where: 'archived_at is null',
    },
    { name: 'definitions_by_kind', columns: ['tenantId', 'kind', 'id'] },
  ],
  foreignKeys: [{ columns: ['tenantId'], table: 'tenants', references: ['id'] }],
})

export const definitionVersions = table('definition_versions', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    definitionId: text<DefinitionId>(),
    version: integer(),
    status: oneOf('draft', 'published', 'archived'),
    /** SHA-256 of the canonical JSON of the body, in hexadecimal. */
    digest: text(),
    /** The definition in wire form, canonical JSON. */
    body: json(),
    createdAt: integer(),
    createdBy: text(),
  },
  primaryKey: ['tenantId', 'definitionId', 'version'],
  foreignKeys: [
    { columns: ['tenantId', 'definitionId'], table: 'definitions', references: ['tenantId', 'id'] },
  ],
})
