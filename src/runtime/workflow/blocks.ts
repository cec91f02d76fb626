// The nodes that hold blocks: switch, parallel, race, for-each, loop. What they decide follows from what is on record, so
// that a later drive decides the same.

import { AppError } from '../../base/errors.ts'
import type { Json, JsonObject } from '../../base/json.ts'
import { ITERATIONS_MAX, type WorkflowNode } from '../../contract/workflow.ts'
import { interruptBelow, Stopped } from '../agent/interruption.ts'
import { createGroup } from './group.ts'
import { NodeFailed } from './node-failed.ts'
import type { NodeStep } from './node-step.ts'
import { noteWinner } from './node-store.ts'
import { outputOf } from './read-step.ts'
import { evaluate, innerScope, type Scope } from './scope.ts'
import type { WorkflowContext } from './workflow-context.ts'

type BlockNode = Exclude<
  WorkflowNode,
  { type: 'agent' | 'tool' | 'workflow' | 'transform' | 'wait' | 'approval' }
>
type Of<T extends BlockNode['type']> = Extract<BlockNode, { type: T }>

/** Runs the blocks of a node and answers its result. An expression of its own that fails is thrown as an AppError. */
export function runBlocks(
  ctx: WorkflowContext,
  scope: Scope,
  node: WorkflowNode,
  step: NodeStep,
): Promise<Json> {
  switch (node.type) {
    case 'switch':
      return runSwitch(ctx, scope, node, step.path)
    case 'parallel':
      return runParallel(ctx, scope, node, step.path)
    case 'race':
      return runRace(ctx, scope, node, step)
    case 'for_each':
      return runForEach(ctx, scope, node, step.path)
    case 'loop':
      return runLoop(ctx, scope, node, step.path)
    default:
      throw new Error(`A node of type "${node.type}" has no blocks.`)
  }
}

async function runSwitch(
  ctx: WorkflowContext,
  scope: Scope,
  node: Of<'switch'>,
  path: string,
): Promise<Json> {
  const index = node.cases.findIndex(
    ({ when }, at) => evaluate(scope, path, `cases[${at}].when`, when) === true,
  )
  const nodes = index < 0 ? node.else : node.cases[index]?.nodes
  if (nodes === undefined) return null
  return ctx.runBlock(ctx, innerScope(scope, index < 0 ? `${path}.else.` : `${path}[${index}].`), nodes)
}

async function runParallel(
  ctx: WorkflowContext,
  scope: Scope,
  node: Of<'parallel'>,
  path: string,
): Promise<Json> {
  const group = createGroup(ctx.interruption, scope.interruption)
  const results: Record<string, Json> = {}
  // The order of the branches, whichever ends first.
  for (const { id } of node.branches) results[id] = null
  for (const { id, nodes } of node.branches) {
    const inner = innerScope(scope, `${path}.${id}.`, {}, group.interruption)
    group.start(async () => {
      results[id] = await ctx.runBlock(ctx, inner, nodes)
    })
  }
  await group.settle()
  return results
}

/** The first branch to end decides, also one that fails. The others are stopped; a `once` call of theirs is waited for. */
async function runRace(ctx: WorkflowContext, scope: Scope, node: Of<'race'>, step: NodeStep): Promise<Json> {
  const group = createGroup(ctx.interruption, scope.interruption)
  const lanes = node.branches.map((branch) => ({ branch, own: interruptBelow(group.interruption) }))
  let winner = await winnerOf(ctx, step)
  let result: Json = null
  for (const { branch, own } of lanes) {
    if (winner !== undefined && winner !== branch.id) own.stop('cancelled')
    group.start(async () => {
      try {
        const inner = innerScope(scope, `${step.path}.${branch.id}.`, {}, own)
        const ended = await ctx.runBlock(ctx, inner, branch.nodes)
        if (winner === undefined) {
          winner = branch.id
          const output = JSON.stringify({ branch: branch.id })
          ctx.journal.add((tx) => tx.run(noteWinner, { runId: ctx.run.id, seq: step.seq, output }))
          for (const lane of lanes) if (lane.branch !== branch) lane.own.stop('cancelled')
        }
        if (winner === branch.id) result = ended
      } catch (error) {
        const lost = winner !== undefined && winner !== branch.id
        if (!lost || !(error instanceof Stopped || error instanceof NodeFailed)) throw error
        // It lost; but where the whole run stops, so does the race.
        scope.interruption.check()
      } finally {
        own[Symbol.dispose]()
      }
    })
  }
  await group.settle()
  return { branch: winner ?? '', result }
}

/** The branch that had won when an earlier process left the race. */
async function winnerOf(ctx: WorkflowContext, step: NodeStep): Promise<string | undefined> {
  const { inline, hash } = step.stored.output
  if (inline === null && hash === null) return undefined
  const noted = (await outputOf(ctx, { ...step, output: undefined })) as JsonObject
  return typeof noted.branch === 'string' ? noted.branch : undefined
}

async function runForEach(
  ctx: WorkflowContext,
  scope: Scope,
  node: Of<'for_each'>,
  path: string,
): Promise<Json> {
  const items = evaluate(scope, path, 'items', node.items)
  if (!Array.isArray(items))
    throw new AppError('expression.failed', `Node "${path}", items: it gives no list.`)
  if (items.length > ITERATIONS_MAX)
    throw new AppError(
      'limit.iterations',
      `Node "${path}" has ${items.length} items; at most ${ITERATIONS_MAX} are allowed.`,
    )
  const results: Json[] = items.map(() => null)
  const group = createGroup(ctx.interruption, scope.interruption)
  let next = 0
  const lane = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const inner = innerScope(
        scope,
        `${path}[${index}].`,
        { item: items[index] as Json, index },
        group.interruption,
      )
      results[index] = await ctx.runBlock(ctx, inner, node.nodes)
    }
  }
  const lanes = Math.min(node.concurrency ?? 1, items.length)
  for (let started = 0; started < lanes; started++) group.start(lane)
  await group.settle()
  return results
}

async function runLoop(ctx: WorkflowContext, scope: Scope, node: Of<'loop'>, path: string): Promise<Json> {
  let previous: Json = null
  for (let index = 0; ; index++) {
    const inner = innerScope(scope, `${path}[${index}].`, { index, previous })
    if (evaluate(inner, path, 'while', node.while) !== true) return previous
    if (index >= node.max)
      throw new AppError(
        'limit.iterations',
        `Node "${path}" would make more than its ${node.max} passes (max).`,
      )
    previous = await ctx.runBlock(ctx, inner, node.nodes)
  }
}
