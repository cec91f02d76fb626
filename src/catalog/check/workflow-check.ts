// What a workflow's definition means, beyond its form: its nodes are told apart, known and in an order.

import type { FieldError } from '../../base/errors.ts'
import type { WorkflowDefinition, WorkflowNode } from '../../contract/workflow.ts'
import type { Checks } from './checks.ts'
import { below, repeated } from './checks.ts'

const VARIABLES = ['input', 'nodes']

export function workflowErrors(checks: Checks, workflow: WorkflowDefinition): FieldError[] {
  const { nodes, inputSchema, output } = workflow
  const ids = new Set(nodes.map(({ id }) => id))
  return [
    ...(inputSchema ? below('/input_schema', checks.checkSchema(inputSchema)) : []),
    ...repeated(
      nodes,
      ({ id }) => id,
      (index, first) => ({
        path: `/nodes/${index}/id`,
        message: `is the id of /nodes/${first} too; each node needs its own`,
      }),
    ),
    ...nodes.flatMap((node, index) => below(`/nodes/${index}`, nodeErrors(checks, node, ids))),
    ...cycleErrors(nodes),
    ...(output === undefined ? [] : below('/output', checks.checkExpression(output, VARIABLES))),
  ]
}

function nodeErrors(checks: Checks, node: WorkflowNode, ids: ReadonlySet<string>): FieldError[] {
  const expression = 'input' in node ? node.input : 'value' in node ? node.value : 'true'
  const place = node.type === 'transform' ? '/value' : '/input'
  const after = node.after ?? []
  return [
    ...below(place, checks.checkExpression(expression, VARIABLES)),
    ...after.flatMap((id, index) =>
      ids.has(id)
        ? []
        : [{ path: `/after/${index}`, message: `names "${id}", which is no node of this workflow` }],
    ),
    ...repeated(
      after,
      (id) => id,
      (index) => ({ path: `/after/${index}`, message: `names "${after[index]}" again` }),
    ),
  ]
}

/** The first circle of nodes that wait for each other, as one error at one of them. */
function cycleErrors(nodes: readonly WorkflowNode[]): FieldError[] {
  const byId = new Map(nodes.map((node, index) => [node.id, { after: node.after ?? [], index }]))
  const finished = new Set<string>()
  for (const { id } of nodes) {
    const circle = circleFrom(id, byId, finished)
    if (circle === undefined) continue
    const index = byId.get(circle[0] ?? '')?.index ?? 0
    return [
      {
        path: `/nodes/${index}/after`,
        message: `closes a circle of nodes that wait for each other: ${circle.join(' → ')}`,
      },
    ]
  }
  return []
}

type Waits = ReadonlyMap<string, { readonly after: readonly string[] }>

/** Depth first; the depth is bounded by the number of nodes (`WORKFLOW_NODES_MAX`). */
function circleFrom(
  id: string,
  byId: Waits,
  finished: Set<string>,
  trail: readonly string[] = [],
): string[] | undefined {
  if (finished.has(id)) return undefined
  const start = trail.indexOf(id)
  if (start >= 0) return [...trail.slice(start), id]
  const here = [...trail, id]
  for (const next of byId.get(id)?.after ?? []) {
    const circle = circleFrom(next, byId, finished, here)
    if (circle) return circle
  }
  finished.add(id)
  return undefined
}
