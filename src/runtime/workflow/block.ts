// A block: its nodes in the order that they wait for each other. A node runs when all it waits for have ended and one of
// them ran; where none ran, its path is dead, and it is skipped.

import { AppError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import type { WorkflowNode } from '../../contract/workflow.ts'
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
  const places: Place[] = nodes.map(() => ({ waitsFor: 0, next: [], onError: [] }))
  const indexOf = new Map(nodes.map(({ id }, index) => [id, index]))
  const place = (id: string): { readonly index: number; readonly place: Place } => {
    const index = indexOf.get(id)
    const found = index === undefined ? undefined : places[index]
    if (index === undefined || found === undefined)
      throw new AppError('definition.invalid', `"${id}" is no node of its block.`)
    return { index, place: found }
  }
  for (const [index, node] of nodes.entries()) {
    const before = node.after ?? nodes.slice(Math.max(index - 1, 0), index).map(({ id }) => id)
    const own = place(node.id).place
    for (const id of before) {
      place(id).place.next.push(index)
      own.waitsFor += 1
    }
    if (typeof node.onError !== 'object') continue
    const target = place(node.onError.goTo)
    own.onError.push({ to: node.onError.goTo, index: target.index })
    target.place.waitsFor += 1
  }
  return places
}
