// A workflow as boxes in boxes with arrows between them: what every drawing of it shows.

import { BRANCHES_MAX, type WorkflowDefinition, type WorkflowNode } from '../../contract/workflow.ts'
import { innerBlocks, leadsOf } from '../../contract/workflow-graph.ts'
import type { NodeState } from './node-states.ts'

export interface Chart {
  readonly name: string
  readonly description: string | undefined
  readonly block: ChartBlock
  /** With those inside of others. */
  readonly nodeCount: number
}

export interface ChartBlock {
  /** What the block is of its node, a branch or a case; empty where the node says it. */
  readonly label: string
  readonly nodes: readonly ChartNode[]
  /** Between its nodes, by their place. */
  readonly arrows: readonly Arrow[]
}

export interface ChartNode {
  /** From 0, each once in the chart: what drawings call it. */
  readonly number: number
  readonly id: string
  readonly type: WorkflowNode['type']
  /** What it does, in lines. */
  readonly lines: readonly string[]
  readonly blocks: readonly ChartBlock[]
  readonly state: NodeState | undefined
}

export interface Arrow {
  readonly from: number
  readonly to: number
  readonly on: 'done' | 'error'
}

export type NodeStates = ReadonlyMap<string, NodeState>

/** The chart of a workflow; with the states of a run's nodes, of that run. */
export function workflowChart(definition: WorkflowDefinition, states: NodeStates = new Map()): Chart {
  let numbers = 0
  const chartBlock = (label: string, nodes: readonly WorkflowNode[]): ChartBlock => ({
    label,
    nodes: nodes.map(chartNode),
    arrows: arrowsOf(nodes),
  })
  const chartNode = (node: WorkflowNode): ChartNode => {
    const number = numbers
    numbers += 1
    const isList = node.type === 'for_each' || node.type === 'loop'
    return {
      number,
      id: node.id,
      type: node.type,
      lines: linesOf(node),
      blocks: innerBlocks(node)
        .slice(0, BRANCHES_MAX)
        .map(({ label, nodes }) => chartBlock(isList ? '' : label, nodes)),
      state: states.get(node.id),
    }
  }
  const block = chartBlock('', definition.nodes)
  return { name: definition.name, description: definition.description, block, nodeCount: numbers }
}

function arrowsOf(nodes: readonly WorkflowNode[]): Arrow[] {
  const places = new Map(nodes.map(({ id }, place) => [id, place]))
  return leadsOf(nodes).flatMap((leads, to) =>
    leads.flatMap(({ from, on }) => {
      const place = places.get(from)
      return place === undefined ? [] : [{ from: place, to, on }]
    }),
  )
}

function linesOf(node: WorkflowNode): readonly string[] {
  return [
    work(node),
    ...(node.when === undefined ? [] : [`when ${node.when}`]),
    ...(node.retry === undefined ? [] : [`at most ${node.retry.maxAttempts} attempts`]),
    ...(node.onError === 'continue' ? ['goes on after a failure'] : []),
    ...(node.compensate === undefined ? [] : [`undone by ${work(node.compensate)}`]),
  ]
}

type Worker = WorkflowNode | NonNullable<WorkflowNode['compensate']>

function work(node: Worker): string {
  switch (node.type) {
    case 'agent':
      return `agent ${node.agent}`
    case 'tool':
      return `tool ${node.tool}`
    case 'workflow':
      return `workflow ${node.workflow}`
    case 'transform':
      return node.value
    case 'wait':
      return waitText(node)
    case 'approval':
      return node.approval?.role === undefined ? 'approval' : `approval by ${node.approval.role}`
    case 'switch':
    case 'parallel':
    case 'race':
      return node.type
    case 'for_each':
      return `for each of ${node.items}`
    case 'loop':
      return `while ${node.while}, at most ${node.max} times`
    default:
      return node satisfies never
  }
}

function waitText({ for: time, until, event }: Extract<WorkflowNode, { type: 'wait' }>): string {
  if (event !== undefined) return `wait for event ${event.name}`
  return until === undefined ? `wait for ${time ?? ''}` : `wait until ${until}`
}
