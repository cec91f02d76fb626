// The nodes of a workflow as an author writes them, turned into data. Values among them are gathered on the way.

import type { ToolDefinition } from '../contract/tool.ts'
import type { Compensation, WorkflowNode } from '../contract/workflow.ts'
import type { CodeTool } from './code-tool.ts'
import type { DefinedAgent } from './define-agent.ts'
import type { DefinedWorkflow } from './defined-workflow.ts'

export interface Given {
  readonly agents: Set<DefinedAgent>
  readonly tools: Set<CodeTool | ToolDefinition>
  readonly workflows: Set<DefinedWorkflow>
}

type Called<C> = C extends { type: 'agent' }
  ? Omit<C, 'agent'> & { readonly agent: string | DefinedAgent }
  : C extends { type: 'tool' }
    ? Omit<C, 'tool'> & { readonly tool: string | CodeTool | ToolDefinition }
    : C extends { type: 'workflow' }
      ? Omit<C, 'workflow'> & { readonly workflow: string | DefinedWorkflow }
      : C

type Block = readonly WorkflowNodeOptions[]
type Inner<N> = N extends { type: 'switch' }
  ? Omit<N, 'cases' | 'else'> & {
      readonly cases: readonly { readonly when: string; readonly nodes: Block }[]
      readonly else?: Block | undefined
    }
  : N extends { type: 'parallel' | 'race' }
    ? Omit<N, 'branches'> & { readonly branches: readonly { readonly id: string; readonly nodes: Block }[] }
    : N extends { type: 'for_each' | 'loop' }
      ? Omit<N, 'nodes'> & { readonly nodes: Block }
      : N

type Options<N> = N extends WorkflowNode
  ? Omit<Called<Inner<N>>, 'after' | 'compensate'> & {
      readonly after?: readonly string[] | undefined
      readonly compensate?: CompensationOptions | undefined
    }
  : never

/** What undoes a node; its agent, tool or workflow by name or as what its `define…` answered. */
export type CompensationOptions = Called<Compensation>

/** A node of a workflow; agents, tools and workflows by name or as what their `define…` answered. */
export type WorkflowNodeOptions = Options<WorkflowNode>

/** The nodes as data, with names where they held values. */
export function plainBlock(nodes: Block, given: Given): unknown[] {
  return nodes.map((node) => plainNode(node, given))
}

function plainNode(node: WorkflowNodeOptions, given: Given): unknown {
  const plain = { ...node, ...(node.compensate && { compensate: plainCall(node.compensate, given) }) }
  switch (node.type) {
    case 'agent':
    case 'tool':
    case 'workflow':
      return { ...plainCall(node, given), ...(plain.compensate && { compensate: plain.compensate }) }
    case 'transform':
    case 'wait':
    case 'approval':
      return plain
    case 'switch':
      return {
        ...plain,
        cases: node.cases.map((one) => ({ ...one, nodes: plainBlock(one.nodes, given) })),
        ...(node.else && { else: plainBlock(node.else, given) }),
      }
    case 'parallel':
    case 'race':
      return {
        ...plain,
        branches: node.branches.map((one) => ({ ...one, nodes: plainBlock(one.nodes, given) })),
      }
    case 'for_each':
    case 'loop':
      return { ...plain, nodes: plainBlock(node.nodes, given) }
    default:
      return node satisfies never
  }
}

type Call =
  | { readonly type: 'agent'; readonly agent: string | DefinedAgent }
  | { readonly type: 'tool'; readonly tool: string | CodeTool | ToolDefinition }
  | { readonly type: 'workflow'; readonly workflow: string | DefinedWorkflow }

/** The call with the name of what it calls. */
function plainCall<C extends Call>(call: C, given: Given): object {
  if (call.type === 'agent') {
    const { agent } = call
    if (typeof agent === 'string') return { ...call }
    given.agents.add(agent)
    return { ...call, agent: agent.definition.name }
  }
  if (call.type === 'tool') {
    const { tool } = call
    if (typeof tool === 'string') return { ...call }
    given.tools.add(tool)
    return { ...call, tool: 'definition' in tool ? tool.definition.name : tool.name }
  }
  const { workflow } = call
  if (typeof workflow === 'string') return { ...call }
  given.workflows.add(workflow)
  return { ...call, workflow: workflow.definition.name }
}
