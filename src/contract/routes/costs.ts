import { z } from 'zod'
import {
  COST_ENTITIES,
  costEstimate,
  costGroup,
  costHints,
  costPage,
  costReport,
  costType,
  createRerate,
  entityCosts,
  estimateCost,
  nameOrId,
  projectRef,
  recordCosts,
  recordedCosts,
  rerate,
  rerateDetail,
  timeZone,
} from '../cost.ts'
import { modelName } from '../definition.ts'
import { file, idText, pageOf, pageQuery, time } from '../fields.ts'
import { type PathParam, route } from '../route.ts'
import { idParam } from './path-params.ts'

const shared = { tag: 'costs' } as const
const range = { from: time.optional(), to: time.optional() }
const month = {
  form: /^[12]\d{3}-(?:0[1-9]|1[0-2])$/,
  type: 'string',
  description: 'The month, like `2026-11`.',
  missing: 'cost.not-found',
  example: '2026-11',
} as const satisfies PathParam
const entityType = {
  form: new RegExp(`^(?:${COST_ENTITIES.join('|')})$`),
  type: 'string',
  description: `One of ${COST_ENTITIES.map((one) => `\`${one}\``).join(', ')}.`,
  missing: 'cost.not-found',
  example: 'agent',
} as const satisfies PathParam
const entityId = {
  form: /^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/,
  type: 'string',
  description: 'The id; of an agent, a workflow or a project its name as well.',
  missing: 'cost.not-found',
  example: 'guide',
} as const satisfies PathParam

export const costRoutes = {
  recordCosts: route({
    ...shared,
    method: 'POST',
    path: '/financial/costs',
    permission: 'MANAGE_BILLING',
    summary: 'Tell a cost, or several at once',
    description:
      'All are recorded or none. A cost with an `external_id` counts once, however often it is told; told with another amount it is refused. Budgets are charged, also where that passes a limit: the money is spent.',
    body: { schema: recordCosts },
    responses: { 201: recordedCosts },
    errors: [
      'run.not-found',
      'agent.not-found',
      'workflow.not-found',
      'project.not-found',
      'idempotency.key-reused',
    ],
    idempotent: true,
  }),
  listCosts: route({
    ...shared,
    method: 'GET',
    path: '/financial/costs',
    permission: 'READ_BILLING',
    summary: 'List costs, newest first: model calls, and what was told',
    query: pageQuery.extend({
      ...range,
      type: costType.optional(),
      costState: z.enum(['priced', 'unpriced', 'usage_missing']).optional(),
      model: modelName.optional(),
      agent: nameOrId.optional(),
      workflow: nameOrId.optional(),
      project: projectRef.optional(),
      userId: idText('user').optional(),
      runId: idText('run').optional(),
    }),
    responses: { 200: costPage },
    errors: ['agent.not-found', 'workflow.not-found', 'project.not-found'],
  }),
  getCosts: route({
    ...shared,
    method: 'GET',
    path: '/financial/costs/{entity_type}/{entity_id}',
    permission: 'READ_BILLING',
    summary: 'What a tenant, project, agent, workflow, user, key or run cost',
    description:
      'Of this month where no times are given; a run with all that it called, always. Calendar periods begin at midnight of `time_zone`. What has no price is counted apart and never as zero, and so are replays.',
    params: { entity_type: entityType, entity_id: entityId },
    query: z.strictObject({ ...range, timeZone: timeZone.optional(), groupBy: costGroup.optional() }),
    responses: { 200: entityCosts },
    errors: [
      'tenant.not-found',
      'project.not-found',
      'agent.not-found',
      'workflow.not-found',
      'run.not-found',
      'api-key.not-found',
    ],
  }),
  estimateCost: route({
    ...shared,
    method: 'POST',
    path: '/financial/costs/estimate',
    permission: 'READ_BILLING',
    summary: 'What a model call or a run of an agent may cost, before it is made',
    description: 'It calls no model and changes nothing.',
    body: { schema: estimateCost },
    responses: { 200: costEstimate },
    errors: ['agent.not-found', 'agent.not-published', 'agent.archived'],
  }),
  createRerate: route({
    ...shared,
    method: 'POST',
    path: '/financial/rerates',
    permission: 'MANAGE_BILLING',
    summary: 'Rate model calls anew, with the prices that are in force for their time now',
    description:
      'Reads what providers sent, and writes what changed, with what it was. Done twice, it changes nothing the second time. Invoices, and what budgets counted, stay.',
    body: { schema: createRerate },
    responses: { 200: rerateDetail, 201: rerateDetail },
    idempotent: true,
  }),
  listRerates: route({
    ...shared,
    method: 'GET',
    path: '/financial/rerates',
    permission: 'READ_BILLING',
    summary: 'List re-ratings, newest first',
    query: pageQuery,
    responses: { 200: pageOf(rerate) },
  }),
  getRerate: route({
    ...shared,
    method: 'GET',
    path: '/financial/rerates/{id}',
    permission: 'READ_BILLING',
    summary: 'Get a re-rating with what it changed by model',
    params: { id: idParam('rerate', 'rerate.not-found') },
    responses: { 200: rerateDetail },
  }),
  getCostReport: route({
    ...shared,
    method: 'GET',
    path: '/financial/reports/{month}',
    permission: 'READ_BILLING',
    summary: 'The report of a month: what it cost, by everything',
    params: { month },
    query: z.strictObject({ timeZone: timeZone.optional() }),
    responses: { 200: costReport },
  }),
  downloadCostReport: route({
    ...shared,
    method: 'GET',
    path: '/financial/reports/{month}/file',
    permission: 'READ_BILLING',
    summary: 'The report of a month as CSV or PDF',
    params: { month },
    query: z.strictObject({ format: z.enum(['csv', 'pdf']), timeZone: timeZone.optional() }),
    responses: { 200: file },
    kind: 'file',
    mediaTypes: ['text/csv', 'application/pdf'],
  }),
  listHints: route({
    ...shared,
    method: 'GET',
    path: '/financial/hints',
    permission: 'READ_BILLING',
    summary: 'Where money could be saved, with how much and why',
    description:
      'Of the last 30 days where no times are given. Computed from model calls that are in the prompt log.',
    query: z.strictObject(range),
    responses: { 200: costHints },
  }),
} as const
