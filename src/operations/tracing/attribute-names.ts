// The names of span attributes, in one place, because those of generative AI still change.
// Pinned to OpenTelemetry's semantic conventions 1.45.0 (HTTP: stable; gen_ai: in development).
// https://github.com/open-telemetry/semantic-conventions/tree/v1.45.0/docs

export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.45.0'

export const ATTRIBUTE = {
  serviceName: 'service.name',
  serviceVersion: 'service.version',
  errorType: 'error.type',
  httpMethod: 'http.request.method',
  httpRoute: 'http.route',
  httpStatus: 'http.response.status_code',
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  agentName: 'gen_ai.agent.name',
  toolName: 'gen_ai.tool.name',
  firstChunk: 'gen_ai.response.time_to_first_chunk',
  inputTokens: 'gen_ai.usage.input_tokens',
  cacheReadTokens: 'gen_ai.usage.cache_read.input_tokens',
  cacheWriteTokens: 'gen_ai.usage.cache_creation.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  // Ours: no convention has these.
  runId: 'agent_factory.run.id',
  tenantId: 'agent_factory.tenant.id',
  runState: 'agent_factory.run.state',
  step: 'agent_factory.step',
  attempt: 'agent_factory.attempt',
  usageState: 'agent_factory.usage.state',
} as const
