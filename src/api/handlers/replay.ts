// A run is done again: whoever asks may run what it ran, and read what was said in it.

import { accepted } from '../accepted-run.ts'
import type { ApiDeps } from '../api-deps.ts'
import type { Handlers } from '../call.ts'
import { idOf } from '../id-of.ts'
import { once } from '../idempotency.ts'
import { waitSecondsOf } from '../settled-run.ts'

export function replayHandler({
  identity,
  runtime,
  idempotency,
  stopping,
}: Pick<ApiDeps, 'identity' | 'runtime' | 'idempotency' | 'stopping'>): Handlers['replayRun'] {
  return async (call) => {
    const { principal, params, query, body, request } = call
    const { tenantId } = principal
    const runId = idOf('run', params.id, 'run.not-found')
    const waitSeconds = waitSecondsOf(query, request)
    const deps = { runtime, stopping }
    const authorize = async (): Promise<void> => {
      const { kind } = await runtime.get(tenantId, runId)
      const right = kind === 'workflow' ? 'RUN_WORKFLOWS' : 'RUN_AGENTS'
      await identity.authorize(principal, right, { requestId: request.requestId, ip: request.ip })
    }
    return once(idempotency, call, {
      status: 202,
      make: async (inTransaction) => {
        await authorize()
        const context = { requestId: request.requestId, inTransaction }
        const asked = { ...body, traceparent: request.traceparent }
        return accepted(
          deps,
          tenantId,
          request,
          await runtime.replay(principal, runId, asked, context),
          waitSeconds,
        )
      },
      again: async (id) => {
        await authorize()
        const run = await runtime.get(tenantId, idOf('run', id, 'run.not-found'))
        return accepted(deps, tenantId, request, run, waitSeconds)
      },
    })
  }
}
