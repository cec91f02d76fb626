import { isAppError } from '../../base/errors.ts'
import type { TriggerId } from '../../base/ids.ts'
import { formatTime } from '../../base/time.ts'
import type { Principal } from '../../contract/principal.ts'
import type { TriggerTarget } from '../../contract/trigger.ts'
import { permissionFor } from '../../runtime/triggers/fire.ts'
import type { ApiDeps } from '../api-deps.ts'
import { created, type Handlers, NO_CONTENT, ok, type RequestFacts } from '../call.ts'
import { idOf } from '../id-of.ts'
import { once } from '../idempotency.ts'
import { page } from '../paging.ts'
import { signalView, triggerView } from '../views/trigger-view.ts'

type TriggerRoutes = typeof import('../../contract/routes/triggers.ts').triggerRoutes

export function triggerHandlers(deps: ApiDeps): Pick<Handlers, keyof TriggerRoutes> {
  const { triggers } = deps.runtime
  /** Whoever says what a trigger starts may start it themselves. A no is recorded like one at the door. */
  const recorded = async <T>(
    { principal, request }: { readonly principal: Principal; readonly request: RequestFacts },
    target: TriggerTarget | TriggerId,
    work: () => Promise<T>,
  ): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (!isAppError(error, 'access.denied')) throw error
      const { tenantId } = principal
      const kind =
        typeof target === 'string'
          ? (await triggers.get(tenantId, target)).row.targetKind
          : 'agent' in target
            ? 'agent'
            : 'workflow'
      await deps.identity.recordRefusal(principal, permissionFor(kind), request)
      throw error
    }
  }

  return {
    createTrigger: (call) => {
      const { principal, body, request } = call
      return once(deps.idempotency, call, {
        status: 201,
        make: async (inTransaction) => {
          const context = { requestId: request.requestId, inTransaction }
          const create = () => triggers.create(principal, body, context)
          const { trigger, secret } = await recorded(call, body.target, create)
          return created({ ...triggerView(trigger), secret }, locationOf(trigger.row.id))
        },
        // The secret was shown once and is stored nowhere; a rotation gives another.
        again: async (id) => {
          const trigger = await triggers.get(principal.tenantId, triggerOf({ id }))
          return created({ ...triggerView(trigger), secret: null }, locationOf(id))
        },
      })
    },
    async listTriggers({ principal: { tenantId }, query }) {
      const { kind } = query
      const find = (asked: { readonly limit: number; readonly cursor?: string | undefined }) =>
        triggers.list(tenantId, { ...asked, kind })
      return ok(await page(`triggers ${kind ?? ''}`, tenantId, query, find, triggerView))
    },
    async getTrigger({ principal: { tenantId }, params }) {
      return ok(triggerView(await triggers.get(tenantId, triggerOf(params))))
    },
    async updateTrigger(call) {
      const { principal, params, body, request } = call
      const id = triggerOf(params)
      const context = { requestId: request.requestId }
      const update = () => triggers.update(principal, id, body, context)
      return ok(triggerView(await recorded(call, body.target ?? id, update)))
    },
    async deleteTrigger({ principal, params, request }) {
      await triggers.delete(principal, triggerOf(params), { requestId: request.requestId })
      return NO_CONTENT
    },
    async rotateTriggerSecret(call) {
      const { principal, params, request } = call
      const id = triggerOf(params)
      const rotate = () => triggers.rotateSecret(principal, id, { requestId: request.requestId })
      const { secret, previousUntil } = await recorded(call, id, rotate)
      return ok({ secret, previousUntil: formatTime(previousUntil) })
    },
    async receiveWebhook({ params, body, request }) {
      const { runId } = await triggers.receive(triggerOf(params), { body, header: request.header })
      return { status: 202, value: { runId } }
    },
    sendEvent: (call) => {
      const { principal, body, request } = call
      const { name, correlation = '', data = null } = body
      return once(deps.idempotency, call, {
        status: 202,
        make: async (inTransaction) => {
          const context = { requestId: request.requestId, inTransaction }
          const sent = await triggers.send(principal, { name, correlation, data }, context)
          return { status: 202, value: signalView(sent) }
        },
        again: async (id) => {
          const sent = await triggers.signal(principal.tenantId, idOf('signal', id, 'internal'))
          return { status: 202, value: signalView(sent) }
        },
      })
    },
  }
}

function locationOf(id: string): string {
  return `/api/v1/triggers/${id}`
}

function triggerOf(params: { readonly id: string }): TriggerId {
  return idOf('trigger', params.id, 'trigger.not-found')
}
