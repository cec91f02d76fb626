// Where the boxes of a chart stand. Each block is laid out by itself, inside first, so that nothing can overlap.

import { layout as dagre, Graph } from '@dagrejs/dagre'
import type { Arrow, Chart, ChartBlock, ChartNode } from './workflow-chart.ts'

export const CHAR_PX = 7.3
export const LINE_PX = 17
export const PAD_PX = 12
const GAP_PX = 28
const LEAF_CHARS_MAX = 38
const LEAF_WIDTH_MIN_PX = 120
const LABEL_PX = 24
/** Blocks of a node stand beside each other up to this width, then below. */
const ROW_PX = 1_600
/** Above this, the arrows of a block are not bent around its boxes: to do so takes too long. */
export const BENT_ARROWS_MAX = 600

export interface Point {
  readonly x: number
  readonly y: number
}
interface Size {
  readonly width: number
  readonly height: number
}
/** From its upper left corner, within what it is in. */
type Placed = Point & Size

export interface PlacedNode extends Placed {
  readonly node: ChartNode
  readonly texts: readonly string[]
  readonly blocks: readonly PlacedBlock[]
}
export interface PlacedArrow {
  readonly on: Arrow['on']
  readonly points: readonly Point[]
}
export interface PlacedBlock extends Placed {
  readonly block: ChartBlock
  readonly label: string
  readonly nodes: readonly PlacedNode[]
  readonly arrows: readonly PlacedArrow[]
}

export function layOut({ block }: Chart): PlacedBlock {
  return { ...placeBlock(block), x: 0, y: 0 }
}

function placeBlock(block: ChartBlock): Omit<PlacedBlock, 'x' | 'y'> {
  const sized = block.nodes.map(sizeNode)
  const label = cut(block.label)
  const top = label === '' ? PAD_PX : PAD_PX + LABEL_PX
  const order = block.arrows.length > BENT_ARROWS_MAX ? placeByRank(block, sized) : placeByDagre(block, sized)
  const move = ({ x, y }: Point): Point => ({ x: x + PAD_PX, y: y + top })
  return {
    block,
    label,
    width: Math.max(order.width + 2 * PAD_PX, label.length * CHAR_PX + 2 * PAD_PX),
    height: order.height + top + PAD_PX,
    nodes: sized.map((node, index) => ({ ...node, ...move(order.corners[index] ?? { x: 0, y: 0 }) })),
    arrows: order.arrows.map(({ on, points }) => ({ on, points: points.map(move) })),
  }
}

function sizeNode(node: ChartNode): Omit<PlacedNode, 'x' | 'y'> {
  const state = node.state === undefined ? [] : [stateText(node.state)]
  const texts = [node.id, ...node.lines, ...state].map(cut)
  const head = {
    width: Math.max(LEAF_WIDTH_MIN_PX, ...texts.map((text) => text.length * CHAR_PX + 2 * PAD_PX)),
    height: texts.length * LINE_PX + 2 * PAD_PX,
  }
  const rows = inRows(node.blocks.map(placeBlock), head.height)
  return {
    node,
    texts,
    blocks: rows.blocks,
    width: Math.max(head.width, rows.width),
    height: Math.max(head.height, rows.height),
  }
}

function stateText({ state, passes }: NonNullable<ChartNode['state']>): string {
  return passes > 1 ? `${state} × ${passes}` : state
}

/** Blocks beside each other, row after row, below the text of their node. */
function inRows(blocks: readonly Omit<PlacedBlock, 'x' | 'y'>[], top: number) {
  const placed: PlacedBlock[] = []
  let [x, y, rowHeight, width] = [PAD_PX, top, 0, 0]
  for (const block of blocks) {
    if (x > PAD_PX && x + block.width > ROW_PX) {
      y += rowHeight + PAD_PX
      x = PAD_PX
      rowHeight = 0
    }
    placed.push({ ...block, x, y })
    x += block.width + PAD_PX
    width = Math.max(width, x)
    rowHeight = Math.max(rowHeight, block.height)
  }
  return { blocks: placed, width, height: blocks.length === 0 ? 0 : y + rowHeight + PAD_PX }
}

interface Order extends Size {
  readonly corners: readonly Point[]
  readonly arrows: readonly PlacedArrow[]
}

function placeByDagre({ arrows }: ChartBlock, sizes: readonly Size[]): Order {
  const graph = new Graph({ multigraph: true })
  graph.setGraph({ rankdir: 'TB', nodesep: GAP_PX, ranksep: GAP_PX, ranker: 'tight-tree' })
  for (const [index, { width, height }] of sizes.entries()) graph.setNode(String(index), { width, height })
  for (const { from, to, on } of arrows)
    graph.setEdge(String(from), String(to), { weight: on === 'done' ? 2 : 1 }, on)
  dagre(graph)
  const { width = 0, height = 0 } = graph.graph() as Partial<Size>
  const corners = sizes.map((size, index) => {
    const { x = 0, y = 0 } = graph.node(String(index)) as Partial<Point>
    return { x: x - size.width / 2, y: y - size.height / 2 }
  })
  const placed = arrows.map(({ from, to, on }) => {
    const edge = graph.edge(String(from), String(to), on) as
      | { readonly points?: readonly Point[] }
      | undefined
    return { on, points: edge?.points ?? [] }
  })
  return { width, height, corners, arrows: placed }
}

/** Each node one row below the last of those before it; its order in the row is that of the list. */
function placeByRank({ arrows }: ChartBlock, sizes: readonly Size[]): Order {
  const ranks = ranksOf(sizes.length, arrows)
  const rows = Map.groupBy(sizes.keys(), (index) => ranks[index] ?? 0)
  const corners: Point[] = []
  let [y, width] = [0, 0]
  for (const [, row] of [...rows].sort(([a], [b]) => a - b)) {
    let x = 0
    for (const index of row) {
      corners[index] = { x, y }
      x += (sizes[index]?.width ?? 0) + GAP_PX
    }
    width = Math.max(width, x - GAP_PX)
    y += Math.max(...row.map((index) => sizes[index]?.height ?? 0)) + GAP_PX
  }
  const placed = arrows.map(({ from, to, on }) => ({
    on,
    points: [below(corners[from], sizes[from], 1), below(corners[to], sizes[to], 0)],
  }))
  return { width, height: y - GAP_PX, corners, arrows: placed }
}

/** The middle of the upper (0) or the lower (1) side. */
function below(corner: Point = { x: 0, y: 0 }, size: Size = { width: 0, height: 0 }, side: 0 | 1): Point {
  return { x: corner.x + size.width / 2, y: corner.y + side * size.height }
}

function ranksOf(count: number, arrows: readonly Arrow[]): readonly number[] {
  const ranks = new Array<number>(count).fill(0)
  const waits = new Array<number>(count).fill(0)
  const next = Array.from({ length: count }, (): number[] => [])
  for (const { from, to } of arrows) {
    waits[to] = (waits[to] ?? 0) + 1
    next[from]?.push(to)
  }
  // The list grows while it is walked; what is in a circle stays in the first row.
  const ready = [...ranks.keys()].filter((index) => waits[index] === 0)
  for (const from of ready) {
    for (const to of next[from] ?? []) {
      ranks[to] = Math.max(ranks[to] ?? 0, (ranks[from] ?? 0) + 1)
      waits[to] = (waits[to] ?? 0) - 1
      if (waits[to] === 0) ready.push(to)
    }
  }
  return ranks
}

function cut(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > LEAF_CHARS_MAX ? `${line.slice(0, LEAF_CHARS_MAX - 1)}…` : line
}
