// The order of a workflow's nodes and the blocks inside them: pure facts that checks, the engine and drawings share.

import type { WorkflowNode } from './workflow.ts'

/** A block inside a node. */
export interface InnerBlock {
  /** Below the node, in wire names: `/cases/0/nodes`. */
  readonly path: string
  /** What a reader calls it: the condition of a case, the id of a branch. */
  readonly label: string
  readonly nodes: readonly WorkflowNode[]
}

export function innerBlocks(node: WorkflowNode): readonly InnerBlock[] {
  switch (node.type) {
    case 'agent':
    case 'tool':
    case 'workflow':
    case 'transform':
    case 'wait':
    case 'approval':
      return []
    case 'switch':
      return [
        ...node.cases.map(({ when, nodes }, index) => ({
          path: `/cases/${index}/nodes`,
          label: when,
          nodes,
        })),
        ...(node.else === undefined ? [] : [{ path: '/else', label: 'else', nodes: node.else }]),
      ]
    case 'parallel':
    case 'race':
      return node.branches.map(({ id, nodes }, index) => ({
        path: `/branches/${index}/nodes`,
        label: id,
        nodes,
      }))
    case 'for_each':
      return [{ path: '/nodes', label: `each of ${node.items}`, nodes: node.nodes }]
    case 'loop':
      return [{ path: '/nodes', label: `while ${node.while}`, nodes: node.nodes }]
    default:
      return node satisfies never
  }
}

/** What leads to a node: another one that is done, or one that failed and said `goTo`. */
export interface Lead {
  readonly from: string
  readonly on: 'done' | 'error'
}

/** For each node of a block, by its place, what leads to it. Names that the block does not have are left out. */
export function leadsOf(block: readonly WorkflowNode[]): readonly (readonly Lead[])[] {
  const places = new Map(block.map(({ id }, index) => [id, index]))
  const leads: Lead[][] = block.map((_, index) =>
    afterOf(block, index)
      .filter((from) => places.has(from))
      .map((from) => ({ from, on: 'done' as const })),
  )
  for (const { id, onError } of block) {
    if (typeof onError !== 'object') continue
    const place = places.get(onError.goTo)
    if (place !== undefined) leads[place]?.push({ from: id, on: 'error' })
  }
  return leads
}

/** The nodes that one runs after: those that it names, else the one before it in the list. */
export function afterOf(block: readonly WorkflowNode[], index: number): readonly string[] {
  const before = block[index - 1]
  return block[index]?.after ?? (before === undefined ? [] : [before.id])
}

/** Whether a node of the block can count on another one to have ended before it begins. */
export interface BlockOrder {
  /** A circle of nodes that wait for each other, begun and ended with the same id. Without one, undefined. */
  readonly circle: readonly string[] | undefined
  endsBefore(id: string, other: string): boolean
  /** All that ended before it, in the order of the list. */
  endedBefore(id: string): readonly string[]
}

const WORD_BITS = 32

/** The order of a block. Where it has a circle, only `circle` means something. */
export function blockOrder(block: readonly WorkflowNode[]): BlockOrder {
  const places = new Map(block.map(({ id }, index) => [id, index]))
  const before = leadsOf(block).map((leads) => leads.map(({ from }) => places.get(from) ?? 0))
  const { sorted, circle } = sort(before)
  // One bit for each node: those that end before it.
  const words = Math.ceil(block.length / WORD_BITS)
  const ended = block.map(() => new Uint32Array(words))
  for (const place of sorted) for (const from of before[place] ?? []) include(ended, place, from)
  const has = (place: number, other: number): boolean =>
    (((ended[place]?.[Math.floor(other / WORD_BITS)] ?? 0) >>> (other % WORD_BITS)) & 1) === 1
  return {
    circle: circle?.map((place) => block[place]?.id ?? ''),
    endsBefore: (id, other) => has(places.get(id) ?? -1, places.get(other) ?? -1),
    endedBefore: (id) => block.filter((_, other) => has(places.get(id) ?? -1, other)).map((node) => node.id),
  }
}

function include(ended: readonly Uint32Array[], place: number, from: number): void {
  const mine = ended[place]
  const theirs = ended[from]
  if (mine === undefined || theirs === undefined) return
  for (let word = 0; word < mine.length; word += 1) mine[word] = (mine[word] ?? 0) | (theirs[word] ?? 0)
  const word = Math.floor(from / WORD_BITS)
  mine[word] = (mine[word] ?? 0) | (1 << (from % WORD_BITS))
}

interface Sorted {
  /** Each place after those before it, as far as there is no circle. */
  readonly sorted: readonly number[]
  readonly circle: readonly number[] | undefined
}

function sort(before: readonly (readonly number[])[]): Sorted {
  const next = before.map((): number[] => [])
  const waits = before.map((from) => from.length)
  for (const [place, from] of before.entries()) for (const one of from) next[one]?.push(place)
  const sorted = [...before.keys()].filter((place) => waits[place] === 0)
  // The list grows while it is walked; each place is added once.
  for (const done of sorted) {
    for (const place of next[done] ?? []) {
      waits[place] = (waits[place] ?? 0) - 1
      if (waits[place] === 0) sorted.push(place)
    }
  }
  if (sorted.length === before.length) return { sorted, circle: undefined }
  return { sorted, circle: circleAmong(before, new Set(sorted)) }
}

/** Each place that is left waits for another one that is left, so that walking back comes round. */
function circleAmong(before: readonly (readonly number[])[], sorted: ReadonlySet<number>): number[] {
  const trail: number[] = []
  const seen = new Map<number, number>()
  let place = [...before.keys()].find((one) => !sorted.has(one)) ?? 0
  while (!seen.has(place)) {
    seen.set(place, trail.length)
    trail.push(place)
    place = before[place]?.find((one) => !sorted.has(one)) ?? place
  }
  return [...trail.slice(seen.get(place)), place]
}
