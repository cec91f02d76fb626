// The agent definition: data, validated here, stored in wire form, versioned by catalog/.

import { z } from 'zod'
import { approvalPolicy } from './approval.ts'
import { agentName, description, jsonObject, modelName, toolName, usdAmount } from './definition.ts'

export const INSTRUCTIONS_CHARS_MAX = 65_536
export const AGENT_TOOLS_MAX = 64
export const AGENT_GUARDRAILS_MAX = 32
export const EXPRESSION_CHARS_MAX = 2_000

const count = (max: number) => z.int().min(1).max(max)

export const modelSettings = z.strictObject({
  temperature: z.number().min(0).max(2).optional(),
  topP: z.number().min(0).max(1).optional(),
  maxOutputTokens: count(1_000_000).optional(),
  stopSequences: z.array(z.string().min(1).max(200)).max(8).optional(),
  seed: z.int().optional(),
  presencePenalty: z.number().min(-2).max(2).optional(),
  frequencyPenalty: z.number().min(-2).max(2).optional(),
  reasoningEffort: z.enum(['minimal', 'low', 'medium', 'high']).optional(),
  providerOptions: jsonObject.optional(),
})

export const modelTimeouts = z.strictObject({
  firstTokenMs: count(600_000).optional(),
  betweenChunksMs: count(600_000).optional(),
  totalMs: count(3_600_000).optional(),
})

const expressionCheck = z.strictObject({
  type: z.literal('expression'),
  /** CEL over `text` (input and output) or `tool` and `arguments` (tool calls); true means that the rule applies. */
  when: z.string().min(1).max(EXPRESSION_CHARS_MAX),
})
const patternCheck = z.strictObject({
  type: z.literal('pattern'),
  pattern: z.string().min(1).max(500),
  ignoreCase: z.boolean().optional(),
})
const codeCheck = z.strictObject({ type: z.literal('code'), name: toolName })

export const guardrail = z.strictObject({
  name: agentName,
  on: z.enum(['input', 'output', 'tool_call']),
  check: z.discriminatedUnion('type', [expressionCheck, patternCheck, codeCheck]),
  /** `block` ends the run (input, output) or refuses the call (tool_call); `modify` replaces what the pattern matched. */
  action: z.enum(['block', 'modify']),
  replacement: z.string().max(200).optional(),
  message: z.string().max(500).optional(),
})

export const agentLimits = z.strictObject({
  maxSteps: count(10_000).optional(),
  maxToolCalls: z.int().min(0).max(10_000).optional(),
  maxTokens: count(100_000_000).optional(),
  maxCostUsd: usdAmount.optional(),
  timeoutMs: count(86_400_000).optional(),
  maxIdenticalCalls: count(100).optional(),
  parallelToolCalls: count(64).optional(),
})

export const agentDefinition = z.strictObject({
  name: agentName,
  description: description.optional(),
  instructions: z.string().min(1).max(INSTRUCTIONS_CHARS_MAX),
  model: modelName,
  fallbackModels: z.array(modelName).max(5).optional(),
  modelSettings: modelSettings.optional(),
  timeouts: modelTimeouts.optional(),
  /** Names of the tenant's tools, of tools in the host's code, or of built-in tools, looked up in this order. */
  tools: z.array(toolName).max(AGENT_TOOLS_MAX).optional(),
  /** Agents that this one may call, each as a tool of the same name. */
  subAgents: z.array(agentName).max(AGENT_TOOLS_MAX).optional(),
  /** JSON Schema 2020-12 that the final answer must follow. */
  outputSchema: jsonObject.optional(),
  guardrails: z.array(guardrail).max(AGENT_GUARDRAILS_MAX).optional(),
  limits: agentLimits.optional(),
  /** Who answers for tool calls that wait for approval, and by when. */
  approval: approvalPolicy.optional(),
  /** How many runs of it may be driven at a time, per tenant. */
  maxConcurrentRuns: count(10_000).optional(),
  /** Older turns of a session are compacted once the history is longer than this estimate. */
  maxHistoryTokens: count(1_000_000).optional(),
})

export type AgentDefinition = z.infer<typeof agentDefinition>
export type AgentLimits = z.infer<typeof agentLimits>
export type Guardrail = z.infer<typeof guardrail>
