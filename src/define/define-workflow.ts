// Defines a workflow: plain data for the catalog, and beside it the agents and tools that its nodes were given.

import type { ToolDefinition } from '../contract/tool.ts'
import type { WorkflowDefinition, WorkflowNode } from '../contract/workflow.ts'
import { workflowDefinition } from '../contract/workflow.ts'
import { checkedDefinition } from './checked-definition.ts'
import type { CodeTool } from './code-tool.ts'
import type { DefinedAgent } from './define-agent.ts'
import type { SchemaSource } from './schema-source.ts'
import { jsonSchemaOf } from './schema-source.ts'

type AgentNode = Extract<WorkflowNode, { type: 'agent' }>
type ToolNode = Extract<WorkflowNode, { type: 'tool' }>
type OtherNode = Exclude<WorkflowNode, AgentNode | ToolNode>

/** A node; its agent or tool by name or as what their `define…` answered. */
export type WorkflowNodeOptions =
  | (Omit<AgentNode, 'agent'> & { readonly agent: string | DefinedAgent })
  | (Omit<ToolNode, 'tool'> & { readonly tool: string | CodeTool | ToolDefinition })
  | OtherNode

export interface WorkflowOptions extends Omit<WorkflowDefinition, 'nodes' | 'inputSchema'> {
  /** A Standard Schema or JSON Schema 2020-12 of the input. */
  readonly inputSchema?: SchemaSource
  readonly nodes: readonly WorkflowNodeOptions[]
}

export interface DefinedWorkflow {
  readonly definition: WorkflowDefinition
  /** What was given as a value, for the host to register. */
  readonly agents: readonly DefinedAgent[]
  readonly tools: readonly (CodeTool | ToolDefinition)[]
}

/** Defines a workflow. Throws `definition.invalid` with every wrong field. Nothing is sent, stored or executed. */
export function defineWorkflow(options: WorkflowOptions): DefinedWorkflow {
  const { inputSchema, nodes, ...plain } = options
  const definition = {
    ...plain,
    ...(inputSchema && {
      inputSchema: jsonSchemaOf(inputSchema, 'input', `The inputSchema of workflow "${options.name}"`),
    }),
    nodes: nodes.map(plainNode),
  }
  return {
    definition: checkedDefinition('workflow', workflowDefinition, definition),
    agents: nodes.flatMap((node) =>
      node.type === 'agent' && typeof node.agent !== 'string' ? [node.agent] : [],
    ),
    tools: nodes.flatMap((node) =>
      node.type === 'tool' && typeof node.tool !== 'string' ? [node.tool] : [],
    ),
  }
}

function plainNode(node: WorkflowNodeOptions): WorkflowNode {
  switch (node.type) {
    case 'agent':
      return { ...node, agent: typeof node.agent === 'string' ? node.agent : node.agent.definition.name }
    case 'tool': {
      const { tool } = node
      if (typeof tool === 'string') return { ...node, tool }
      return { ...node, tool: 'definition' in tool ? tool.definition.name : tool.name }
    }
    default:
      return node
  }
}
