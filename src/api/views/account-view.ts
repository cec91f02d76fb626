// Principals, tenants, keys and audit facts as the wire has them. Pure.

import { formatTime } from '../../base/time.ts'
import type * as wire from '../../contract/account.ts'
import type { Principal } from '../../contract/principal.ts'
import type { ApiKey, Tenant } from '../../identity/identity.ts'
import type { AuditRecord } from '../api-deps.ts'
import { timeOrNull } from './time-view.ts'

export function meView(principal: Principal): wire.Me {
  return {
    tenantId: principal.tenantId,
    userId: principal.userId,
    kind: principal.kind,
    apiKeyId: principal.apiKeyId ?? null,
    permissions: [...principal.permissions],
    operator: principal.operator,
  }
}

export function tenantView(tenant: Tenant): wire.Tenant {
  const { id, name, status, capturePolicy, maxConcurrentJobs } = tenant
  return {
    id,
    name,
    status,
    capturePolicy,
    maxConcurrentJobs,
    createdAt: formatTime(tenant.createdAt),
    updatedAt: formatTime(tenant.updatedAt),
  }
}

export function apiKeyView(key: ApiKey): wire.ApiKey {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    ownerId: key.ownerId,
    permissions: [...key.permissions],
    createdAt: formatTime(key.createdAt),
    expiresAt: timeOrNull(key.expiresAt),
    revokedAt: timeOrNull(key.revokedAt),
    lastUsedAt: timeOrNull(key.lastUsedAt),
  }
}

export function auditView(record: AuditRecord): wire.AuditEntry {
  const { type, actor, subject, data, requestId } = record
  return {
    seq: String(record.seq),
    type,
    actor,
    subject,
    data,
    requestId,
    occurredAt: formatTime(record.occurredAt),
  }
}
