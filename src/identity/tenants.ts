// Use cases of a tenant: read its own row, change its name, what the prompt log keeps, and, as the platform's operator, how
// many of its jobs run at once.

import { AppError, type FieldError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { Clock } from '../base/time.ts'
import { OPERATE } from '../contract/permission.ts'
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

    updateTenant: async (principal, change, context, tenantId = principal.tenantId) => {
      await authorize(principal, 'ADMIN', context)
      // How much of the platform a tenant may take is not the tenant's to say.
      if (change.maxConcurrentJobs !== undefined || tenantId !== principal.tenantId)
        await authorize(principal, OPERATE, context)
      const checked = checkChange(change)
      const isOther = tenantId !== principal.tenantId
      const now = clock()
      return db.system.write(async (system) => {
        const before = found(await system.first(lockTenant, { id: tenantId }))
        if (isOther && ('name' in checked || 'capturePolicy' in checked))
          throw new AppError('request.invalid', 'Of another tenant only max_concurrent_jobs can be changed.')
        const after: Tenant = { ...before, ...checked, updatedAt: now }
        const data = differences(before, after)
        if (Object.keys(data).length === 0) return before
        await system.run(updateTenantRow, {
          id: after.id,
          name: after.name,
          capturePolicy: after.capturePolicy,
          maxConcurrentJobs: after.maxConcurrentJobs,
          updatedAt: now,
        })
        await appendAudit(system.forTenant(tenantId), {
          type: 'tenant.updated',
          actor: actorOf(principal),
          subject: tenantId,
          data,
          requestId: context.requestId,
          at: now,
        })
        return after
      })
    },
  }
}

type TenantChange = Partial<Pick<Tenant, 'name' | 'capturePolicy' | 'maxConcurrentJobs'>>

const POLICIES: readonly string[] = ['full', 'redacted', 'metadata'] satisfies Tenant['capturePolicy'][]

const CONCURRENT_JOBS_MAX = 100_000

function checkChange(change: Parameters<Identity['updateTenant']>[1]): TenantChange {
  const { name, capturePolicy, maxConcurrentJobs } = change
  const errors: FieldError[] = []
  const clean = name === undefined ? undefined : cleanName(name)
  if (name !== undefined && clean === undefined) errors.push({ path: '/name', message: NAME_MESSAGE })
  if (capturePolicy !== undefined && !POLICIES.includes(capturePolicy)) {
    errors.push({ path: '/capture_policy', message: `Allowed: ${POLICIES.join(', ')}.` })
  }
  const cap = maxConcurrentJobs ?? 1
  if (!Number.isSafeInteger(cap) || cap < 1 || cap > CONCURRENT_JOBS_MAX) {
    const message = `Allowed: a whole number from 1 to ${CONCURRENT_JOBS_MAX}, or null.`
    errors.push({ path: '/max_concurrent_jobs', message })
  }
  if (errors.length > 0)
    throw new AppError('request.invalid', 'The tenant cannot be changed like this; see errors.', { errors })
  return {
    ...(clean === undefined ? {} : { name: clean }),
    ...(capturePolicy === undefined ? {} : { capturePolicy }),
    ...(maxConcurrentJobs === undefined ? {} : { maxConcurrentJobs }),
  }
}

/** What changed, as `{field: {before, after}}`. */
function differences(before: Tenant, after: Tenant): JsonObject {
  const data: Record<string, JsonObject> = {}
  for (const field of ['name', 'capturePolicy', 'maxConcurrentJobs'] as const) {
    if (before[field] !== after[field]) data[field] = { before: before[field], after: after[field] }
  }
  return data
}

function found<T>(tenant: T | undefined): T {
  if (tenant === undefined) throw new AppError('tenant.not-found', 'There is no such tenant.')
  return tenant
}
