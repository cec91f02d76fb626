// What a workflow names: the tools, agents and workflows of its nodes and of their compensations, in blocks of any depth.

import type { Compensation, WorkflowNode } from '../../contract/workflow.ts'
import { innerBlocks } from '../../contract/workflow-graph.ts'

export interface NamedCalls {
  readonly tools: ReadonlySet<string>
  readonly agents: ReadonlySet<string>
  readonly workflows: ReadonlySet<string>
}

export function namedCalls(nodes: readonly WorkflowNode[]): NamedCalls {
  const found = { tools: new Set<string>(), agents: new Set<string>(), workflows: new Set<string>() }
  const name = (call: Compensation): void => {
    if (call.type === 'tool') found.tools.add(call.tool)
    else if (call.type === 'agent') found.agents.add(call.agent)
    else found.workflows.add(call.workflow)
  }
  for (const node of everyNode(nodes)) {
    if (node.type === 'tool' || node.type === 'agent' || node.type === 'workflow') name(node)
    if (node.compensate !== undefined) name(node.compensate)
  }
  return found
}

/** The nodes of a block and of those inside it. */
export function* everyNode(nodes: readonly WorkflowNode[]): Generator<WorkflowNode> {
  for (const node of nodes) {
    yield node
    for (const inner of innerBlocks(node)) yield* everyNode(inner.nodes)
  }
}
