import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createTestWorld } from '../test-world.ts'

const YAML = `
name: order
nodes:
  - id: check
    type: parallel
    branches:
      - id: stock
        nodes:
          - { id: look, type: transform, value: input.items, on_error: { go_to: sorry } }
          - { id: fine, type: transform, value: nodes.look }
          - { id: sorry, type: transform, value: "'none'", after: [] }
      - id: money
        nodes:
          - id: every
            type: for_each
            items: input.items
            nodes: [{ id: price, type: transform, value: item.price }]
  - id: paid
    type: wait
    event: { name: order.paid, timeout: 7d }
`

describe('workflow', () => {
  it('visualize draws a file, as text and as an SVG', async () => {
    using world = createTestWorld()
    writeFileSync(join(world.folder, 'order.yaml'), YAML)
    const text = await world.run(['workflow', 'visualize', 'order.yaml'])
    assert.equal(text.code, 0, text.err)
    assert.match(text.out, /^flowchart TB\n {2}%% order\n/)
    assert.equal((await world.run(['workflow', 'visualize', '-'], { stdin: YAML })).out, text.out)
    const json = await world.run(['workflow', 'visualize', 'order.yaml', '--json'])
    assert.deepEqual(json.json(), { format: 'mermaid', text: text.out })
    const written = await world.run(['workflow', 'visualize', 'order.yaml', '--output', 'order.svg'])
    assert.deepEqual([written.code, written.out, written.err], [0, '', 'Wrote order.svg.\n'])
    const svg = await world.run(['workflow', 'visualize', 'order.yaml', '--format', 'svg'])
    assert.equal(readFileSync(join(world.folder, 'order.svg'), 'utf8'), svg.out)
    assert.match(svg.out, /^<svg [\s\S]*<g id="node-price">/)
  })

  it('visualize says what is wrong with what it was given', async () => {
    using world = createTestWorld()
    writeFileSync(join(world.folder, 'wrong.yaml'), YAML.replace('go_to: sorry', 'go_to: Sorry'))
    const fails = async (code: number, message: RegExp, ...args: string[]) => {
      const ran = await world.run(['workflow', 'visualize', ...args])
      assert.deepEqual([ran.code, ran.out], [code, ''], ran.err)
      assert.match(ran.err, message)
    }
    await fails(2, /Name a workflow or a file/)
    await fails(2, /no-such.yaml cannot be read/, 'no-such.yaml')
    await fails(2, /Give --run alone/, 'order', '--run', 'run_1')
    await fails(2, /A file has no versions/, 'order.yaml', '--version', '1')
    const wrong = await world.run(['workflow', 'visualize', 'wrong.yaml'])
    assert.notEqual(wrong.code, 0)
    assert.match(wrong.err, /\/nodes\/0\/branches\/0\/nodes\/0\/on_error\/go_to/)
  })

  it('takes nested definitions, tells every error when publishing, and draws what is stored', async () => {
    using world = createTestWorld()
    const stored = YAML.replace('nodes.look', 'nodes.price')
    const refused = await world.run(['workflow', 'create', '-', '--publish'], { stdin: stored })
    assert.notEqual(refused.code, 0)
    assert.match(refused.err, /\/nodes\/0\/branches\/0\/nodes\/1\/value[^\n]*"every"/)
    const made = await world.run(['workflow', 'create', '-', '--publish'], { stdin: YAML })
    assert.equal(made.code, 0, made.err)
    const drawn = await world.run(['workflow', 'visualize', 'order', '--version', '1'])
    assert.equal(drawn.out, (await world.run(['workflow', 'visualize', '-'], { stdin: YAML })).out)
    const back = await world.run(['workflow', 'get', 'order', '--definition'])
    assert.match(back.out, /go_to: sorry/)
  })

  it('visualize --run shows what became of each node', async () => {
    using world = createTestWorld()
    const flow = `
name: flow
nodes:
  - { id: every, type: for_each, items: '[1, 2]', nodes: [{ id: one, type: transform, value: item }] }
  - { id: breaks, type: transform, value: nodes.every.nothing, on_error: { go_to: handler } }
  - { id: never, type: transform, value: nodes.breaks }
  - { id: handler, type: transform, value: nodes.breaks.error.code, after: [] }
`
    const made = await world.run(['workflow', 'create', '-', '--publish'], { stdin: flow })
    assert.equal(made.code, 0, made.err)
    const ran = await world.run(['workflow', 'run', 'flow', '--json'])
    assert.equal(ran.code, 0, ran.err)
    const { id, output } = ran.json() as { id: string; output: unknown }
    assert.equal(output, 'expression.failed')
    const drawn = await world.run(['workflow', 'visualize', '--run', id])
    assert.equal(drawn.code, 0, drawn.err)
    for (const shown of [
      'one<br>item<br>done × 2',
      'breaks<br>nodes.every.nothing<br>failed',
      'never<br>nodes.breaks<br>skipped',
      'handler<br>nodes.breaks.error.code<br>done',
    ])
      assert.ok(drawn.out.includes(shown), drawn.out)
  })
})
