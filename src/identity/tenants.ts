// Use cases of a tenant: read its own row, change its name and what the prompt log keeps.

import { AppError, type FieldError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { Clock } from '../base/time.ts'
import { actorOf } from '../contract/principal.ts'
import { appendAudit } from '../events/append.ts'
import type { Database } from '../storage/database.ts'
import type { Authorize } from './authorize.ts'
import type { Identity, Tenant } from './identity.ts'
import { cleanName, NAME_MESSAGE } from './key-input.ts'
import { lockTenant, selectTenant, updateTenantRow } from './tenant-store.ts'

export interface TenantsDeps {
  readonly db: Database
  readonly clock: Clock
  readonly authorize: Authorize
}

export function createTenants({
  db,
  clock,
  authorize,
}: TenantsDeps): Pick<Identity, 'getTenant' | 'updateTenant'> {
  return {
    getTenant: async (principal) =>
      found(await db.system.read((reader) => reader.first(selectTenant, { id: principal.tenantId }))),

    updateTenant: async (principal, change, context) => {
      await authorize(principal, 'ADMIN', context)
      const checked = checkChange(change)
      const now = clock()
      return db.system.write(async (system) => {
        const before = found(await system.first(lockTenant, { id: principal.tenantId }))
        const after: Tenant = { ...before, ...checked, updatedAt: now }
        const data = differences(before, after)
        if (Object.keys(data).length === 0) return before
        await system.run(updateTenantRow, {
          id: after.id,
          name: after.name,
          capturePolicy: after.capturePolicy,
          updatedAt: now,
        })
        await appendAudit(system.forTenant(principal.tenantId), {
          type: 'tenant.updated',
          actor: actorOf(principal),
          subject: principal.tenantId,
          data,
          requestId: context.requestId,
          at: now,
        })
        return after
      })
    },
  }
}

type TenantChange = Partial<Pick<Tenant, 'name' | 'capturePolicy'>>

const POLICIES: readonly string[] = ['full', 'redacted', 'metadata'] satisfies Tenant['capturePolicy'][]

function checkChange({ name, capturePolicy }: Parameters<Identity['updateTenant']>[1]): TenantChange {
  const errors: FieldError[] = []
  const clean = name === undefined ? undefined : cleanName(name)
  if (name !== undefined && clean === undefined) errors.push({ path: '/name', message: NAME_MESSAGE })
  if (capturePolicy !== undefined && !POLICIES.includes(capturePolicy)) {
    errors.push({ path: '/capture_policy', message: `Allowed: ${POLICIES.join(', ')}.` })
  }
  if (errors.length > 0)
    throw new AppError('request.invalid', 'The tenant cannot be changed like this; see errors.', { errors })
  return {
    ...(clean === undefined ? {} : { name: clean }),
    ...(capturePolicy === undefined ? {} : { capturePolicy }),
  }
}

/** What changed, as `{field: {before, after}}`. */
function differences(before: Tenant, after: Tenant): JsonObject {
  const data: Record<string, JsonObject> = {}
  for (const field of ['name', 'capturePolicy'] as const) {
    if (before[field] !== after[field]) data[field] = { before: before[field], after: after[field] }
  }
  return data
}

function found<T>(tenant: T | undefined): T {
  if (tenant === undefined) throw new AppError('tenant.not-found', 'There is no such tenant.')
  return tenant
}
