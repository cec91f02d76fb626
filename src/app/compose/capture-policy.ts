// What the prompt log of a tenant keeps, asked for each run. Remembered for a second: a change takes effect by then.

import { createBoundedMap } from '../../base/bounded-map.ts'
import type { TenantId } from '../../base/ids.ts'
import type { Clock } from '../../base/time.ts'
import type { Tenant } from '../../identity/identity.ts'
import { selectTenant } from '../../identity/tenant-store.ts'
import type { Database } from '../../storage/database.ts'

const KNOWN_MS_MAX = 1_000
const KNOWN_MAX = 10_000

type Policy = Tenant['capturePolicy']

/** A tenant that is gone keeps the least. */
export function createCapturePolicy(db: Database, clock: Clock): (tenantId: TenantId) => Promise<Policy> {
  const known = createBoundedMap<{ readonly policy: Policy; readonly until: number }>(KNOWN_MAX)
  return async (id) => {
    const at = clock()
    const remembered = known.get(id)
    if (remembered !== undefined && at < remembered.until) return remembered.policy
    const tenant = await db.system.read((reader) => reader.first(selectTenant, { id }))
    const policy = tenant?.capturePolicy ?? 'metadata'
    known.set(id, { policy, until: at + KNOWN_MS_MAX })
    return policy
  }
}
