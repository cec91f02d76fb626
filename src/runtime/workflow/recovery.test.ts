import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { aroundWrites } from '../../../test/support/around-writes.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { context, type Ledger, openWorks, type Works } from '../../../test/support/workflows.ts'
import type { WorkflowNode } from '../../contract/workflow.ts'
import type { Database } from '../../storage/database.ts'
import type { Run } from '../runtime.ts'

const HOUR = 3_600_000
/** More writes than the run has: a walk that reaches it has no end, and fails. */
const WRITES_MAX = 80

const NODES: readonly WorkflowNode[] = [
  { id: 'first', type: 'transform', value: 'input.n + 1' },
  { id: 'pays', type: 'tool', tool: 'pay', input: '{"amount": nodes.first}' },
  {
    id: 'par',
    type: 'parallel',
    branches: [
      { id: 'left', nodes: [{ id: 'puts', type: 'tool', tool: 'put', input: '{"n": 1}' }] },
      { id: 'right', nodes: [{ id: 'pauses', type: 'wait', for: '1h' }] },
      { id: 'asks', nodes: [{ id: 'asked', type: 'approval', input: '{"n": nodes.first}' }] },
    ],
  },
  {
    id: 'each',
    type: 'for_each',
    items: '[1, 2, 3]',
    concurrency: 2,
    nodes: [
      { id: 'item_pays', type: 'tool', tool: 'pay', input: '{"amount": item}' },
      { id: 'item_sum', type: 'transform', value: 'nodes.item_pays.input.amount + nodes.first' },
    ],
  },
]

const UNDO = { type: 'tool', tool: 'undo', input: '{"of": result.tool}' } as const
const SAGA: readonly WorkflowNode[] = [
  { id: 'starts', type: 'tool', tool: 'put', input: '{"n": 1}', compensate: UNDO },
  {
    id: 'each',
    type: 'for_each',
    items: '[1, 2]',
    nodes: [{ id: 'item', type: 'tool', tool: 'put', input: '{"n": item}', compensate: UNDO }],
  },
  { id: 'breaks', type: 'tool', tool: 'break', input: '{}' },
]

/** It fails inside a for-each, in each of its attempts. */
const SAGA_INSIDE: readonly WorkflowNode[] = [
  {
    id: 'each',
    type: 'for_each',
    items: '[1, 2]',
    retry: { maxAttempts: 2, backoff: '1ms' },
    nodes: [
      { id: 'item', type: 'tool', tool: 'put', input: '{"n": item}', compensate: UNDO },
      { id: 'breaks', type: 'tool', tool: 'break', input: '{}', when: 'item == 2' },
    ],
  },
]

/** A database that dies with its process at a write: inside it, so that it leaves nothing, or just after it. */
function mortal(db: Database, at: number, phase: 'inside' | 'after') {
  const state = { armed: false, writes: 0, dead: false }
  const died = Promise.withResolvers<void>()
  const dying = aroundWrites(db, async (write, work) => {
    if (state.dead) throw new Error('The process is dead.')
    if (!state.armed) return write(work)
    state.writes += 1
    if (state.writes !== at) return write(work)
    state.dead = true
    died.resolve()
    if (phase === 'after') await write(work)
    throw new Error('The process died.')
  })
  return { db: dying, state, died: died.promise }
}

/** Runs a workflow in a process that dies at a write; another goes on with it, two hours later. */
async function survive(
  db: Database,
  name: string,
  at: number,
  phase: 'inside' | 'after',
  ledger: Ledger,
): Promise<{ readonly run: Run; readonly died: boolean; readonly steps: readonly string[] }> {
  const doomed = mortal(db, at, phase)
  const clock = { ms: 0 }
  const now = (): number => Date.now() + clock.ms
  let run: Run
  {
    await using starter = await openWorks({ db, working: false })
    run = await starter.begin(name, { n: 4 })
    const first = await openWorks({ db: doomed.db, ledger, clock: now, working: false })
    doomed.state.armed = true
    await first.worker.start().catch(() => undefined)
    const done = untilEnded(first, run, clock, doomed.state).catch(() => undefined)
    await Promise.race([doomed.died, done])
    doomed.state.dead = true
    await done
    await first.worker.stop(0).catch(() => undefined)
  }
  // Whatever the dead process held has lapsed by then.
  clock.ms += 2 * HOUR
  await using second = await openWorks({ db, ledger, clock: now })
  const end = await untilEnded(second, run, clock)
  return { run: end, died: doomed.state.writes >= at, steps: await second.trail(end) }
}

async function untilEnded(
  works: Works,
  started: Run,
  clock: { ms: number },
  life: { readonly dead: boolean } = { dead: false },
): Promise<Run> {
  for (let round = 0; ; round++) {
    const run = await works.runtime.wait(works.tenantId, started.id, 100)
    if (life.dead) return run
    assert.ok(round < 300, 'it does not end')
    if (['completed', 'failed', 'cancelled'].includes(run.state)) return run
    for (const step of await works.allSteps(run)) {
      if (step.state !== 'waiting') continue
      if (step.waitingReason === 'approval')
        await works.runtime.resolve(works.admin, run.id, step.seq, { outcome: 'approve' }, context)
      if (step.waitingReason !== 'in_doubt') continue
      // The person looks whether it happened.
      const made = works.ledger.calls.find(({ key }) => key === `${run.id}:${step.seq}`)
      const answer =
        made === undefined
          ? ({ outcome: 'retry' } as const)
          : ({ outcome: 'succeeded', output: { tool: made.tool, input: made.input } } as const)
      await works.runtime.resolve(works.admin, run.id, step.seq, answer, context)
    }
    if (run.waitingReason === 'time') {
      clock.ms += 2 * HOUR
      works.worker.wake()
    }
    await sleep(1)
  }
}

forEachDatabase((name, open) => {
  describe('a workflow whose process dies', () => {
    for (const phase of ['inside', 'after'] as const) {
      it(`at any write (${phase} it): it ends as it would have, and what happens once happened once`, async () => {
        await using db = await open()
        {
          await using works = await openWorks({ db, working: false })
          await works.publish({ name: 'sample', nodes: [...NODES] })
        }
        let killed = 0
        // On Postgres the same code runs through the same writes: every third of them is enough there.
        for (let at = 1; ; at += name === 'postgres' ? 3 : 1) {
          assert.ok(at < WRITES_MAX, 'the walk found no end')
          const ledger: Ledger = { calls: [] }
          const { run, died, steps } = await survive(db, 'sample', at, phase, ledger)
          const facts = `write ${at} ${phase}: ${run.error?.message ?? ''} ${steps.join(', ')}`
          assert.deepEqual([run.state, run.output], ['completed', [6, 7, 8]], facts)
          const paid = ledger.calls.filter(({ tool }) => tool === 'pay')
          assert.equal(paid.length, 4, facts)
          assert.equal(new Set(paid.map(({ key }) => key)).size, 4, facts)
          assert.ok(
            steps.every((step) => step.endsWith(' done')),
            facts,
          )
          assert.equal(new Set(steps).size, steps.length, facts)
          if (!died) break
          killed += 1
        }
        assert.ok(killed >= (name === 'postgres' ? 5 : 15), `only ${killed} writes were killed`)
      })
    }
  })

  describe('a saga whose process dies', () => {
    it('at any write: each thing is undone, in order, under one key, and the run fails of what it failed of', async () => {
      await using db = await open()
      {
        await using works = await openWorks({ db, working: false })
        await works.publish({ name: 'saga', nodes: [...SAGA] })
      }
      let killed = 0
      for (let at = 1; ; at += name === 'postgres' ? 3 : 1) {
        assert.ok(at < WRITES_MAX, 'the walk found no end')
        const ledger: Ledger = { calls: [] }
        const { run, died, steps } = await survive(db, 'saga', at, 'inside', ledger)
        const facts = `write ${at}: ${run.error?.message ?? ''} ${steps.join(', ')}`
        assert.deepEqual([run.state, run.error?.code], ['failed', 'tool.failed'], facts)
        assert.match(run.error?.message ?? '', /Node "breaks"/, facts)
        const undone = steps.filter((step) => step.includes('!undo'))
        assert.deepEqual(
          undone,
          ['each[1].item!undo done', 'each[0].item!undo done', 'starts!undo done'],
          facts,
        )
        const keys = ledger.calls.filter(({ tool }) => tool === 'undo').map(({ key }) => key)
        assert.equal(new Set(keys).size, 3, facts)
        if (!died) break
        killed += 1
      }
      assert.ok(killed >= (name === 'postgres' ? 3 : 8), `only ${killed} writes were killed`)
    })
  })

  describe('a saga that fails inside a block, and dies', () => {
    it('at any write: what each attempt at the block did is undone once', async () => {
      await using db = await open()
      {
        await using works = await openWorks({ db, working: false })
        await works.publish({ name: 'inside', nodes: [...SAGA_INSIDE] })
      }
      for (let at = 1; ; at += name === 'postgres' ? 3 : 1) {
        assert.ok(at < WRITES_MAX, 'the walk found no end')
        const ledger: Ledger = { calls: [] }
        const { run, died, steps } = await survive(db, 'inside', at, 'inside', ledger)
        const facts = `write ${at}: ${run.error?.message ?? ''} ${steps.join(', ')}`
        assert.deepEqual([run.state, run.error?.code], ['failed', 'tool.failed'], facts)
        assert.deepEqual(
          steps.filter((step) => step.includes('!undo')),
          [
            'each[1].item!undo done',
            'each[0].item!undo done',
            'each[1].item!undo2 done',
            'each[0].item!undo2 done',
          ],
          facts,
        )
        const keys = ledger.calls.filter(({ tool }) => tool === 'undo').map(({ key }) => key)
        assert.equal(new Set(keys).size, 4, facts)
        if (!died) break
      }
    })
  })

  describe('random workflows of pure nodes', () => {
    it('give the same with and without a crash at a random write', async () => {
      await using db = await open()
      let count = 0
      const runs = name === 'postgres' ? 8 : 40
      await fc.assert(
        fc.asyncProperty(blocks, fc.integer({ min: 2, max: 9 }), async (shape, at) => {
          count += 1
          const workflow = `random-${count}`
          const nodes = named(shape)
          let expected: Run
          {
            await using works = await openWorks({ db })
            await works.publish({ name: workflow, nodes })
            expected = await works.settled(await works.begin(workflow, { n: 4 }))
          }
          const { run } = await survive(db, workflow, at, 'inside', { calls: [] })
          assert.deepEqual(
            [run.state, run.output, run.error],
            [expected.state, expected.output, expected.error],
          )
        }),
        { numRuns: runs, seed: 7 },
      )
    })
  })
})

type Shape =
  | { readonly is: 'value'; readonly n: number }
  | { readonly is: 'bad' }
  | { readonly is: 'switch'; readonly n: number; readonly inside: readonly Shape[] }
  | { readonly is: 'parallel' | 'each' | 'loop'; readonly n: number; readonly inside: readonly Shape[] }

const { blocks } = fc.letrec<{ blocks: readonly Shape[]; shape: Shape }>((tie) => ({
  blocks: fc.array(tie('shape'), { minLength: 1, maxLength: 4 }),
  shape: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ is: fc.constant('value' as const), n: fc.nat(9) }),
    fc.record({ is: fc.constant('bad' as const) }),
    fc.record({ is: fc.constant('switch' as const), n: fc.nat(9), inside: tie('blocks') }),
    fc.record({
      is: fc.constantFrom('parallel' as const, 'each' as const, 'loop' as const),
      n: fc.nat(3),
      inside: tie('blocks'),
    }),
  ),
}))

/** The shapes as nodes, each with an id of its own. */
function named(shapes: readonly Shape[]): WorkflowNode[] {
  let count = 0
  const block = (inner: readonly Shape[]): WorkflowNode[] => inner.map(node)
  const node = (shape: Shape): WorkflowNode => {
    const id = `n${++count}`
    switch (shape.is) {
      case 'value':
        return {
          id,
          type: 'transform',
          value: `input.n * ${shape.n}`,
          ...(shape.n === 0 && { when: 'false' }),
        }
      case 'bad':
        return { id, type: 'transform', value: 'input.nothing', onError: 'continue' }
      case 'switch':
        return { id, type: 'switch', cases: [{ when: `input.n > ${shape.n}`, nodes: block(shape.inside) }] }
      case 'parallel':
        return {
          id,
          type: 'parallel',
          branches: [
            { id: `b${++count}`, nodes: block(shape.inside) },
            { id: `b${++count}`, nodes: block([{ is: 'value', n: shape.n }]) },
          ],
        }
      case 'each':
        return { id, type: 'for_each', items: '[1, 2, 3]', concurrency: 2, nodes: block(shape.inside) }
      case 'loop':
        return { id, type: 'loop', while: `index < ${shape.n}`, max: 9, nodes: block(shape.inside) }
      default:
        return shape satisfies never
    }
  }
  return block(shapes)
}
