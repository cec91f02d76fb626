import { isAppError } from '../../base/errors.ts'
import type { ApprovalId } from '../../base/ids.ts'
import { formatTime } from '../../base/time.ts'
import { durationMs } from '../../contract/duration.ts'
import type { Principal } from '../../contract/principal.ts'
import { statusByCode } from '../../contract/problem.ts'
import type { ApiDeps } from '../api-deps.ts'
import { created, type Handlers, ok, type RequestFacts } from '../call.ts'
import { idOf } from '../id-of.ts'
import { once } from '../idempotency.ts'
import { page } from '../paging.ts'
import { answeredPage, failurePage, questionPage } from '../views/approval-page.ts'
import { approvalDetailView, approvalView } from '../views/approval-view.ts'

type ApprovalRoutes = typeof import('../../contract/routes/approvals.ts').approvalRoutes

export function approvalHandlers(deps: ApiDeps): Pick<Handlers, keyof ApprovalRoutes> {
  const { approvals } = deps.runtime
  return {
    async listApprovals({ principal, query }) {
      const { tenantId } = principal
      const { state } = query
      const runId = query.run === undefined ? undefined : idOf('run', query.run, 'run.not-found')
      return ok(
        await page(
          `approvals ${state ?? ''} ${runId ?? ''}`,
          tenantId,
          query,
          (asked) => approvals.list(tenantId, { ...asked, state, runId }),
          (approval) => approvalView(approval, mayReadArguments(principal)),
        ),
      )
    },
    async getApproval({ principal, params }) {
      const found = await approvals.get(principal.tenantId, approvalOf(params))
      return ok(approvalDetailView(found, mayReadArguments(principal)))
    },
    decideApproval: (call) => {
      const { principal, params, body, request } = call
      return once(deps.idempotency, call, {
        status: 200,
        make: async (inTransaction) => {
          const context = { requestId: request.requestId, inTransaction }
          const decided = await approvals.decide(principal, approvalOf(params), body, context)
          return ok(approvalDetailView(decided, mayReadArguments(principal)))
        },
        again: async (id) => {
          const found = await approvals.get(principal.tenantId, approvalOf({ id }))
          return ok(approvalDetailView(found, mayReadArguments(principal)))
        },
      })
    },
    async createApprovalLink({ principal, params, body, request }) {
      const { userId, expiresIn } = body
      const expiresInMs = expiresIn === undefined ? undefined : durationMs(expiresIn)
      const context = { requestId: request.requestId }
      const id = approvalOf(params)
      const link = await approvals.createLink(principal, id, { userId, expiresInMs }, context)
      const url = `/approvals/link/${link.token}`
      const { approvalId, expiresAt } = link
      return created(
        { approvalId, userId: link.userId, url, expiresAt: formatTime(expiresAt) },
        `/api/v1/approvals/${id}`,
      )
    },
    async decideEarly({ principal, params, body, request }) {
      const id = idOf('run', params.id, 'run.not-found')
      return ok(await approvals.decideEarly(principal, id, body, { requestId: request.requestId }))
    },
    openApprovalLink: ({ params, request }) =>
      asPage(request, async () => questionPage(await approvals.openLink(params.token))),
    answerApprovalLink: ({ params, body, request }) =>
      asPage(request, async () => {
        await approvals.answerLink(params.token, body, { requestId: request.requestId })
        return answeredPage(body.outcome)
      }),
  }
}

/** Who reads pages gets a page, also where there is nothing; a program gets the problem. */
async function asPage(request: RequestFacts, work: () => Promise<Response>): Promise<Response> {
  try {
    return await work()
  } catch (error) {
    if (!isAppError(error, 'approval.link-invalid') || !readsPages(request)) throw error
    return failurePage(error.message, statusByCode[error.code])
  }
}

function readsPages(request: RequestFacts): boolean {
  return request.header('accept')?.includes('text/html') === true
}

function mayReadArguments({ permissions }: Principal): boolean {
  return permissions.has('READ_PROMPTS') || permissions.has('RESOLVE_RUNS')
}

function approvalOf(params: { readonly id: string }): ApprovalId {
  return idOf('approval', params.id, 'approval.not-found')
}
