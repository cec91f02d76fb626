// A workflow as the text of a Mermaid flowchart. Names in it are numbers; what the author wrote stands in quotes only.

import type { WorkflowDefinition, WorkflowNode } from '../../contract/workflow.ts'
import {
  type Arrow,
  type ChartBlock,
  type ChartNode,
  type NodeStates,
  workflowChart,
} from './workflow-chart.ts'

const LABEL_CHARS_MAX = 80

export function workflowMermaid(definition: WorkflowDefinition, states?: NodeStates): string {
  const { name, block } = workflowChart(definition, states)
  const lines = ['flowchart TB', `  %% ${name}`, ...blockLines(block, '  ')]
  const inState = statesOf(block)
  for (const [state, names] of inState)
    lines.push(`  classDef ${state} ${STATE_STYLES[state]}`, `  class ${names.join(',')} ${state}`)
  return `${lines.join('\n')}\n`
}

const STATE_STYLES = {
  done: 'fill:#d9f2e0,stroke:#1f7a3d,color:#10331c',
  running: 'fill:#dbe8ff,stroke:#1d4fb8,color:#0d2450',
  waiting: 'fill:#fff1cc,stroke:#9a6b00,color:#3d2b00',
  failed: 'fill:#ffdcdc,stroke:#b3261e,color:#4a0f0b',
  undone: 'fill:#efe3ff,stroke:#6b3fa0,color:#2c1847',
  skipped: 'fill:#eeeeee,stroke:#777777,color:#444444,stroke-dasharray:4 3',
} as const

function blockLines({ nodes, arrows }: ChartBlock, indent: string): string[] {
  return [
    ...nodes.flatMap((node) => nodeLines(node, indent)),
    ...arrows.map((arrow) => `${indent}${arrowText(nodes, arrow)}`),
  ]
}

function nodeLines(node: ChartNode, indent: string): string[] {
  if (node.blocks.length === 0) {
    const [open, close] = SHAPES[node.type]
    return [`${indent}${nameOf(node)}${open}"${labelOf(node)}"${close}`]
  }
  const inner = `${indent}  `
  return [
    `${indent}subgraph ${nameOf(node)} ["${labelOf(node)}"]`,
    `${inner}direction TB`,
    ...node.blocks.flatMap((block, index) =>
      block.label === ''
        ? blockLines(block, inner)
        : [
            `${inner}subgraph ${nameOf(node)}b${index} ["${escaped(block.label)}"]`,
            `${inner}  direction TB`,
            ...blockLines(block, `${inner}  `),
            `${inner}end`,
          ],
    ),
    `${indent}end`,
  ]
}

const SHAPES: Readonly<Record<WorkflowNode['type'], readonly [string, string]>> = {
  agent: ['([', '])'],
  tool: ['[[', ']]'],
  workflow: ['[[', ']]'],
  transform: ['[', ']'],
  wait: ['(', ')'],
  approval: ['{{', '}}'],
  switch: ['[', ']'],
  parallel: ['[', ']'],
  race: ['[', ']'],
  for_each: ['[', ']'],
  loop: ['[', ']'],
}

function arrowText(nodes: readonly ChartNode[], { from, to, on }: Arrow): string {
  const [start, end] = [nodes[from], nodes[to]].map((node) => (node === undefined ? '' : nameOf(node)))
  return on === 'done' ? `${start} --> ${end}` : `${start} -. "on error" .-> ${end}`
}

function nameOf({ number }: ChartNode): string {
  return `n${number}`
}

function labelOf({ id, lines, state }: ChartNode): string {
  const passes = state !== undefined && state.passes > 1 ? ` × ${state.passes}` : ''
  const shown = state === undefined ? lines : [...lines, `${state.state}${passes}`]
  return [id, ...shown].map(escaped).join('<br>')
}

function statesOf(block: ChartBlock): Map<keyof typeof STATE_STYLES, string[]> {
  const found = new Map<keyof typeof STATE_STYLES, string[]>()
  const visit = ({ nodes }: ChartBlock): void => {
    for (const node of nodes) {
      if (node.state !== undefined)
        found.set(node.state.state, [...(found.get(node.state.state) ?? []), nameOf(node)])
      for (const inner of node.blocks) visit(inner)
    }
  }
  visit(block)
  return found
}

/** In quotes, these could end the text, be read as HTML, Markdown or a directive, or begin an escape. */
function escaped(text: string): string {
  const line = text.toWellFormed().replace(/\s+/g, ' ').trim()
  const cut = line.length > LABEL_CHARS_MAX ? `${line.slice(0, LABEL_CHARS_MAX - 1).toWellFormed()}…` : line
  return (
    cut
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out.
      .replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, ' ')
      .replace(/["#&<>`%{};\\*~|$[\]()]/g, (character) => `#${character.charCodeAt(0)};`)
  )
}
