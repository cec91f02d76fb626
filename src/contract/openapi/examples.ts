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
  updateWorkflow: workflow,
  publishWorkflow: {},
  rollbackWorkflow: { version: 1 },
  cancelRun: {},
  resolveRun: { step: 3, outcome: 'approve' },
  createSession: { agent: 'weather-guide' },
  createApiKey: { name: 'ci', permissions: ['READ_AGENTS', 'RUN_AGENTS'] },
  updateTenant: { capture_policy: 'redacted' },
}
