import { AppError } from '../../base/errors.ts'
import type { ApiKeyId } from '../../base/ids.ts'
import { parseTime } from '../../base/time.ts'
import type { CreatedApiKey } from '../../contract/account.ts'
import type { Principal } from '../../contract/principal.ts'
import type { ApiDeps } from '../api-deps.ts'
import { created, type Handlers, NO_CONTENT, ok, type RequestFacts } from '../call.ts'
import { idOf } from '../id-of.ts'
import { onceClaimed } from '../idempotency.ts'
import { page } from '../paging.ts'
import { apiKeyView, auditView, meView, tenantView } from '../views/account-view.ts'

type AccountRoutes = typeof import('../../contract/routes/accounts.ts').accountRoutes

export function accountHandlers(deps: ApiDeps): Pick<Handlers, keyof AccountRoutes> {
  const { identity } = deps
  return {
    whoami: async ({ principal }) => ok(meView(principal)),
    async listApiKeys({ principal, query }) {
      return ok(
        await page(
          'api-keys',
          principal.tenantId,
          query,
          (asked) => identity.listKeys(principal, asked),
          apiKeyView,
        ),
      )
    },
    createApiKey: (call) => {
      const { principal, body, request } = call
      const { name, permissions } = body
      const expiresAt = body.expiresAt === undefined ? undefined : parseTime(body.expiresAt)
      return onceClaimed<CreatedApiKey>(deps.idempotency, call, {
        status: 201,
        make: async () => {
          const made = await identity.createKey(
            principal,
            { name, permissions, expiresAt },
            contextOf(request),
          )
          return created({ ...apiKeyView(made.apiKey), key: made.key }, `/api/v1/api-keys/${made.apiKey.id}`)
        },
        // The key itself was shown once and is stored nowhere.
        again: async (id) => {
          const apiKey = await identity.getKey(principal, keyOf({ id }))
          return created({ ...apiKeyView(apiKey), key: null }, `/api/v1/api-keys/${id}`)
        },
      })
    },
    async getApiKey({ principal, params }) {
      return ok(apiKeyView(await identity.getKey(principal, keyOf(params))))
    },
    async revokeApiKey({ principal, params, request }) {
      await identity.revokeKey(principal, keyOf(params), contextOf(request))
      return NO_CONTENT
    },
    async getTenant({ principal, params }) {
      checkOwn(principal, params.id)
      return ok(tenantView(await identity.getTenant(principal)))
    },
    async updateTenant({ principal, params, body, request }) {
      if (!principal.operator) checkOwn(principal, params.id)
      const id = idOf('tenant', params.id, 'tenant.not-found')
      return ok(tenantView(await identity.updateTenant(principal, body, contextOf(request), id)))
    },
    async listAudit({ principal: { tenantId }, query }) {
      return ok(await page('audit', tenantId, query, (asked) => deps.listAudit(tenantId, asked), auditView))
    },
  }
}

function contextOf(request: RequestFacts) {
  return { requestId: request.requestId, ip: request.ip }
}

function keyOf(params: { readonly id: string }): ApiKeyId {
  return idOf('apiKey', params.id, 'api-key.not-found')
}

/** Another tenant is not there. */
function checkOwn(principal: Principal, id: string): void {
  if (id !== principal.tenantId) throw new AppError('tenant.not-found', 'There is no such tenant here.')
}
