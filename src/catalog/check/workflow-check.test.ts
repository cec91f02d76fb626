// What workflows mean: each rule with a workflow that breaks it, and one that does not.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { generatedWorkflow } from '../../../test/support/generated-workflow.ts'
import type { FieldError } from '../../base/errors.ts'
import type { ApprovalPolicy } from '../../contract/approval.ts'
import {
  type RetryPolicy,
  WORKFLOW_DEPTH_MAX,
  WORKFLOW_NODES_MAX,
  type WorkflowDefinition,
  type WorkflowNode,
} from '../../contract/workflow.ts'
import { CHECKS } from '../catalog-bench.test.ts'
import { workflowErrors } from './workflow-check.ts'

type More = Partial<Omit<Extract<WorkflowNode, { type: 'transform' }>, 'id' | 'type'>>

const transform = (id: string, more: More = {}): WorkflowNode => ({
  id,
  type: 'transform',
  value: 'input',
  ...more,
})
const after = (id: string, ...names: string[]): WorkflowNode => transform(id, { after: names })
const reads = (id: string, value: string, more: More = {}): WorkflowNode => transform(id, { ...more, value })
const each = (id: string, ...nodes: WorkflowNode[]): WorkflowNode => ({
  id,
  type: 'for_each',
  items: '[1]',
  nodes,
})
const loop = (id: string, ...nodes: WorkflowNode[]): WorkflowNode => ({
  id,
  type: 'loop',
  while: 'index < 2',
  max: 3,
  nodes,
})
const both = (id: string, one: WorkflowNode[], two: WorkflowNode[]): WorkflowNode => ({
  id,
  type: 'parallel',
  branches: [
    { id: 'one', nodes: one },
    { id: 'two', nodes: two },
  ],
})

const errorsOf = (nodes: WorkflowNode[], more: Partial<WorkflowDefinition> = {}): readonly FieldError[] =>
  workflowErrors(CHECKS, { name: 'flow', nodes, ...more })
const pathsOf = (nodes: WorkflowNode[], more: Partial<WorkflowDefinition> = {}): readonly string[] =>
  errorsOf(nodes, more).map(({ path }) => path)
const messageOf = (nodes: WorkflowNode[]): string => {
  const errors = errorsOf(nodes)
  assert.equal(errors.length, 1, JSON.stringify(errors))
  return errors[0]?.message ?? ''
}

describe('a workflow', () => {
  it('may be anything that the rules allow', () => {
    fc.assert(
      fc.property(generatedWorkflow, (definition) =>
        assert.deepEqual(workflowErrors(CHECKS, definition), []),
      ),
      { numRuns: 200 },
    )
  })

  it('tells every error at once', () => {
    const nodes = [transform('a'), after('a', 'x'), reads('b', '1 +'), each('c', reads('d', 'nodes.e'))]
    assert.deepEqual(pathsOf(nodes, { inputSchema: { type: 1 }, outputSchema: { type: 2 }, output: 'env' }), [
      '/input_schema/type',
      '/output_schema/type',
      '/nodes/1/id',
      '/nodes/1/after/0',
      '/nodes/2/value',
      '/nodes/3/nodes/0/value',
      '/output',
    ])
  })

  it('has ids that stand once in all of its blocks', () => {
    assert.deepEqual(errorsOf([transform('a'), both('b', [transform('c')], [transform('a')])]), [
      {
        path: '/nodes/1/branches/1/nodes/0/id',
        message: 'is the id of /nodes/0 too; each node of a workflow needs its own',
      },
    ])
  })

  it('has nodes that come after nodes of the same block, each named once', () => {
    assert.deepEqual(pathsOf([after('a'), after('b'), after('c', 'a', 'b')]), [])
    assert.deepEqual(pathsOf([transform('a'), after('b', 'a', 'x', 'a')]), [
      '/nodes/1/after/1',
      '/nodes/1/after/2',
    ])
    assert.match(
      messageOf([transform('a'), each('b', after('c', 'a'))]),
      /"a", which is a node of another block/,
    )
  })

  it('has no circle, and the error names it', () => {
    assert.deepEqual(
      errorsOf([after('s'), after('a', 's', 'c'), after('b', 'a'), after('c', 'b'), after('m', 'm')]),
      [
        {
          path: '/nodes/1/after',
          message: 'closes a circle of nodes that wait for each other: a → c → b → a',
        },
      ],
    )
    assert.deepEqual(pathsOf([each('e', after('a', 'a'))]), ['/nodes/0/nodes/0/after'])
    assert.deepEqual(pathsOf([after('a', 'b'), transform('b')]), ['/nodes/0/after'])
  })

  it('goes to nodes of the same block that are not over by then', () => {
    assert.deepEqual(pathsOf([transform('a', { onError: { goTo: 'c' } }), transform('b'), after('c')]), [])
    assert.deepEqual(pathsOf([transform('a', { onError: { goTo: 'x' } })]), ['/nodes/0/on_error/go_to'])
    assert.deepEqual(pathsOf([each('e', transform('a', { onError: { goTo: 'b' } })), transform('b')]), [
      '/nodes/0/nodes/0/on_error/go_to',
    ])
    for (const goTo of ['a', 'b'])
      assert.deepEqual(pathsOf([transform('a'), transform('b', { onError: { goTo } })]).length, 1)
    assert.deepEqual(
      pathsOf(
        [after('h'), after('a', 'h'), after('b', 'a')].with(2, transform('b', { onError: { goTo: 'h' } })),
      ),
      ['/nodes/2/on_error/go_to'],
    )
  })
})

describe('an expression of a workflow', () => {
  it('reads what is known where it stands, and nothing else', () => {
    assert.deepEqual(pathsOf([reads('a', '[input, run.id, run.started_at, run.workflow, run.version]')]), [])
    for (const name of ['item', 'index', 'previous', 'result', 'secrets', 'env'])
      assert.deepEqual(pathsOf([reads('a', name)]), ['/nodes/0/value'], name)
    assert.deepEqual(
      pathsOf([each('e', reads('a', '[item, index]'), loop('l', reads('b', '[item, index, previous]')))]),
      [],
    )
    assert.deepEqual(pathsOf([each('e', reads('a', 'previous'))]), ['/nodes/0/nodes/0/value'])
    assert.deepEqual(pathsOf([loop('l', reads('a', 'item'))]), ['/nodes/0/nodes/0/value'])
    assert.deepEqual(pathsOf([loop('l', transform('a')), reads('b', 'index')]), ['/nodes/1/value'])
    assert.deepEqual(pathsOf([reads('a', 'run.now')]), ['/nodes/0/value'])
  })

  it('is looked at in every place that has one', () => {
    const wrong = 'no.such'
    const compensate = { type: 'tool' as const, tool: 'undo', input: wrong }
    const nodes: WorkflowNode[] = [
      { id: 'a', type: 'agent', agent: 'guide', input: wrong, when: wrong, compensate },
      { id: 'b', type: 'tool', tool: 'look', input: wrong },
      { id: 'c', type: 'workflow', workflow: 'other', input: wrong },
      { id: 'd', type: 'approval', input: wrong },
      { id: 'e', type: 'wait', until: wrong },
      { id: 'f', type: 'wait', event: { name: 'paid', correlation: wrong } },
      {
        id: 'g',
        type: 'switch',
        cases: [{ when: wrong, nodes: [reads('h', wrong)] }],
        else: [reads('i', wrong)],
      },
      { ...each('j', reads('k', wrong)), items: wrong } as WorkflowNode,
      { ...loop('l', reads('m', wrong)), while: wrong } as WorkflowNode,
      { id: 'n', type: 'race', branches: [{ id: 'one', nodes: [reads('o', wrong)] }] },
    ]
    assert.deepEqual(pathsOf(nodes), [
      '/nodes/0/when',
      '/nodes/0/input',
      '/nodes/0/compensate/input',
      '/nodes/1/input',
      '/nodes/2/input',
      '/nodes/3/input',
      '/nodes/4/until',
      '/nodes/5/event/correlation',
      '/nodes/6/cases/0/when',
      '/nodes/6/cases/0/nodes/0/value',
      '/nodes/6/else/0/value',
      '/nodes/7/items',
      '/nodes/7/nodes/0/value',
      '/nodes/8/while',
      '/nodes/8/nodes/0/value',
      '/nodes/9/branches/0/nodes/0/value',
    ])
  })

  it('can give what is asked of it', () => {
    assert.deepEqual(pathsOf([transform('a', { when: 'size(input)' })]), ['/nodes/0/when'])
    assert.deepEqual(pathsOf([{ ...each('e', transform('a')), items: '{"a": 1}' } as WorkflowNode]), [
      '/nodes/0/items',
    ])
    assert.deepEqual(pathsOf([{ ...loop('l', transform('a')), while: '"yes"' } as WorkflowNode]), [
      '/nodes/0/while',
    ])
    assert.deepEqual(pathsOf([{ id: 'w', type: 'wait', until: '5' }]), ['/nodes/0/until'])
    assert.deepEqual(pathsOf([{ id: 'w', type: 'wait', until: 'timestamp("2030-01-01T00:00:00Z")' }]), [])
    assert.deepEqual(pathsOf([{ id: 'w', type: 'wait', event: { name: 'x', correlation: '5' } }]), [
      '/nodes/0/event/correlation',
    ])
  })

  it('reads results of nodes that have ended by then, and says what to do about others', () => {
    assert.deepEqual(pathsOf([transform('a'), transform('b'), reads('c', 'nodes.a + nodes["b"]')]), [])
    assert.deepEqual(pathsOf([transform('a'), each('e', loop('l', reads('b', 'nodes.a')))]), [])
    // One that failed leads to its handler and has ended by then.
    const handled = transform('a', { onError: { goTo: 'h' } })
    assert.deepEqual(pathsOf([handled, transform('b'), reads('h', 'nodes.a.error', { after: [] })]), [])
    assert.match(
      messageOf([handled, transform('b'), reads('h', 'nodes.b', { after: [] })]),
      /put "b" into "after" of "h"/,
    )

    assert.match(
      messageOf([transform('a'), after('b'), reads('c', 'nodes.a', { after: ['b'] })]),
      /put "a" into "after" of "c"/,
    )
    assert.match(messageOf([reads('a', 'nodes.b'), transform('b')]), /put "b" into "after" of "a"/)
    assert.match(messageOf([reads('a', 'nodes.a')]), /its own result/)
    assert.match(messageOf([each('e', reads('a', 'nodes.e'))]), /the node around it, which has not ended/)
    assert.match(
      messageOf([each('e', transform('a')), reads('b', 'nodes.a')]),
      /inside of "e": read the result of nodes.e/,
    )
    assert.match(messageOf([both('p', [transform('a')], [reads('b', 'nodes.a')])]), /inside of "p"/)
    assert.match(
      messageOf([transform('a'), reads('b', 'nodes.z')]),
      /no node of this workflow; known here: a$/,
    )
    assert.match(
      messageOf(
        [after('a'), each('e', reads('b', 'nodes.a'))].with(1, {
          ...each('e', reads('b', 'nodes.a')),
          after: [],
        }),
      ),
      /into "after" of "e"/,
    )
  })

  it('names the nodes that it reads, so that it reads the same in every run', () => {
    for (const value of ['nodes', 'nodes[input.name]', 'size(nodes)', '[nodes.a, nodes]'])
      assert.match(messageOf([transform('a'), reads('b', value)]), /which node it reads/, value)
    assert.deepEqual(pathsOf([reads('a', 'run')]), [])
  })

  it('is not confused by names that an expression makes itself', () => {
    assert.deepEqual(pathsOf([reads('a', '[{"z": 1}].map(nodes, nodes.z)')]), [])
    assert.deepEqual(pathsOf([reads('a', '[1].map(n, nodes.z)')]), ['/nodes/0/value'])
    assert.deepEqual(pathsOf([reads('a', 'has(nodes.z)')]), ['/nodes/0/value'])
  })

  it('of the output comes after all nodes of the workflow', () => {
    assert.deepEqual(pathsOf([after('a'), after('b')], { output: '[nodes.a, nodes.b]' }), [])
    assert.deepEqual(pathsOf([each('e', transform('a'))], { output: 'nodes.a' }), ['/output'])
    assert.deepEqual(pathsOf([transform('a')], { output: 'nodes.z' }), ['/output'])
  })

  it('that undoes a node knows its result', () => {
    const undo = (input: string, more: More = {}) =>
      pathsOf([
        transform('a'),
        transform('b', { compensate: { type: 'tool', tool: 'undo', input }, ...more }),
        transform('c'),
      ])
    assert.deepEqual(undo('[result, nodes.b, nodes.a, input]'), [])
    assert.deepEqual(undo('nodes.c'), ['/nodes/1/compensate/input'])
    assert.deepEqual(undo('result', { value: 'result' }), ['/nodes/1/value'])
  })
})

describe('a node of a workflow', () => {
  it('waits for one thing', () => {
    const wait = (more: object) => pathsOf([{ id: 'w', type: 'wait', ...more }])
    for (const more of [{ for: '1s' }, { until: 'input.at' }, { event: { name: 'paid' } }])
      assert.deepEqual(wait(more), [])
    for (const more of [{}, { for: '1s', until: 'input.at' }, { for: '1s', event: { name: 'paid' } }])
      assert.deepEqual(wait(more), ['/nodes/0'])
  })

  it('is tried again in a way that makes sense', () => {
    const retry = (policy: RetryPolicy) => pathsOf([transform('a', { retry: policy })])
    assert.deepEqual(
      retry({ maxAttempts: 3, backoff: '1s', factor: 2, maxBackoff: '1s', on: ['tool.failed'] }),
      [],
    )
    assert.deepEqual(retry({ maxAttempts: 1 }), [])
    assert.deepEqual(retry({ maxAttempts: 3, backoff: '2s', maxBackoff: '1s' }), [
      '/nodes/0/retry/max_backoff',
    ])
    assert.deepEqual(retry({ maxAttempts: 1, backoff: '2s' }), ['/nodes/0/retry/max_attempts'])
  })

  it('has an idle limit only where something tells that it is alive, and within the limit of the attempt', () => {
    const idle = { timeout: { idle: '10s' } }
    assert.deepEqual(pathsOf([{ id: 'a', type: 'agent', agent: 'guide', input: '1', ...idle }]), [])
    assert.deepEqual(pathsOf([{ id: 'a', type: 'tool', tool: 'look', input: '1', ...idle }]), [])
    assert.deepEqual(pathsOf([{ id: 'a', type: 'workflow', workflow: 'other', input: '1', ...idle }]), [])
    assert.deepEqual(pathsOf([transform('a', idle)]), ['/nodes/0/timeout/idle'])
    const both = { timeout: { idle: '10s', run: '9s' } }
    assert.deepEqual(pathsOf([{ id: 'a', type: 'tool', tool: 'look', input: '1', ...both }]), [
      '/nodes/0/timeout/idle',
    ])
  })

  it('has branches with names of their own', () => {
    const branch = (id: string, node: string) => ({ id, nodes: [transform(node)] })
    assert.deepEqual(pathsOf([{ id: 'r', type: 'race', branches: [branch('x', 'a'), branch('x', 'b')] }]), [
      '/nodes/0/branches/1/id',
    ])
  })

  it('asks for an approval that can be given', () => {
    const asked = (approval: ApprovalPolicy) =>
      pathsOf([{ id: 'a', type: 'approval', input: 'input', approval }])
    const escalate = { after: '1h', role: 'ADMIN' } as const
    assert.deepEqual(asked({ role: 'CREATOR', expiresAfter: '2h', onExpiry: 'approve', escalate }), [])
    assert.deepEqual(asked({ onExpiry: 'approve' }), ['/nodes/0/approval/on_expiry'])
    assert.deepEqual(asked({ expiresAfter: '1h', escalate }), ['/nodes/0/approval/escalate/after'])
    assert.deepEqual(asked({ role: 'ADMIN', escalate }), ['/nodes/0/approval/escalate/role'])
  })

  it('is nested and many only so far', () => {
    const nested = (blocks: number): WorkflowNode[] => {
      let block = [transform('a')]
      for (let around = 1; around < blocks; around += 1) block = [loop(`l${around}`, ...block)]
      return block
    }
    assert.deepEqual(pathsOf(nested(WORKFLOW_DEPTH_MAX)), [])
    assert.deepEqual(pathsOf(nested(WORKFLOW_DEPTH_MAX + 1)), [
      `/nodes/0${'/nodes/0'.repeat(WORKFLOW_DEPTH_MAX - 1)}/nodes`,
    ])
    assert.equal(pathsOf(nested(60)).length, 1)
    const many = (count: number) => Array.from({ length: count }, (_, index) => transform(`n${index}`))
    assert.deepEqual(pathsOf(many(WORKFLOW_NODES_MAX)), [])
    assert.deepEqual(pathsOf([loop('l', ...many(WORKFLOW_NODES_MAX))]), ['/nodes'])
  })

  it('is judged once, however many edges there are', () => {
    let compiled = 0
    const checks = {
      ...CHECKS,
      checkExpression: () => {
        compiled += 1
        return []
      },
    }
    const ids = Array.from({ length: 400 }, (_, index) => `n${index}`)
    const nodes = ids.map((id, index) => after(id, ...ids.slice(0, index)))
    assert.deepEqual(workflowErrors(checks, { name: 'flow', nodes }), [])
    assert.equal(compiled, ids.length)
    assert.equal(errorsOf([...nodes.slice(1), after('n0', 'n399')]).length, 1)
  })
})
