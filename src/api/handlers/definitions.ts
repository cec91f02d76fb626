// What agents, tools and workflows have alike: their use cases behind their routes.

import { AppError } from '../../base/errors.ts'
import type { Definitions, Kind, KindMap, Resource, WriteContext } from '../../catalog/catalog.ts'
import type { Principal } from '../../contract/principal.ts'
import type { ApiDeps } from '../api-deps.ts'
import { type Answer, created, NO_CONTENT, ok, type RequestFacts } from '../call.ts'
import { type InTransaction, type KeyedCall, once } from '../idempotency.ts'
import { page } from '../paging.ts'
import { changeView, resourceView, versionView } from '../views/definition-view.ts'

/** What the handlers below read of a call. */
interface Asked {
  readonly principal: Principal
  readonly request: RequestFacts
}
interface One extends Asked {
  readonly params: { readonly id: string }
}
type Page = { readonly limit: number; readonly cursor?: string | undefined }

export function definitionHandlers<K extends Kind>(deps: ApiDeps, kind: K, definitions: Definitions<K>) {
  type Definition = KindMap[K]['definition']
  const place = (resource: Resource<K>): string => `/api/v1/${kind}s/${resource.head.id}`
  const shown = (resource: Resource<K>) => ({
    ...ok(resourceView(resource)),
    headers: { etag: etagOf(resource) },
  })
  const again = async (principal: Principal, id: string) => shown(await definitions.get(principal, id))
  /** A change of a version that one `Idempotency-Key` does once. */
  const change = (call: KeyedCall, make: (context: WriteContext) => Promise<Resource<K>>) =>
    once(deps.idempotency, call, {
      status: 200,
      make: async (inTransaction) => shown(await make(contextOf(call.request, inTransaction))),
      again: (id) => again(call.principal, id),
    })

  return {
    list: async ({
      principal,
      query,
    }: Asked & { readonly query: Page & { readonly archived?: boolean | undefined } }) => {
      const { archived } = query
      const list = archived ? `${kind}s archived` : `${kind}s`
      const find = (asked: Page) => definitions.list(principal, { ...asked, archived })
      return ok(await page(list, principal.tenantId, query, find, resourceView<K>))
    },
    create: (
      call: KeyedCall & {
        readonly query: { readonly publish?: boolean | undefined }
        readonly body: Definition
      },
    ) =>
      once(deps.idempotency, call, {
        status: 201,
        make: async (inTransaction) => {
          const options = { publish: call.query.publish === true }
          const context = contextOf(call.request, inTransaction)
          const resource = await definitions.create(call.principal, call.body, options, context)
          return created(resourceView(resource), place(resource))
        },
        again: async (id) => {
          const resource = await definitions.get(call.principal, id)
          return created(resourceView(resource), place(resource))
        },
      }),
    get: ({ principal, params }: One) => again(principal, params.id),
    update: async (
      call: One & {
        readonly query: {
          readonly publish?: boolean | undefined
          readonly expectedVersion?: number | undefined
        }
        readonly body: Definition
      },
    ) => {
      const { principal, params, query, body, request } = call
      const expectedVersion = query.expectedVersion ?? versionOfMatch(request.header('if-match'))
      const options = { publish: query.publish === true, expectedVersion }
      return shown(
        await definitions.update(principal, params.id, body, options, contextOf(request, undefined)),
      )
    },
    remove: async ({ principal, params, request }: One): Promise<Answer<undefined>> => {
      await definitions.archive(principal, params.id, contextOf(request, undefined))
      return NO_CONTENT
    },
    versions: async ({ principal, params, query }: One & { readonly query: Page }) => {
      const find = (asked: Page) => definitions.versions(principal, params.id, asked)
      return ok(await page(`versions ${params.id}`, principal.tenantId, query, find, versionView<K>))
    },
    version: async ({
      principal,
      params,
    }: Asked & { readonly params: { readonly id: string; readonly version: string } }) =>
      ok(versionView(await definitions.version(principal, params.id, Number(params.version)))),
    publish: (call: KeyedCall & One & { readonly body: PublishBody }) =>
      change(call, (context) => {
        const { principal, params, body } = call
        const told = body.inFlight === 'cancel' ? cancellingOlder(deps, principal, context) : context
        return definitions.publish(principal, params.id, body.version, told)
      }),
    rollback: (call: KeyedCall & One & { readonly body: { readonly version?: number | undefined } }) =>
      change(call, (context) =>
        definitions.rollback(call.principal, call.params.id, call.body.version, context),
      ),
    diff: async ({
      principal,
      params,
      query,
    }: One & { readonly query: { readonly from: number; readonly to: number } }) => {
      const { from, to } = query
      const changes = await definitions.diff(principal, params.id, from, to)
      return ok({ from, to, changes: changes.map(changeView) })
    },
  }
}

interface PublishBody {
  readonly version?: number | undefined
  readonly inFlight?: 'finish' | 'cancel' | undefined
}

/** The runs of other versions are asked to stop: ordered with the publish, or not at all. */
function cancellingOlder(deps: ApiDeps, principal: Principal, context: WriteContext): WriteContext {
  const { requestId, inTransaction } = context
  return {
    requestId,
    inTransaction: async (tx, id) => {
      await deps.runtime.orderCancelOlder(tx, principal, id, { requestId })
      await inTransaction?.(tx, id)
    },
  }
}

function contextOf(request: RequestFacts, inTransaction: InTransaction | undefined): WriteContext {
  return { requestId: request.requestId, inTransaction }
}

/** The latest version, by which a lost update is found, and the published one, which is what is shown. */
function etagOf<K extends Kind>({ head }: Resource<K>): string {
  return `"${head.latestVersion}.${head.publishedVersion ?? 0}"`
}

function versionOfMatch(header: string | undefined): number | undefined {
  if (header === undefined || header === '*') return undefined
  const match = /^"(\d{1,9})(?:\.\d{1,9})?"$/.exec(header)
  if (match) return Number(match[1])
  throw new AppError('request.invalid', 'If-Match must be the ETag of the resource, like "3.2".')
}
