// What publishing asks of workflows: what they name is there, at any depth, and they do not call themselves.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { isAppError } from '../../base/errors.ts'
import type { RetryPolicy, WorkflowDefinition, WorkflowNode } from '../../contract/workflow.ts'
import { agent, CONTEXT, errorsOf, PUBLISH, shareDatabase, tool, workflow } from '../catalog-bench.test.ts'

const call = (id: string, name: string): WorkflowNode => ({
  id,
  type: 'workflow',
  workflow: name,
  input: 'input',
})
const each = (id: string, nodes: WorkflowNode[], retry?: RetryPolicy): WorkflowNode => ({
  id,
  type: 'for_each',
  items: '[1]',
  nodes,
  ...(retry && { retry }),
})
/** Calls each of them, the last from deep inside. */
const calls = (name: string, ...names: string[]): WorkflowDefinition =>
  workflow(name, {
    nodes: [
      { id: 'start', type: 'transform', value: 'input' },
      ...names.map((one, index) =>
        index === names.length - 1 ? each('deep', [call('last', one)]) : call(`n${index}`, one),
      ),
    ],
  })

forEachDatabase((_, open) => {
  const openBench = shareDatabase(open)

  it('asks for everything that is named, at any depth', async () => {
    const { catalog, ada } = await openBench()
    const nodes: WorkflowNode[] = [
      {
        id: 'choose',
        type: 'switch',
        cases: [{ when: 'true', nodes: [{ id: 'ask', type: 'agent', agent: 'guide', input: 'input' }] }],
        else: [
          {
            id: 'pay',
            type: 'tool',
            tool: 'pay',
            input: 'input',
            compensate: { type: 'tool', tool: 'refund', input: 'result' },
          },
        ],
      },
      { id: 'race', type: 'race', branches: [{ id: 'one', nodes: [call('other', 'other')] }] },
    ]
    const errors = await errorsOf(() =>
      catalog.workflows.create(ada, workflow('flow', { nodes }), PUBLISH, CONTEXT),
    )
    assert.deepEqual(
      errors.map(({ path }) => path),
      [
        '/nodes/0/cases/0/nodes/0/agent',
        '/nodes/0/else/0/tool',
        '/nodes/0/else/0/compensate/tool',
        '/nodes/1/branches/0/nodes/0/workflow',
      ],
    )
    for (const name of ['pay', 'refund']) await catalog.tools.create(ada, tool(name), PUBLISH, CONTEXT)
    await catalog.agents.create(ada, agent('guide'), PUBLISH, CONTEXT)
    await catalog.workflows.create(ada, workflow('other'), PUBLISH, CONTEXT)
    await catalog.workflows.create(ada, workflow('flow', { nodes }), PUBLISH, CONTEXT)
    for (const name of ['pay', 'refund'])
      await errorsOf(() => catalog.tools.archive(ada, name, CONTEXT), 'definition.in-use')
    await errorsOf(() => catalog.workflows.archive(ada, 'other', CONTEXT), 'definition.in-use')
  })

  it('names the circle of workflows that would call each other', async () => {
    const { catalog, ada } = await openBench()
    for (const definition of [calls('c'), calls('b', 'c'), calls('z'), calls('a', 'z', 'b')])
      await catalog.workflows.create(ada, definition, PUBLISH, CONTEXT)
    assert.deepEqual(
      await errorsOf(() => catalog.workflows.update(ada, 'c', calls('c', 'z', 'a'), PUBLISH, CONTEXT)),
      [{ path: '/nodes/2/nodes/0/workflow', message: 'closes the circle c → a → b → c' }],
    )
    assert.deepEqual(
      await errorsOf(() => catalog.workflows.create(ada, calls('me', 'me'), PUBLISH, CONTEXT)),
      [{ path: '/nodes/1/nodes/0/workflow', message: 'closes the circle me → me' }],
    )
  })

  it('lets no two changes at the same moment close a circle', async () => {
    const { catalog, other, ada } = await openBench()
    for (const name of ['a', 'b']) await catalog.workflows.create(ada, workflow(name), PUBLISH, CONTEXT)
    const results = await Promise.allSettled([
      catalog.workflows.update(ada, 'a', calls('a', 'b'), PUBLISH, CONTEXT),
      other.workflows.update(ada, 'b', calls('b', 'a'), PUBLISH, CONTEXT),
    ])
    const failed = results.filter((result) => result.status === 'rejected')
    assert.equal(failed.length, 1)
    assert.ok(isAppError(failed[0]?.reason, 'definition.invalid'))
  })

  it('tries no call again that may have had its effect', async () => {
    const { catalog, ada } = await openBench()
    const retry: RetryPolicy = { maxAttempts: 2 }
    const uses = (name: string, own?: RetryPolicy): WorkflowNode => ({
      id: name,
      type: 'tool',
      tool: name,
      input: 'input',
      ...(own && { retry: own }),
    })
    for (const [name, effect] of [
      ['pay', 'once'],
      ['look', 'read'],
      ['save', 'idempotent'],
    ] as const)
      await catalog.tools.create(ada, tool(name, { effect }), PUBLISH, CONTEXT)
    await catalog.tools.create(ada, tool('silent'), PUBLISH, CONTEXT)
    const pathsOf = async (...nodes: WorkflowNode[]) =>
      (
        await errorsOf(() => catalog.workflows.create(ada, workflow('flow', { nodes }), PUBLISH, CONTEXT))
      ).map(({ path }) => path)
    assert.deepEqual(
      await pathsOf(
        uses('pay', retry),
        uses('look', retry),
        uses('save', retry),
        uses('silent', retry),
        uses('lookup', retry),
      ),
      ['/nodes/0/retry/max_attempts', '/nodes/3/retry/max_attempts', '/nodes/4/retry/max_attempts'],
    )
    // Around it, too: the whole block would run again.
    assert.deepEqual(await pathsOf(each('e', [uses('pay')], retry)), ['/nodes/0/retry/max_attempts'])
    const fine = [uses('pay', { maxAttempts: 1 }), uses('lookup'), each('e', [uses('look', retry)], retry)]
    await catalog.workflows.create(ada, workflow('flow', { nodes: fine }), PUBLISH, CONTEXT)
  })
})
