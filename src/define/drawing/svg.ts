// A workflow as one SVG without anything from elsewhere: read in light and dark, and told to screen readers.

import type { WorkflowDefinition } from '../../contract/workflow.ts'
import {
  LINE_PX,
  layOut,
  PAD_PX,
  type PlacedArrow,
  type PlacedBlock,
  type PlacedNode,
  type Point,
} from './chart-layout.ts'
import { type Chart, type ChartBlock, type NodeStates, workflowChart } from './workflow-chart.ts'

const SAID_MAX = 100

export function workflowSvg(definition: WorkflowDefinition, states?: NodeStates): string {
  const chart = workflowChart(definition, states)
  const whole = layOut(chart)
  const [width, height] = [Math.ceil(whole.width), Math.ceil(whole.height)]
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title desc">
<title id="title">${escaped(`Workflow ${chart.name}`)}</title>
<desc id="desc">${escaped(said(chart))}</desc>
<style>${STYLE}</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>
<rect class="page" width="${width}" height="${height}"/>
${blockSvg(whole, { x: 0, y: 0 })}
</svg>
`
}

const STYLE = `
svg { --page: #ffffff; --ink: #1b1f24; --dim: #57606a; --box: #f6f8fa; --line: #57606a; --inner: #ffffff; --done: #1f7a3d; --running: #1d4fb8; --waiting: #9a6b00; --failed: #b3261e; --undone: #6b3fa0; --skipped: #8c959f }
@media (prefers-color-scheme: dark) { svg { --page: #0d1117; --ink: #e6edf3; --dim: #9da7b3; --box: #161b22; --line: #8b949e; --inner: #0d1117; --done: #56d364; --running: #79a8ff; --waiting: #e3b341; --failed: #ff7b72; --undone: #c297ff; --skipped: #6e7681 } }
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: var(--dim) }
.page { fill: var(--page) }
.id { fill: var(--ink); font-weight: 600 }
.node { fill: var(--box); stroke: var(--line) }
.block { fill: var(--inner); stroke: var(--line); stroke-dasharray: 2 3 }
.arrow { fill: none; stroke: var(--line) }
.error { stroke: var(--failed); stroke-dasharray: 5 4 }
.tip { fill: var(--line) }
.done { stroke: var(--done); stroke-width: 2 }
.running { stroke: var(--running); stroke-width: 2 }
.waiting { stroke: var(--waiting); stroke-width: 2 }
.failed { stroke: var(--failed); stroke-width: 2 }
.undone { stroke: var(--undone); stroke-width: 2 }
.skipped { stroke: var(--skipped); stroke-dasharray: 4 3 }
`

/** A block without its own frame: who holds it draws that. */
function blockSvg(placed: PlacedBlock, at: Point): string {
  return [
    ...placed.arrows.map((arrow) => arrowSvg(arrow, at)),
    ...placed.nodes.map((node) => nodeSvg(node, moved(at, node))),
  ].join('\n')
}

function nodeSvg({ node, texts, width, height, blocks }: PlacedNode, at: Point): string {
  const lines = texts.map((text, index) => {
    const y = px(at.y + PAD_PX + LINE_PX * (index + 0.75))
    return `<text${index === 0 ? ' class="id"' : ''} x="${px(at.x + PAD_PX)}" y="${y}">${escaped(text)}</text>`
  })
  const full = [node.id, ...node.lines].join('\n')
  const box = `<rect class="node${node.state === undefined ? '' : ` ${node.state.state}`}" x="${px(at.x)}" y="${px(at.y)}" width="${px(width)}" height="${px(height)}" rx="6"/>`
  const inner = blocks.map((block) => framedSvg(block, moved(at, block)))
  return `<g id="node-${escaped(node.id)}"><title>${escaped(full)}</title>${box}${lines.join('')}\n${inner.join('\n')}</g>`
}

function framedSvg(block: PlacedBlock, at: Point): string {
  const frame = `<rect class="block" x="${px(at.x)}" y="${px(at.y)}" width="${px(block.width)}" height="${px(block.height)}" rx="4"/>`
  const label =
    block.label === ''
      ? ''
      : `<text x="${px(at.x + PAD_PX)}" y="${px(at.y + PAD_PX + LINE_PX * 0.75)}">${escaped(block.label)}</text>`
  const title = block.block.label === '' ? '' : `<title>${escaped(block.block.label)}</title>`
  return `<g>${title}${frame}${label}\n${blockSvg(block, at)}</g>`
}

function arrowSvg({ on, points }: PlacedArrow, at: Point): string {
  const path = points.map((point, index) => {
    const { x, y } = moved(at, point)
    return `${index === 0 ? 'M' : 'L'}${px(x)} ${px(y)}`
  })
  if (path.length < 2) return ''
  if (on === 'done') return `<path class="arrow" d="${path.join('')}" marker-end="url(#tip)"/>`
  return `<path class="arrow error" d="${path.join('')}" marker-end="url(#tip)"><title>on error</title></path>`
}

function moved(at: Point, { x, y }: Point): Point {
  return { x: at.x + x, y: at.y + y }
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10)
}

/** The order in words. */
function said({ description, block, nodeCount }: Chart): string {
  const sentences: string[] = []
  const visit = ({ nodes, arrows }: ChartBlock): void => {
    const before = Map.groupBy(arrows, ({ to }) => to)
    for (const [place, { id, lines, blocks, state }] of nodes.entries()) {
      if (sentences.length >= SAID_MAX) return
      const after = (before.get(place) ?? []).map(
        ({ from, on }) => `${nodes[from]?.id ?? ''}${on === 'error' ? ' failed' : ''}`,
      )
      const order = after.length === 0 ? '' : `, after ${after.join(' or ')}`
      sentences.push(`${id}: ${lines[0] ?? ''}${order}${state === undefined ? '' : `; ${state.state}`}.`)
      for (const inner of blocks) visit(inner)
    }
  }
  visit(block)
  const more = nodeCount > sentences.length ? [`And ${nodeCount - sentences.length} more.`] : []
  return [
    ...(description === undefined ? [] : [description]),
    `${nodeCount} nodes.`,
    ...sentences,
    ...more,
  ].join(' ')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** As XML 1.0 can say it: what it cannot becomes the replacement character. */
function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML does not allow these.
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
  )
}
