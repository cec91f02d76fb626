// What the prompt log of a tenant keeps, asked at the end of each run.

import type { TenantId } from '../../base/ids.ts'
import type { Tenant } from '../../identity/identity.ts'
import { selectTenant } from '../../identity/tenant-store.ts'
import type { Database } from '../../storage/database.ts'

/** A tenant that is gone keeps the least. */
export function createCapturePolicy(db: Database): (tenantId: TenantId) => Promise<Tenant['capturePolicy']> {
  return async (id) => {
    const tenant = await db.system.read((reader) => reader.first(selectTenant, { id }))
    return tenant?.capturePolicy ?? 'metadata'
  }
}
