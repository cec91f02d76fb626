import { z } from 'zod'
import {
  answerLink,
  approval,
  approvalDetail,
  approvalLink,
  approvalState,
  createApprovalLink,
  decideApproval,
  decideEarly,
  earlyDecision,
} from '../approval-resource.ts'
import { idText, pageOf, pageQuery } from '../fields.ts'
import { type PathParam, route } from '../route.ts'
import { idParam } from './path-params.ts'

const shared = { tag: 'approvals' } as const
const params = { id: idParam('approval', 'approval.not-found') } as const
const token: PathParam = {
  form: /^[A-Za-z0-9_-]{1,128}$/,
  type: 'string',
  description: 'The token of the link.',
  missing: 'approval.link-invalid',
  example: 'af_link_3q2-7wQvYk0mX1cB9dE8fG7hJ6kL5mN4pQ3rS2tU1vW',
}
const link = { ...shared, outside: true, path: '/approvals/link/{token}', permission: 'public' } as const

export const approvalRoutes = {
  listApprovals: route({
    ...shared,
    method: 'GET',
    path: '/approvals',
    permission: 'READ_RUNS',
    summary: 'List what people were asked, newest first',
    description: '`arguments` are there for those who hold READ_PROMPTS or RESOLVE_RUNS.',
    query: pageQuery.extend({ state: approvalState.optional(), run: idText('run').optional() }),
    responses: { 200: pageOf(approval) },
    errors: ['run.not-found'],
  }),
  getApproval: route({
    ...shared,
    method: 'GET',
    path: '/approvals/{id}',
    permission: 'READ_RUNS',
    summary: 'Get an approval with its votes',
    params,
    responses: { 200: approvalDetail },
  }),
  decideApproval: route({
    ...shared,
    method: 'POST',
    path: '/approvals/{id}/decide',
    permission: 'RESOLVE_RUNS',
    summary: 'Approve or decline',
    description:
      'Counts once for each user, whichever key they use; the first answer stays. Of two answers that would decide at the same moment one wins; the other gets 409.',
    params,
    body: { schema: decideApproval },
    responses: { 200: approvalDetail },
    errors: ['approval.decided', 'approval.not-yours', 'approval.arguments-changed'],
    idempotent: true,
  }),
  createApprovalLink: route({
    ...shared,
    method: 'POST',
    path: '/approvals/{id}/links',
    permission: 'RESOLVE_RUNS',
    summary: 'Make a link by which one user answers once, without a key',
    description:
      'The `url` is shown once. It is good for a day, or as `expires_in` says, and never longer than the approval. A link in the name of another user answers only what the caller could answer alone.',
    params,
    body: { schema: createApprovalLink, optional: true },
    responses: { 201: approvalLink },
    errors: ['approval.decided', 'approval.not-yours'],
    unrepeatable: true,
  }),
  decideEarly: route({
    ...shared,
    method: 'POST',
    path: '/runs/{id}/approvals',
    permission: 'RESOLVE_RUNS',
    summary: 'Answer before the run asks',
    description:
      'Kept, and used once when the run asks about that subject with exactly these arguments (an approval node: whatever they are, where none are given). Where it asks already, it is answered at once.',
    params: { id: idParam('run', 'run.not-found') },
    body: { schema: decideEarly },
    responses: { 200: earlyDecision },
    errors: ['run.finished', 'approval.decided', 'approval.not-yours'],
  }),
  openApprovalLink: route({
    ...link,
    method: 'GET',
    summary: 'The page of a link: what is asked, and a form to answer',
    description: 'It changes nothing, whoever opens it.',
    params: { token },
    responses: { 200: z.string() },
    kind: 'html',
  }),
  answerApprovalLink: route({
    ...link,
    method: 'POST',
    summary: 'Answer by a link, which is used up',
    params: { token },
    body: { schema: answerLink, form: true },
    responses: { 200: z.string() },
    kind: 'html',
    unrepeatable: true,
  }),
} as const
