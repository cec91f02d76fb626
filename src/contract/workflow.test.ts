// The form of a workflow on the wire: nested blocks renamed and judged at every depth, and never slowly.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { generatedWorkflow } from '../../test/support/generated-workflow.ts'
import type { Json } from '../base/json.ts'
import { codecOf } from './codec.ts'
import { durationMs } from './duration.ts'
import { workflowDefinition } from './workflow.ts'

const codec = codecOf(workflowDefinition)
const decode = (...nodes: Json[]) => codec.decode({ name: 'flow', nodes })
const pathsOf = (...nodes: Json[]): readonly string[] => {
  const decoded = decode(...nodes)
  return decoded.ok ? [] : decoded.errors.map(({ path }) => path)
}
const transform = (id: string, more: Json = {}): Json => ({
  id,
  type: 'transform',
  value: 'input',
  ...(more as object),
})
const loop = (id: string, ...nodes: Json[]): Json => ({ id, type: 'loop', while: 'true', max: 1, nodes })

describe('a workflow on the wire', () => {
  it('comes back as it was sent', () => {
    fc.assert(
      fc.property(generatedWorkflow, (definition) => {
        const decoded = codec.decode(codec.encode(definition))
        assert.ok(decoded.ok)
        assert.deepEqual(decoded.value, definition)
        assert.deepEqual(codec.read(codec.encode(definition)), definition)
      }),
      { numRuns: 100 },
    )
  })

  it('has snake_case in blocks of blocks', () => {
    const inner = {
      ...(transform('b', {
        on_error: { go_to: 'c' },
        retry: { max_attempts: 2, max_backoff: '5m', backoff: '1s' },
      }) as object),
      compensate: { type: 'workflow', workflow: 'undo', input: 'result' },
    }
    const approval = {
      id: 'd',
      type: 'approval',
      input: '1',
      approval: { expires_after: '1h', on_expiry: 'approve' },
    }
    const wire = {
      id: 'a',
      type: 'for_each',
      items: '[1]',
      nodes: [
        { id: 'p', type: 'parallel', branches: [{ id: 'one', nodes: [inner, transform('c')] }] },
        approval,
      ],
    }
    const decoded = decode(wire)
    assert.ok(decoded.ok)
    const [forEach] = decoded.value.nodes
    assert.ok(forEach?.type === 'for_each')
    const [parallel, asked] = forEach.nodes
    assert.ok(parallel?.type === 'parallel' && asked?.type === 'approval')
    assert.deepEqual(asked.approval, { expiresAfter: '1h', onExpiry: 'approve' })
    assert.deepEqual(parallel.branches[0]?.nodes[0]?.onError, { goTo: 'c' })
    assert.equal(parallel.branches[0]?.nodes[0]?.retry?.maxBackoff, '5m')
    assert.deepEqual(codec.encode(decoded.value), { name: 'flow', nodes: [wire] })
  })

  it('tells each wrong field deep inside by its place', () => {
    assert.deepEqual(pathsOf(loop('a', loop('b', transform('C'), transform('d', { onError: 'fail' })))), [
      '/nodes/0/nodes/0/nodes/1/onError',
      '/nodes/0/nodes/0/nodes/0/id',
    ])
    assert.deepEqual(pathsOf(loop('a', { id: 'b', type: 'teleport' })), ['/nodes/0/nodes/0/type'])
    assert.deepEqual(pathsOf(loop('a', transform('b', { on_error: { go_to: 'X' } }))), [
      '/nodes/0/nodes/0/on_error/go_to',
    ])
    assert.deepEqual(pathsOf(loop('a', transform('b', { retry: { max_attempts: 0, backoff: 'soon' } }))), [
      '/nodes/0/nodes/0/retry/max_attempts',
      '/nodes/0/nodes/0/retry/backoff',
    ])
    assert.deepEqual(
      pathsOf({
        id: 's',
        type: 'switch',
        cases: [{ when: '', nodes: [] }],
        else: [transform('b', { value: 1 })],
      }),
      ['/nodes/0/cases/0/when', '/nodes/0/cases/0/nodes', '/nodes/0/else/0/value'],
    )
  })

  it('is judged with a work that grows with its size, wide or deep', () => {
    const wide = Array.from({ length: 2_000 }, (_, index) => transform(`n${index}`))
    assert.ok(decode(...wide).ok)
    assert.equal(pathsOf(...wide.slice(1), transform('WRONG')).length, 1)
    let deep = transform('WRONG')
    let touched = 0
    for (let depth = 0; depth < 64; depth += 1) {
      const inner = deep
      deep = {
        id: `d${depth}`,
        type: 'loop',
        while: 'true',
        max: 1,
        get nodes() {
          touched += 1
          return [inner]
        },
      }
    }
    assert.deepEqual(pathsOf(deep), [`/nodes/0${'/nodes/0'.repeat(64)}/id`])
    // Each level is read a few times, never once for each way to it.
    assert.ok(touched < 64 * 10, String(touched))
  })
})

describe('durations', () => {
  it('are a number and a unit', () => {
    assert.deepEqual(
      ['500ms', '90s', '15m', '36h', '7d'].map(durationMs),
      [500, 90_000, 900_000, 129_600_000, 604_800_000],
    )
    for (const text of ['', '1', '1.5s', '-1s', '1 s', '1w', '9999999999s'])
      assert.throws(() => durationMs(text))
    assert.deepEqual(pathsOf({ id: 'a', type: 'wait', for: '3654d' }), ['/nodes/0/for'])
    assert.deepEqual(pathsOf({ id: 'a', type: 'wait', for: '3653d' }), [])
    assert.deepEqual(pathsOf({ id: 'a', type: 'wait', for: 'tomorrow' }), ['/nodes/0/for'])
  })
})
