import { z } from 'zod'
import { idText, pageOf, pageQuery } from '../fields.ts'
import { modelCall, modelCallDetail } from '../model-call.ts'
import { route, START_REFUSALS } from '../route.ts'
import { replayRun, resolution, run, runEvent, runState, step, WAIT_SECONDS_MAX } from '../run.ts'
import { idParam } from './path-params.ts'

const shared = { tag: 'runs' } as const
const params = { id: idParam('run', 'run.not-found') } as const
const nothing = { schema: z.strictObject({}), optional: true } as const

export const waitQuery = z.strictObject({
  wait: z
    .number()
    .min(0)
    .max(WAIT_SECONDS_MAX)
    .optional()
    .meta({ description: 'Seconds to wait until the run has ended or waits for somebody.' }),
})

export const runRoutes = {
  listRuns: route({
    ...shared,
    method: 'GET',
    path: '/runs',
    permission: 'READ_RUNS',
    summary: 'List runs, newest first',
    query: pageQuery.extend({
      state: runState.optional(),
      agent: z
        .string()
        .regex(/^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/, 'must be an agent id or name')
        .optional()
        .meta({ description: 'Agent id or name.' }),
      workflow: z
        .string()
        .regex(/^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/, 'must be a workflow id or name')
        .optional()
        .meta({ description: 'Workflow id or name.' }),
      sessionId: idText('session').optional(),
      replays: z.boolean().optional().meta({ description: 'Only replays, or (false) none of them.' }),
    }),
    responses: { 200: pageOf(run) },
  }),
  getRun: route({
    ...shared,
    method: 'GET',
    path: '/runs/{id}',
    permission: 'READ_RUNS',
    summary: 'Get a run',
    params,
    query: waitQuery,
    responses: { 200: run },
  }),
  listSteps: route({
    ...shared,
    method: 'GET',
    path: '/runs/{id}/steps',
    permission: 'READ_RUNS',
    summary: 'List the steps of a run, in order',
    description: '`input` and `output` are there for those who hold READ_PROMPTS.',
    params,
    query: pageQuery,
    responses: { 200: pageOf(step) },
  }),
  listRunEvents: route({
    ...shared,
    method: 'GET',
    path: '/runs/{id}/events',
    permission: 'READ_RUNS',
    summary: 'The events of a run, live (SSE) or as a page (JSON)',
    description:
      'A stream (`text/event-stream`) that ends with the run; `Last-Event-ID` or `after` resumes it. `model.delta` events carry text as it arrives (reasoning for those who hold READ_PROMPTS); they have no id. With `Accept: application/json` a page of what is stored.',
    params,
    query: pageQuery.extend({
      after: z
        .int()
        .min(0)
        .max(1_000_000_000)
        .optional()
        .meta({ description: 'Only events after this `run_seq`.' }),
    }),
    responses: { 200: pageOf(runEvent) },
    kind: 'sse',
  }),
  cancelRun: route({
    ...shared,
    method: 'POST',
    path: '/runs/{id}/cancel',
    permission: 'CANCEL_RUNS',
    summary: 'Ask a run to stop',
    params,
    body: nothing,
    responses: { 200: run },
    errors: ['run.finished', 'run.state-conflict'],
  }),
  replayRun: route({
    ...shared,
    method: 'POST',
    path: '/runs/{id}/replay',
    permission: 'READ_PROMPTS',
    feature: 'replay',
    summary: 'Do a run again, from any step, with something changed',
    description:
      'A new run, marked by `replay_of` and never counted as usage of a plan. Without a body: the same version and input, models asked anew, tool calls answered from the record. Needs RUN_AGENTS or RUN_WORKFLOWS as well. Answers as running an agent does.',
    params,
    query: waitQuery,
    body: { schema: replayRun, optional: true },
    responses: { 202: run, 200: run },
    errors: [
      ...START_REFUSALS,
      'run.not-replayable',
      'version.not-found',
      'tool.not-published',
      'tool.unregistered',
      'workflow.input-invalid',
    ],
    idempotent: true,
  }),
  resolveRun: route({
    ...shared,
    method: 'POST',
    path: '/runs/{id}/resolve',
    permission: 'RESOLVE_RUNS',
    summary: 'Answer a waiting step',
    description:
      'One of two answers at the same moment wins; the other gets 409. `approve` and `decline` are a vote, by the rules of the approval.',
    params,
    body: { schema: resolution },
    responses: { 200: run },
    errors: [
      'step.not-found',
      'run.finished',
      'run.state-conflict',
      'approval.decided',
      'approval.not-yours',
    ],
  }),
  listModelCalls: route({
    ...shared,
    method: 'GET',
    path: '/runs/{id}/model-calls',
    permission: 'READ_PROMPTS',
    summary: 'List the model calls of a run',
    params,
    query: pageQuery,
    responses: { 200: pageOf(modelCall) },
  }),
  getModelCall: route({
    ...shared,
    method: 'GET',
    path: '/model-calls/{id}',
    permission: 'READ_PROMPTS',
    summary: 'Get a model call with what was said',
    params: { id: idParam('modelCall', 'model-call.not-found') },
    responses: { 200: modelCallDetail },
  }),
} as const
