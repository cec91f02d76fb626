// Remembers which prompt heads are stored already, so that each run does not store them anew. Forgetting costs one write.

import type { TenantId } from '../base/ids.ts'
import type { DriveDeps } from './agent/context.ts'

const KNOWN_MAX = 10_000

export function createKnownBodies(): DriveDeps['bodies'] {
  const known = new Set<string>()
  const key = (tenantId: TenantId, hash: string): string => `${tenantId} ${hash}`
  return {
    has: (tenantId, hash) => known.has(key(tenantId, hash)),
    add(tenantId, hash) {
      known.add(key(tenantId, hash))
      const oldest = known.size > KNOWN_MAX ? known.values().next().value : undefined
      if (oldest !== undefined) known.delete(oldest)
    },
  }
}
