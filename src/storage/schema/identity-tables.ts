import type { ApiKeyId, ProjectId, TenantId, UserId } from '../../base/ids.ts'
import { integer, integerOrNull, json, oneOf, oneOfOrNull, table, text, textOrNull } from './table.ts'

export const tenants = table('tenants', {
  tenant: false,
  columns: {
    id: text<TenantId>(),
    name: text(),
    status: oneOf('active', 'suspended'),
    /** What the prompt log keeps of a run once it has ended. */
    capturePolicy: oneOf('full', 'redacted', 'metadata'),
    /** How many jobs of the tenant workers may hold at a time, all together; null: the platform's own limit. */
    maxConcurrentJobs: integerOrNull(),
    createdAt: integer(),
    updatedAt: integer(),
  },
  primaryKey: ['id'],
})

export const users = table('users', {
  tenant: false,
  columns: {
    id: text<UserId>(),
    kind: oneOf('human', 'service'),
    name: text({ personal: true }),
    email: textOrNull({ personal: true }),
    /** The platform's own role; no tenant can give it. */
    platformRole: oneOfOrNull('OPERATOR'),
    createdAt: integer(),
  },
  primaryKey: ['id'],
})

export const memberships = table('memberships', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    userId: text<UserId>(),
    role: oneOf('USER', 'CREATOR', 'ADMIN'),
    createdAt: integer(),
  },
  primaryKey: ['tenantId', 'userId'],
  indexes: [{ name: 'memberships_by_user', columns: ['userId'] }],
  foreignKeys: [
    { columns: ['tenantId'], table: 'tenants', references: ['id'] },
    { columns: ['userId'], table: 'users', references: ['id'] },
  ],
})

export const apiKeys = table('api_keys', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<ApiKeyId>(),
    name: text(),
    /** SHA-256 of the whole key, in hexadecimal. The key itself is stored nowhere. */
    hash: text(),
    /** The first characters, to recognise it by. */
    prefix: text(),
    ownerId: text<UserId>(),
    /** JSON array of permissions; the effective ones are these and what the owner holds now. */
    permissions: json(),
    createdAt: integer(),
    expiresAt: integerOrNull(),
    revokedAt: integerOrNull(),
    lastUsedAt: integerOrNull(),
  },
  primaryKey: ['tenantId', 'id'],
  unique: [['hash']],
  foreignKeys: [
    { columns: ['tenantId', 'ownerId'], table: 'memberships', references: ['tenantId', 'userId'] },
  ],
})

/** A grouping of resources inside a tenant: runs, costs and budgets may name one. */
export const projects = table('projects', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<ProjectId>(),
    name: text(),
    state: oneOf('active', 'archived'),
    createdBy: text(),
    createdAt: integer(),
    updatedAt: integer(),
  },
  primaryKey: ['tenantId', 'id'],
  unique: [['tenantId', 'name']],
  foreignKeys: [{ columns: ['tenantId'], table: 'tenants', references: ['id'] }],
})
