// The answer to a request that started a run.

import type { TenantId } from '../base/ids.ts'
import type { Run as RunResource } from '../contract/run.ts'
import { TERMINAL_STATES } from '../contract/run.ts'
import type { Run, StartRunInput } from '../runtime/runtime.ts'
import type { ApiDeps } from './api-deps.ts'
import type { Answer, RequestFacts } from './call.ts'
import { idOf } from './id-of.ts'
import { type KeyedCall, once } from './idempotency.ts'
import { settledRun } from './settled-run.ts'
import { runView } from './views/run-view.ts'

/** Starts what a request asks for, once for an Idempotency-Key. */
export function startedRun(
  deps: ApiDeps,
  call: KeyedCall,
  asked: StartRunInput,
  waitSeconds: number,
): Promise<Answer<RunResource>> {
  const { principal, request } = call
  const { tenantId } = principal
  return once(deps.idempotency, call, {
    status: 202,
    make: async (inTransaction) => {
      const context = { requestId: request.requestId, inTransaction }
      const run = await deps.runtime.start(principal, asked, context)
      deps.log.info({ request_id: request.requestId, run_id: run.id, tenant_id: tenantId }, 'run accepted')
      return accepted(deps, tenantId, request, run, waitSeconds)
    },
    again: async (id) => {
      const run = await deps.runtime.get(tenantId, idOf('run', id, 'run.not-found'))
      return accepted(deps, tenantId, request, run, waitSeconds)
    },
  })
}

/** 202 with where to look, or, after a wait in which the run came to rest, 200. */
export async function accepted(
  deps: Pick<ApiDeps, 'runtime' | 'stopping'>,
  tenantId: TenantId,
  request: RequestFacts,
  run: Run,
  waitSeconds: number,
): Promise<Answer<RunResource>> {
  const headers = { location: `/api/v1/runs/${run.id}` }
  if (waitSeconds <= 0) return { status: 202, value: runView(run), headers }
  const then = await settledRun(deps, tenantId, run.id, request, waitSeconds)
  const atRest = TERMINAL_STATES.has(then.state) || then.state === 'waiting'
  return { status: atRest ? 200 : 202, value: runView(then), headers }
}
