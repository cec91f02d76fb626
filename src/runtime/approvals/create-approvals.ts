// Approvals, put together.

import type { Approvals } from './approvals.ts'
import { type DecideDeps, decide } from './decide.ts'
import { decideEarly } from './early-decision.ts'
import { answerLink, createLink, openLink } from './links.ts'
import { getApproval, listApprovals } from './read-approvals.ts'

export function createApprovals(deps: DecideDeps): Approvals {
  const { db } = deps
  return {
    list: (tenantId, filter) => listApprovals(db, tenantId, filter),
    get: (tenantId, id) => getApproval(db, tenantId, id),
    async decide(principal, id, decision, context) {
      await decide(deps, principal, id, decision, context)
      return getApproval(db, principal.tenantId, id)
    },
    decideEarly: (principal, runId, decision, context) =>
      decideEarly(deps, principal, runId, decision, context),
    createLink: (principal, id, options, context) => createLink(deps, principal, id, options, context),
    openLink: (token) => openLink(deps, token),
    answerLink: (token, answer, context) => answerLink(deps, token, answer, context),
  }
}
