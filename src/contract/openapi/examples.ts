// Bodies to begin with, in wire form. A test decodes each by its route's schema.

import type { Json } from '../../base/json.ts'
import type { RouteId } from '../routes.ts'

const agent: Json = {
  name: 'weather-guide',
  instructions: 'Answer questions about the weather. Use the tools; say where a fact comes from.',
  model: 'offline/extractive',
  tools: ['get-weather'],
  limits: { max_steps: 8, max_cost_usd: '0.50' },
}
const tool: Json = {
  name: 'get-weather',
  description: 'The weather of a city now.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  effect: 'read',
  implementation: {
    type: 'http',
    method: 'GET',
    base_url: 'https://weather.example.com',
    path: '/v1/now',
    parameters: [{ property: 'city', name: 'city', in: 'query', required: true }],
  },
}
const workflow: Json = {
  name: 'triage',
  nodes: [
    { id: 'classify', type: 'agent', agent: 'classifier', input: 'input.text' },
    { id: 'answer', type: 'transform', value: 'nodes.classify', after: ['classify'] },
  ],
}

export const EXAMPLE_BODIES: Readonly<Partial<Record<RouteId, Json>>> = {
  createAgent: agent,
  updateAgent: agent,
  publishAgent: {},
  rollbackAgent: { version: 1 },
  startRun: { input: 'Does it rain in Lisbon?' },
  createTool: tool,
  updateTool: tool,
  publishTool: {},
  rollbackTool: { version: 1 },
  testTool: { input: { city: 'Lisbon' } },
  importTools: { document: 'openapi: 3.1.0', base_url: 'https://weather.example.com', create: true },
  createWorkflow: workflow,
  startWorkflow: { input: { city: 'Lisbon' } },
  updateWorkflow: workflow,
  publishWorkflow: {},
  rollbackWorkflow: { version: 1 },
  cancelRun: {},
  replayRun: { from: 4, model: 'anthropic/claude-haiku-4-5' },
  resolveRun: { step: 3, outcome: 'approve' },
  decideApproval: { outcome: 'approve', reason: 'The customer called.' },
  decideEarly: { subject: 'send-refund', arguments: { order: 'A-17' }, outcome: 'approve' },
  createApprovalLink: { expires_in: '2h' },
  answerApprovalLink: { outcome: 'approve' },
  createSession: { agent: 'weather-guide' },
  cancelJob: {},
  retryJob: {},
  redriveJob: {},
  redriveJobs: { state: 'dead', limit: 100 },
  createTrigger: {
    kind: 'schedule',
    name: 'morning-report',
    target: { agent: 'weather-guide' },
    input: '"What is the weather in Lisbon? It is " + trigger.scheduled_at',
    cron: '30 7 * * mon-fri',
    timezone: 'Europe/Lisbon',
  },
  updateTrigger: { state: 'paused' },
  rotateTriggerSecret: {},
  receiveWebhook: '{"text": "Does it rain in Lisbon?"}',
  sendEvent: { name: 'order.paid', correlation: 'order-17', data: { amount: 120 } },
  createApiKey: { name: 'ci', permissions: ['READ_AGENTS', 'RUN_AGENTS'] },
  updateTenant: { capture_policy: 'redacted' },
}
