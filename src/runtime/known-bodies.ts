// Remembers which prompt heads are stored already, so that each run does not store them anew. Forgetting costs one write.

import { createBoundedMap } from '../base/bounded-map.ts'
import type { TenantId } from '../base/ids.ts'
import type { DriveDeps } from './agent/context.ts'

const KNOWN_MAX = 10_000

export function createKnownBodies(): DriveDeps['bodies'] {
  const known = createBoundedMap<true>(KNOWN_MAX)
  const key = (tenantId: TenantId, hash: string): string => `${tenantId} ${hash}`
  return {
    has: (tenantId, hash) => known.get(key(tenantId, hash)) === true,
    add: (tenantId, hash) => known.set(key(tenantId, hash), true),
  }
}
