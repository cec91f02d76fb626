// Which agents and tools a definition names, and where.

import type { AgentDefinition } from '../../contract/agent.ts'
import type { Compensation, WorkflowDefinition, WorkflowNode } from '../../contract/workflow.ts'
import { innerBlocks } from '../../contract/workflow-graph.ts'
import type { Kind, KindMap } from '../catalog.ts'

export interface Reference {
  readonly kind: 'agent' | 'tool' | 'workflow'
  readonly name: string
  /** JSON Pointer in wire names. */
  readonly path: string
  /** Where a node, or one around it, says that it may be tried again. */
  readonly retriedAt?: string | undefined
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
  return blockReferences(nodes, '/nodes', undefined)
}

function blockReferences(
  nodes: readonly WorkflowNode[],
  at: string,
  retriedAt: string | undefined,
): Reference[] {
  return nodes.flatMap((node, index) => nodeReferences(node, `${at}/${index}`, retriedAt))
}

function nodeReferences(node: WorkflowNode, at: string, around: string | undefined): Reference[] {
  const { compensate, retry } = node
  const retriedAt = (retry?.maxAttempts ?? 1) > 1 ? `${at}/retry/max_attempts` : around
  const isCall = node.type === 'agent' || node.type === 'tool' || node.type === 'workflow'
  return [
    ...(isCall ? [{ ...callReference(node, at), retriedAt }] : []),
    ...innerBlocks(node).flatMap(({ path, nodes }) => blockReferences(nodes, at + path, retriedAt)),
    ...(compensate === undefined ? [] : [callReference(compensate, `${at}/compensate`)]),
  ]
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
