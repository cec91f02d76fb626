// What the expressions of a block know: variables, and the results of nodes that have ended before for certain.

import type { WorkflowNode } from '../../contract/workflow.ts'
import { type BlockOrder, blockOrder, innerBlocks } from '../../contract/workflow-graph.ts'

export const VARIABLES = ['input', 'nodes', 'run']
const NAMES_SHOWN_MAX = 10

export interface Scope {
  readonly block: readonly WorkflowNode[]
  readonly order: BlockOrder
  readonly variables: readonly string[]
  /** The node that the block is in. */
  readonly around: { readonly node: WorkflowNode; readonly scope: Scope } | undefined
}

export function scopeInside(scope: Scope, node: WorkflowNode, block: readonly WorkflowNode[]): Scope {
  return {
    block,
    order: blockOrder(block),
    variables: [...new Set([...scope.variables, ...variablesInside(node)])],
    around: { node, scope },
  }
}

function variablesInside({ type }: WorkflowNode): readonly string[] {
  if (type === 'for_each') return ['item', 'index']
  return type === 'loop' ? ['index', 'previous'] : []
}

export interface Indexed {
  readonly node: WorkflowNode
  readonly path: string
  /** The node whose block it is in. */
  readonly inside: WorkflowNode | undefined
}

export interface NodeIndex {
  /** In the order of the definition, blocks after the node that they are in. */
  readonly all: readonly Indexed[]
  readonly byId: ReadonlyMap<string, Indexed>
}

export function indexOf(nodes: readonly WorkflowNode[]): NodeIndex {
  const all: Indexed[] = []
  const add = (block: readonly WorkflowNode[], at: string, inside: WorkflowNode | undefined): void => {
    for (const [index, node] of block.entries()) {
      const path = `${at}/${index}`
      all.push({ node, path, inside })
      for (const inner of innerBlocks(node)) add(inner.nodes, path + inner.path, node)
    }
  }
  add(nodes, '/nodes', undefined)
  return { all, byId: new Map(all.toReversed().map((one) => [one.node.id, one])) }
}

/** Why an expression of a node (or of the whole, at its end) cannot read `nodes.<id>`; undefined where it can. */
export function whyUnknown(
  index: NodeIndex,
  scope: Scope,
  node: WorkflowNode | undefined,
  id: string,
): string | undefined {
  for (let at: Place | undefined = { scope, node }; at !== undefined; at = outside(at)) {
    // The whole workflow's output comes after all of its nodes; of a block with a circle, the circle is told.
    if (at.scope.order.circle !== undefined) return undefined
    const isHere = at.scope.block.some((one) => one.id === id)
    if (!isHere) continue
    if (at.node === undefined || at.scope.order.endsBefore(at.node.id, id)) return undefined
    if (at.node.id === id)
      return at.scope === scope
        ? `reads nodes.${id}, its own result, which is not there yet`
        : `reads nodes.${id}, the node around it, which has not ended yet`
    return `reads nodes.${id}, which need not have ended by then: put "${id}" into "after" of "${at.node.id}"`
  }
  const found = index.byId.get(id)
  if (found?.inside !== undefined)
    return `reads nodes.${id}, which is inside of "${found.inside.id}": read the result of nodes.${found.inside.id}`
  return `reads nodes.${id}, which is no node of this workflow; ${known(scope, node)}`
}

interface Place {
  readonly scope: Scope
  readonly node: WorkflowNode | undefined
}

function outside({ scope }: Place): Place | undefined {
  return scope.around
}

function known(scope: Scope, node: WorkflowNode | undefined): string {
  const ids: string[] = []
  for (let at: Place | undefined = { scope, node }; at !== undefined; at = outside(at))
    ids.push(
      ...(at.node === undefined
        ? at.scope.block.map((one) => one.id)
        : at.scope.order.endedBefore(at.node.id)),
    )
  if (ids.length === 0) return 'no node has ended by then'
  const more = ids.length > NAMES_SHOWN_MAX ? ', …' : ''
  return `known here: ${ids.slice(0, NAMES_SHOWN_MAX).join(', ')}${more}`
}
