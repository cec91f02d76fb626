// Which agents and tools a definition names, and where.

import type { AgentDefinition } from '../../contract/agent.ts'
import type { Compensation, WorkflowDefinition, WorkflowNode } from '../../contract/workflow.ts'
import type { Kind, KindMap } from '../catalog.ts'

export interface Reference {
  readonly kind: 'agent' | 'tool' | 'workflow'
  readonly name: string
  /** JSON Pointer in wire names. */
  readonly path: string
}

/** What a definition is of, with its kind beside it. */
export type Defined = {
  readonly [K in Kind]: { readonly kind: K; readonly definition: KindMap[K]['definition'] }
}[Kind]

export function referencesOf(defined: Defined): Reference[] {
  switch (defined.kind) {
    case 'agent':
      return agentReferences(defined.definition)
    case 'workflow':
      return workflowReferences(defined.definition)
    case 'tool':
      return []
    default:
      return defined satisfies never
  }
}

function agentReferences({ tools = [], subAgents = [] }: AgentDefinition): Reference[] {
  return [
    ...tools.map((name, index) => ({ kind: 'tool' as const, name, path: `/tools/${index}` })),
    ...subAgents.map((name, index) => ({ kind: 'agent' as const, name, path: `/sub_agents/${index}` })),
  ]
}

function workflowReferences({ nodes }: WorkflowDefinition): Reference[] {
  return blockReferences(nodes, '/nodes')
}

function blockReferences(nodes: readonly WorkflowNode[], at: string): Reference[] {
  return nodes.flatMap((node, index) => nodeReferences(node, `${at}/${index}`))
}

function nodeReferences(node: WorkflowNode, at: string): Reference[] {
  const { compensate } = node
  const undo = compensate === undefined ? [] : [callReference(compensate, `${at}/compensate`)]
  switch (node.type) {
    case 'agent':
    case 'tool':
    case 'workflow':
      return [callReference(node, at), ...undo]
    case 'transform':
    case 'wait':
    case 'approval':
      return undo
    case 'switch':
      return [
        ...node.cases.flatMap(({ nodes }, index) => blockReferences(nodes, `${at}/cases/${index}/nodes`)),
        ...blockReferences(node.else ?? [], `${at}/else`),
        ...undo,
      ]
    case 'parallel':
    case 'race':
      return [
        ...node.branches.flatMap(({ nodes }, index) =>
          blockReferences(nodes, `${at}/branches/${index}/nodes`),
        ),
        ...undo,
      ]
    case 'for_each':
    case 'loop':
      return [...blockReferences(node.nodes, `${at}/nodes`), ...undo]
    default:
      return node satisfies never
  }
}

function callReference(call: Compensation, path: string): Reference {
  switch (call.type) {
    case 'agent':
      return { kind: 'agent', name: call.agent, path: `${path}/agent` }
    case 'tool':
      return { kind: 'tool', name: call.tool, path: `${path}/tool` }
    case 'workflow':
      return { kind: 'workflow', name: call.workflow, path: `${path}/workflow` }
    default:
      return call satisfies never
  }
}
