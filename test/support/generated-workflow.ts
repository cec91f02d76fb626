// Workflows for property tests: any tree of blocks, any order of their nodes, expressions over what is known there.

import fc from 'fast-check'
import type { WorkflowDefinition, WorkflowNode } from '../../src/contract/workflow.ts'

/** A node before it has a name and an order. The numbers are choices. */
interface Shape {
  readonly kind: WorkflowNode['type']
  readonly choices: readonly number[]
  readonly blocks: readonly (readonly Shape[])[]
}

const LEAVES: readonly WorkflowNode['type'][] = ['agent', 'tool', 'workflow', 'transform', 'wait', 'approval']
const BLOCKS: readonly WorkflowNode['type'][] = ['switch', 'parallel', 'race', 'for_each', 'loop']
const choices = fc.array(fc.nat({ max: 11 }), { minLength: 8, maxLength: 8 })

const { block } = fc.letrec<{ node: Shape; block: readonly Shape[] }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({ kind: fc.constantFrom(...LEAVES), choices, blocks: fc.constant([]) }),
    fc.record({
      kind: fc.constantFrom(...BLOCKS),
      choices,
      blocks: fc.array(tie('block'), { minLength: 1, maxLength: 3 }),
    }),
  ),
  block: fc.array(tie('node'), { minLength: 1, maxLength: 4 }),
}))

export const generatedWorkflow: fc.Arbitrary<WorkflowDefinition> = block.map((shapes) => {
  let made = 0
  const name = (): string => {
    made += 1
    return `n${made}`
  }
  const nodes = build(shapes, [], name)
  return { name: 'generated', nodes, output: `nodes.${nodes[0]?.id}`, outputSchema: {} }
})

function build(shapes: readonly Shape[], around: readonly string[], name: () => string): WorkflowNode[] {
  const ids = shapes.map(name)
  return shapes.map((shape, place) => {
    const [order = 0, first = 0, second = 0] = shape.choices
    const earlier = ids.slice(0, place)
    const picked = earlier.filter((_, index) => index % 2 === first % 2)
    const after = order % 3 === 0 ? undefined : order % 3 === 1 ? [] : picked
    const known = [...around, ...(after ?? earlier.slice(-1))]
    const later = ids.slice(place + 1)
    const goTo = later[second % Math.max(1, later.length)]
    return node(shape, { id: ids[place] ?? '', after, goTo, known, name })
  })
}

interface Place {
  readonly id: string
  readonly after: string[] | undefined
  readonly goTo: string | undefined
  readonly known: readonly string[]
  readonly name: () => string
}

function node(shape: Shape, { id, after, goTo, known, name }: Place): WorkflowNode {
  const [, , third = 0, fourth = 0, fifth = 0, sixth = 0] = shape.choices
  const read = known[third % Math.max(1, known.length)]
  const expression = read === undefined ? '{"text": input}' : `has(nodes.${read}) ? nodes["${read}"] : input`
  const shared = {
    id,
    ...(after && { after }),
    ...(fourth % 3 === 0 && { when: `run.id != "" && has(input.${id})` }),
    ...(fifth % 4 === 0 && {
      retry: { maxAttempts: 3, backoff: '1s', maxBackoff: '5m', factor: 2, on: ['tool.failed'] },
    }),
    ...(fifth % 4 === 1 && { timeout: { run: '90s' } }),
    ...(sixth % 4 === 0 && { onError: 'continue' as const }),
    ...(sixth % 4 === 1 && goTo !== undefined && { onError: { goTo } }),
    ...(sixth % 4 === 2 && {
      compensate: { type: 'tool' as const, tool: 'undo', input: `[result, nodes.${id}]` },
    }),
  }
  const blocks = shape.blocks.map((inner) => build(inner, known, name))
  const [first = [], ...others] = blocks
  const branches = blocks.map((nodes, index) => ({ id: `b${index}`, nodes }))
  switch (shape.kind) {
    case 'agent':
      return { ...shared, type: 'agent', agent: 'guide', input: expression }
    case 'tool':
      return { ...shared, type: 'tool', tool: 'look', input: expression }
    case 'workflow':
      return { ...shared, type: 'workflow', workflow: 'other', input: expression }
    case 'transform':
      return { ...shared, type: 'transform', value: expression }
    case 'wait':
      return {
        ...shared,
        type: 'wait',
        event: { name: 'order.paid', correlation: 'string(input)', timeout: '36h' },
      }
    case 'approval':
      return {
        ...shared,
        type: 'approval',
        input: expression,
        approval: { role: 'ADMIN', expiresAfter: '7d' },
      }
    case 'switch':
      return {
        ...shared,
        type: 'switch',
        cases: [{ when: 'input == 1', nodes: first }],
        ...(others[0] && { else: others.flat() }),
      }
    case 'parallel':
      return { ...shared, type: 'parallel', branches }
    case 'race':
      return { ...shared, type: 'race', branches }
    case 'for_each':
      return { ...shared, type: 'for_each', items: '[1, 2]', concurrency: 2, nodes: first }
    case 'loop':
      return { ...shared, type: 'loop', while: 'index < 3 && previous == null', max: 9, nodes: first }
    default:
      return shape.kind satisfies never
  }
}
