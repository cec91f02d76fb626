import type { RunId } from '../../base/ids.ts'
import type { RunResolution } from '../../contract/run.ts'
import type { Resolution } from '../../runtime/runtime.ts'
import type { ApiDeps } from '../api-deps.ts'
import { type Handlers, ok } from '../call.ts'
import { idOf } from '../id-of.ts'
import { numberedPage, page } from '../paging.ts'
import { runEvents } from '../run-events.ts'
import { settledRun, waitSecondsOf } from '../settled-run.ts'
import { modelCallDetailView, modelCallView } from '../views/model-call-view.ts'
import { runView, stepView } from '../views/run-view.ts'
import { replayHandler } from './replay.ts'

type RunRoutes = typeof import('../../contract/routes/runs.ts').runRoutes

export function runHandlers(deps: ApiDeps): Pick<Handlers, keyof RunRoutes> {
  const { runtime } = deps
  return {
    async listRuns({ principal: { tenantId }, query }) {
      const { state, agent, workflow, replays } = query
      const sessionId =
        query.sessionId === undefined ? undefined : idOf('session', query.sessionId, 'session.not-found')
      const list = `runs ${state ?? ''} ${agent ?? ''} ${workflow ?? ''} ${sessionId ?? ''} ${replays ?? ''}`
      return ok(
        await page(
          list,
          tenantId,
          query,
          (asked) => runtime.list(tenantId, { ...asked, state, agent, workflow, sessionId, replays }),
          runView,
        ),
      )
    },
    async getRun({ principal: { tenantId }, params, query, request }) {
      return ok(
        runView(await settledRun(deps, tenantId, runOf(params), request, waitSecondsOf(query, request))),
      )
    },
    async listSteps({ principal: { tenantId, permissions }, params, query }) {
      const id = runOf(params)
      const mayRead = permissions.has('READ_PROMPTS')
      return ok(
        await numberedPage(
          `steps ${id}`,
          tenantId,
          query,
          (asked) => runtime.steps(tenantId, id, asked),
          (step) => step.seq,
          (step) => stepView(step, mayRead),
        ),
      )
    },
    listRunEvents: (call) => runEvents(deps, runOf(call.params), call),
    async cancelRun({ principal, params, request }) {
      return ok(runView(await runtime.cancel(principal, runOf(params), { requestId: request.requestId })))
    },
    replayRun: replayHandler(deps),
    async resolveRun({ principal, params, body, request }) {
      const context = { requestId: request.requestId }
      return ok(
        runView(await runtime.resolve(principal, runOf(params), body.step, resolutionOf(body), context)),
      )
    },
    async listModelCalls({ principal: { tenantId }, params, query }) {
      const id = runOf(params)
      return ok(
        await page(
          `model-calls ${id}`,
          tenantId,
          query,
          (asked) => runtime.modelCalls(tenantId, id, asked),
          modelCallView,
        ),
      )
    },
    async getModelCall({ principal: { tenantId }, params }) {
      const id = idOf('modelCall', params.id, 'model-call.not-found')
      return ok(modelCallDetailView(await runtime.modelCall(tenantId, id)))
    },
  }
}

function runOf(params: { readonly id: string }): RunId {
  return idOf('run', params.id, 'run.not-found')
}

function resolutionOf(body: RunResolution): Resolution {
  const { step: _, ...resolution } = body
  return resolution
}
