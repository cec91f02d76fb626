// Defines an agent: plain data for the catalog, and beside it the tools and guardrails in code that it names.

import type { AgentDefinition, Guardrail } from '../contract/agent.ts'
import { agentDefinition } from '../contract/agent.ts'
import type { ToolDefinition } from '../contract/tool.ts'
import { checkedDefinition } from './checked-definition.ts'
import type { CodeGuardrail, CodeTool } from './code-tool.ts'
import type { SchemaSource } from './schema-source.ts'
import { jsonSchemaOf } from './schema-source.ts'

/** The fields of the definition; tools, sub-agents and guardrails by name or as what their `define…` answered. */
export interface AgentOptions
  extends Omit<AgentDefinition, 'tools' | 'subAgents' | 'outputSchema' | 'guardrails'> {
  readonly tools?: readonly (string | CodeTool | ToolDefinition)[]
  readonly subAgents?: readonly (string | DefinedAgent)[]
  /** A Standard Schema or JSON Schema 2020-12 of the final answer. */
  readonly outputSchema?: SchemaSource
  readonly guardrails?: readonly (Guardrail | CodeGuardrail)[]
}

export interface DefinedAgent {
  /** What the catalog keeps: data, with names where the options had values. */
  readonly definition: AgentDefinition
  /** What was given as a value, for the host to register. */
  readonly tools: readonly (CodeTool | ToolDefinition)[]
  readonly subAgents: readonly DefinedAgent[]
  readonly guardrails: readonly CodeGuardrail[]
}

/**
 * Defines an agent: `defineAgent({ name: 'guide', instructions: 'Answer in one sentence.', model: 'offline/extractive', tools: [search] })`.
 * Throws `definition.invalid` with every wrong field. Nothing is sent or stored.
 */
export function defineAgent(options: AgentOptions): DefinedAgent {
  const { tools, subAgents, outputSchema, guardrails, ...plain } = options
  const definition = {
    ...plain,
    ...(tools && { tools: tools.map(toolNameOf) }),
    ...(subAgents && {
      subAgents: subAgents.map((agent) => (typeof agent === 'string' ? agent : agent.definition.name)),
    }),
    ...(outputSchema && {
      outputSchema: jsonSchemaOf(outputSchema, 'output', `The outputSchema of agent "${options.name}"`),
    }),
    ...(guardrails && {
      guardrails: guardrails.map((item) => ('definition' in item ? item.definition : item)),
    }),
  }
  return {
    definition: checkedDefinition('agent', agentDefinition, definition),
    tools: (tools ?? []).filter((tool) => typeof tool !== 'string'),
    subAgents: (subAgents ?? []).filter((agent) => typeof agent !== 'string'),
    guardrails: (guardrails ?? []).filter((item) => 'definition' in item),
  }
}

function toolNameOf(tool: string | CodeTool | ToolDefinition): string {
  if (typeof tool === 'string') return tool
  return 'definition' in tool ? tool.definition.name : tool.name
}
