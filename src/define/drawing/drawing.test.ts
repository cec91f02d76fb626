// Drawings of workflows: what an author writes stays text, every node is there once, and nothing overlaps.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { generatedWorkflow } from '../../../test/support/generated-workflow.ts'
import type { WorkflowDefinition, WorkflowNode } from '../../contract/workflow.ts'
import { innerBlocks } from '../../contract/workflow-graph.ts'
import { BENT_ARROWS_MAX, layOut, type PlacedBlock } from './chart-layout.ts'
import { workflowMermaid } from './mermaid.ts'
import { nodeStates } from './node-states.ts'
import { workflowSvg } from './svg.ts'
import { workflowChart } from './workflow-chart.ts'

const HOSTILE =
  'a"]; click n0 call evil() %%{init: {"securityLevel": "loose"}}%% end\nsubgraph <script>alert(1)</script> `x` #quot; & \u0001\u202e\ud800'

const hostile: WorkflowDefinition = {
  name: 'flow',
  description: `]]> ${HOSTILE}`,
  nodes: [
    {
      id: 'first',
      type: 'switch',
      cases: [{ when: HOSTILE, nodes: [{ id: 'end', type: 'transform', value: HOSTILE }] }],
      else: [{ id: 'graph', type: 'wait', event: { name: HOSTILE } }],
      when: HOSTILE,
      onError: { goTo: 'sorry' },
    },
    { id: 'second', type: 'transform', value: 'nodes.first' },
    { id: 'sorry', type: 'transform', value: '1', after: [] },
  ],
}

const idsOf = (nodes: readonly WorkflowNode[]): string[] =>
  nodes.flatMap((node) => [node.id, ...innerBlocks(node).flatMap((block) => idsOf(block.nodes))])

describe('a workflow in Mermaid', () => {
  it('has lines of known forms only, whatever is written in it', () => {
    const label = '"(?:[^"#%<>`{};&]|<br>|#\\d+;)*"'
    const forms = new RegExp(
      [
        'flowchart TB',
        ' *%% [a-z0-9-]+',
        ' *direction TB',
        ' *end',
        ` *subgraph n\\d+(b\\d+)? \\[${label}\\]`,
        ` *n\\d+(?:\\(\\[|\\[\\[|\\[|\\(|\\{\\{)${label}(?:\\]\\)|\\]\\]|\\]|\\)|\\}\\})`,
        ' *n\\d+ --> n\\d+',
        ' *n\\d+ -\\. "on error" \\.-> n\\d+',
        ' *classDef [a-z]+ [a-z0-9:#,; -]+',
        ' *class n\\d+(?:,n\\d+)* [a-z]+',
      ]
        .map((form) => `^${form}$`)
        .join('|'),
    )
    const check = (definition: WorkflowDefinition) => {
      for (const line of workflowMermaid(definition).trimEnd().split('\n')) assert.match(line, forms)
    }
    check(hostile)
    fc.assert(fc.property(generatedWorkflow, check), { numRuns: 50 })
  })

  it('shows order, branches and what happens on errors', () => {
    const lines = workflowMermaid(hostile).split('\n')
    assert.ok(lines.includes('  n0 --> n3'))
    assert.ok(lines.includes('  n0 -. "on error" .-> n4'))
    assert.ok(lines.some((line) => /subgraph n0b1 \["else"\]/.test(line)))
    assert.equal(lines.filter((line) => line.trim() === 'end').length, 3)
  })

  it('has every node once', () => {
    fc.assert(
      fc.property(generatedWorkflow, (definition) => {
        const text = workflowMermaid(definition)
        for (const id of idsOf(definition.nodes))
          assert.equal(text.match(new RegExp(`"${id}(?:<br>|")`, 'g'))?.length, 1, id)
      }),
      { numRuns: 50 },
    )
  })
})

describe('a workflow in SVG', () => {
  it('is well-formed XML with every node once, whatever is written in it', () => {
    const check = (definition: WorkflowDefinition) => {
      const ids = elementsOf(workflowSvg(definition)).flatMap(({ attributes }) => attributes.get('id') ?? [])
      const nodes = ids.filter((id) => id.startsWith('node-')).map((id) => id.slice('node-'.length))
      assert.deepEqual(nodes, idsOf(definition.nodes))
      assert.equal(new Set(ids).size, ids.length)
    }
    check(hostile)
    fc.assert(fc.property(generatedWorkflow, check), { numRuns: 50 })
  })

  it('brings nothing in and runs nothing', () => {
    const names = new Set(elementsOf(workflowSvg(hostile)).map(({ name }) => name))
    const allowed = ['svg', 'title', 'desc', 'style', 'defs', 'marker', 'path', 'rect', 'g', 'text']
    assert.deepEqual([...names].toSorted(), allowed.toSorted())
    for (const { attributes } of elementsOf(workflowSvg(hostile)))
      for (const name of attributes.keys()) assert.ok(!/^on|href|src/.test(name), name)
  })

  it('is told to screen readers and read in light and dark', () => {
    const svg = workflowSvg(hostile)
    assert.match(svg, /role="img" aria-labelledby="title desc"/)
    assert.match(svg, /<title id="title">Workflow flow<\/title>/)
    assert.match(
      svg,
      /<desc id="desc">[^<]*second: nodes\.first, after first\. sorry: 1, after first failed\./,
    )
    assert.match(svg, /prefers-color-scheme: dark/)
    assert.match(svg, /class="arrow error"/)
  })

  it('has boxes that do not overlap and lie within what they are in', () => {
    fc.assert(
      fc.property(generatedWorkflow, (definition) => checkBoxes(layOut(workflowChart(definition)))),
      { numRuns: 100 },
    )
  })

  it('lays out each node once, and bends no more arrows than it can in time', () => {
    const nodes = Array.from({ length: 500 }, (_, index): WorkflowNode => {
      const after = [`n${index - 1}`, `n${Math.floor(index / 2)}`, `n${index - 7}`]
      return {
        id: `n${index}`,
        type: 'transform',
        value: 'input',
        after: [...new Set(after)].filter((id) => !id.includes('-') && id !== `n${index}`),
      }
    })
    const chart = workflowChart({ name: 'flow', nodes })
    assert.ok(chart.block.arrows.length > BENT_ARROWS_MAX)
    const placed = layOut(chart)
    checkBoxes(placed)
    assert.equal(placed.nodes.length, 500)
    // Straight: from one box to the other, downwards.
    for (const { points } of placed.arrows) {
      assert.equal(points.length, 2)
      assert.ok((points[0]?.y ?? 0) < (points[1]?.y ?? 0))
    }
    checkBoxes(layOut(workflowChart({ name: 'flow', nodes: nodes.slice(0, 60) })))
  })
})

describe('the nodes of a run', () => {
  const step = (
    seq: number,
    path: string | null,
    state: 'done' | 'failed' | 'waiting' | 'intended' | 'skipped',
  ) => ({
    seq,
    path,
    state,
  })

  it('have the state of the last attempt, and of several passes the one that matters most', () => {
    const states = nodeStates([
      step(1, null, 'done'),
      step(3, 'a', 'done'),
      step(2, 'a', 'failed'),
      step(4, 'each[0].b', 'done'),
      step(5, 'each[1].b', 'failed'),
      step(6, 'each[2].b', 'waiting'),
      step(7, 'each[0].loop[4].c', 'intended'),
      step(8, 'd', 'skipped'),
      step(9, 'route.else.e', 'done'),
      step(10, 'route.else.e!undo', 'done'),
    ])
    assert.deepEqual(Object.fromEntries(states), {
      a: { state: 'done', passes: 1 },
      b: { state: 'failed', passes: 3 },
      c: { state: 'running', passes: 1 },
      d: { state: 'skipped', passes: 1 },
      e: { state: 'undone', passes: 1 },
    })
  })

  it('are shown in words, not in colour only', () => {
    const states = nodeStates([step(1, 'first', 'done'), step(2, 'end', 'failed')])
    const text = workflowMermaid(hostile, states)
    for (const shown of ['<br>done"]', '  class n0 done', '  class n1 failed'])
      assert.ok(text.includes(shown), shown)
    const svg = workflowSvg(hostile, states)
    assert.match(svg, /class="node done"/)
    assert.match(svg, />failed<\/text>/)
  })
})

function checkBoxes(block: PlacedBlock): void {
  const inside = (
    outer: { width: number; height: number },
    box: { x: number; y: number; width: number; height: number },
  ) =>
    assert.ok(
      box.x >= 0 &&
        box.y >= 0 &&
        box.x + box.width <= outer.width + 0.01 &&
        box.y + box.height <= outer.height + 0.01,
    )
  apart(block.nodes)
  for (const node of block.nodes) {
    inside(block, node)
    apart(node.blocks)
    for (const inner of node.blocks) {
      inside(node, inner)
      checkBoxes(inner)
    }
  }
}

function apart(boxes: readonly { x: number; y: number; width: number; height: number }[]): void {
  for (const [index, one] of boxes.entries())
    for (const other of boxes.slice(index + 1))
      assert.ok(
        one.x + one.width <= other.x + 0.01 ||
          other.x + other.width <= one.x + 0.01 ||
          one.y + one.height <= other.y + 0.01 ||
          other.y + other.height <= one.y + 0.01,
      )
}

interface Element {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
}

/** The elements of an XML text in order. Throws where it is not well-formed: XML 1.0 without DOCTYPE, CDATA and comments. */
function elementsOf(xml: string): Element[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML does not allow.
  assert.doesNotMatch(xml, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/)
  assert.ok(xml.isWellFormed())
  const open: string[] = []
  const elements: Element[] = []
  const text = xml.trimEnd()
  const token =
    /<(\/?)([a-z]+)((?: [a-zA-Z:-]+="[^"<&]*(?:&(?:amp|lt|gt|quot|#39);[^"<&]*)*")*)(\/?)>|([^<>&]|&(?:amp|lt|gt|quot|#39);)+/y
  while (token.lastIndex < text.length) {
    const from = token.lastIndex
    const found = token.exec(text)
    assert.ok(found, `not XML: ${text.slice(from, from + 60)}`)
    const [, close, name, attributes = '', empty] = found
    if (name === undefined) continue
    if (close === '/') assert.equal(open.pop(), name)
    else {
      const pairs = [...attributes.matchAll(/ ([a-zA-Z:-]+)="([^"]*)"/g)].map(
        ([, key = '', value = '']) => [key, value] as const,
      )
      assert.equal(new Set(pairs.map(([key]) => key)).size, pairs.length)
      elements.push({ name, attributes: new Map(pairs) })
      if (empty !== '/') open.push(name)
    }
    if (token.lastIndex < text.length) assert.ok(open.length > 0, 'more than one root')
  }
  assert.deepEqual(open, [])
  return elements
}
