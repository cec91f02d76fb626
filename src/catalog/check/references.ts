// Which agents and tools a definition names, and where.

import type { AgentDefinition } from '../../contract/agent.ts'
import type { WorkflowDefinition } from '../../contract/workflow.ts'
import type { Kind, KindMap } from '../catalog.ts'

export interface Reference {
  readonly kind: 'agent' | 'tool'
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
  return nodes.flatMap((node, index): Reference[] => {
    switch (node.type) {
      case 'agent':
        return [{ kind: 'agent', name: node.agent, path: `/nodes/${index}/agent` }]
      case 'tool':
        return [{ kind: 'tool', name: node.tool, path: `/nodes/${index}/tool` }]
      case 'transform':
        return []
      default:
        return node satisfies never
    }
  })
}
