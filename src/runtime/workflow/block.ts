// A block: its nodes in the order that they wait for each other. A node runs when all it waits for have ended and one of
// them ran; where none ran, its path is dead, and it is skipped.

import { AppError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import type { WorkflowNode } from '../../contract/workflow.ts'
import { afterOf, leadsOf } from '../../contract/workflow-graph.ts'
import { createGroup } from './group.ts'
import { runNode, skipNode } from './run-node.ts'
import { type Scope, scopeWith } from './scope.ts'
import type { WorkflowContext } from './workflow-context.ts'
import { flushSome } from './write-step.ts'

/** Answers the result of the last node, in the order of the list, that ran; null where none did. */
export function runBlock(ctx: WorkflowContext, scope: Scope, nodes: readonly WorkflowNode[]): Promise<Json> {
  const shape = shapeOf(nodes)
  return shape === undefined ? runChain(ctx, scope, nodes) : runGraph(ctx, scope, nodes, shape)
}

/** One after the other: most blocks are so. */
async function runChain(ctx: WorkflowContext, scope: Scope, nodes: readonly WorkflowNode[]): Promise<Json> {
  let last: Json = null
  let dead = false
  for (const node of nodes) {
    if (dead) skipNode(ctx, scope, node)
    else {
      const end = await runNode(ctx, scope, node)
      if (end.status === 'ran') last = end.result
      dead = end.status !== 'ran'
    }
    await flushSome(ctx)
  }
  return last
}

async function runGraph(
  ctx: WorkflowContext,
  outer: Scope,
  nodes: readonly WorkflowNode[],
  shape: readonly Place[],
): Promise<Json> {
  const group = createGroup(ctx.interruption, outer.interruption)
  const scope = scopeWith(outer, { interruption: group.interruption })
  const open = shape.map(({ waitsFor }) => ({ left: waitsFor, alive: waitsFor === 0 }))
  const results: (Json | undefined)[] = nodes.map(() => undefined)
  let ended = 0

  const arrive = (from: number, index: number, alive: boolean): void => {
    const place = open[index]
    if (place === undefined) throw new Error(`Node ${from} leads nowhere.`)
    place.left -= 1
    place.alive ||= alive
    if (place.left === 0) begin(index)
  }
  const begin = (index: number): void =>
    group.start(async () => {
      const node = nodes[index]
      const place = shape[index]
      if (node === undefined || place === undefined) return
      const alive = open[index]?.alive === true
      if (!alive) skipNode(ctx, scope, node)
      const end = alive ? await runNode(ctx, scope, node) : ({ status: 'skipped' } as const)
      if (end.status === 'ran') results[index] = end.result
      await flushSome(ctx)
      ended += 1
      for (const next of place.next) arrive(index, next, end.status === 'ran')
      for (const { to, index: target } of place.onError)
        arrive(index, target, end.status === 'went' && end.to === to)
    })

  for (const [index, { left }] of open.entries()) if (left === 0) begin(index)
  await group.settle()
  if (ended < nodes.length)
    throw new AppError('definition.invalid', 'Nodes of the workflow wait for each other in a circle.')
  return results.findLast((result) => result !== undefined) ?? null
}

/** A node's place among the others. The target of a `goTo` waits for the node that may go to it, too. */
interface Place {
  waitsFor: number
  readonly next: number[]
  readonly onError: { readonly to: string; readonly index: number }[]
}

const shapes = new WeakMap<readonly WorkflowNode[], { readonly shape: readonly Place[] | undefined }>()

/** Undefined where each node simply follows the one before it. */
function shapeOf(nodes: readonly WorkflowNode[]): readonly Place[] | undefined {
  const known = shapes.get(nodes)
  if (known !== undefined) return known.shape
  const plain = nodes.every(
    ({ after, onError }) => after === undefined && (onError === undefined || typeof onError === 'string'),
  )
  const shape = plain ? undefined : graphOf(nodes)
  shapes.set(nodes, { shape })
  return shape
}

function graphOf(nodes: readonly WorkflowNode[]): readonly Place[] {
  checkNames(nodes)
  const leads = leadsOf(nodes)
  const places: Place[] = leads.map(({ length }) => ({ waitsFor: length, next: [], onError: [] }))
  const placeOf = new Map(nodes.map(({ id }, index) => [id, places[index]]))
  for (const [index, node] of nodes.entries()) {
    for (const { from, on } of leads[index] ?? []) {
      if (on === 'done') placeOf.get(from)?.next.push(index)
      else placeOf.get(from)?.onError.push({ to: node.id, index })
    }
  }
  return places
}

function checkNames(nodes: readonly WorkflowNode[]): void {
  const ids = new Set(nodes.map(({ id }) => id))
  for (const [index, { onError }] of nodes.entries()) {
    const named = [...afterOf(nodes, index), ...(typeof onError === 'object' ? [onError.goTo] : [])]
    const unknown = named.find((id) => !ids.has(id))
    if (unknown !== undefined)
      throw new AppError('definition.invalid', `"${unknown}" is no node of its block.`)
  }
}
