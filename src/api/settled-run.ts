// Waiting for a run within a request.

import type { RunId, TenantId } from '../base/ids.ts'
import type { Run } from '../runtime/runtime.ts'
import type { ApiDeps } from './api-deps.ts'
import type { RequestFacts } from './call.ts'
import { preferredWait } from './request/request-headers.ts'

/** How long the request would wait: `?wait=` or `Prefer: wait=`. */
export function waitSecondsOf(query: { readonly wait?: number | undefined }, request: RequestFacts): number {
  return query.wait ?? preferredWait(request.header('prefer')) ?? 0
}

/** The run as it is stored when it came to rest, the time is over, the client is gone or the server stops. */
export async function settledRun(
  deps: Pick<ApiDeps, 'runtime' | 'stopping'>,
  tenantId: TenantId,
  id: RunId,
  request: RequestFacts,
  waitSeconds: number,
): Promise<Run> {
  if (waitSeconds <= 0) return deps.runtime.get(tenantId, id)
  const signal = AbortSignal.any([request.signal(), deps.stopping])
  try {
    return await deps.runtime.wait(tenantId, id, waitSeconds * 1_000, signal)
  } catch (error) {
    if (!signal.aborted) throw error
    return deps.runtime.get(tenantId, id)
  }
}
