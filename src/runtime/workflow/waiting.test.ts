import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { approval, context, ended, openWorks, until, type Works } from '../../../test/support/workflows.ts'
import type { WorkflowNode } from '../../contract/workflow.ts'
import { defineTool } from '../../define/define-tool.ts'

const HOUR = 3_600_000

/** A clock that a test sets forward; the worker is told to look. */
function movable() {
  const clock = { ms: 0 }
  return {
    now: () => Date.now() + clock.ms,
    forward(works: Works, ms: number) {
      clock.ms += ms
      works.worker.wake()
    },
  }
}

forEachDatabase((_name, open) => {
  describe('a workflow that waits', () => {
    it('two approvals in parallel branches are answered in either order', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      for (const first of ['par.a.left', 'par.b.right']) {
        const run = await works.play([
          {
            id: 'par',
            type: 'parallel',
            branches: [
              { id: 'a', nodes: [approval('left'), { id: 'l2', type: 'transform', value: '1' }] },
              { id: 'b', nodes: [approval('right'), { id: 'r2', type: 'transform', value: '2' }] },
            ],
          },
        ])
        assert.deepEqual([run.state, run.waitingReason], ['waiting', 'approval'])
        await works.approve(run, ({ path }) => path === first)
        const half = await until(works, run, ({ state, stepCount }) => state === 'waiting' && stepCount === 4)
        assert.equal(half.waitingReason, 'approval')
        await works.approve(run)
        const end = await until(works, run, ended)
        assert.deepEqual([end.state, end.output, end.error], ['completed', { a: 1, b: 2 }, null])
      }
    })

    it('a declined approval and a declined tool fail their nodes', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      for (const [node, code] of [
        [approval('a'), 'approval.declined'],
        [{ id: 'a', type: 'tool', tool: 'sign', input: '{}' } as const, 'tool.declined'],
      ] as const) {
        const run = await works.play([node])
        await works.runtime.resolve(works.admin, run.id, 1, { outcome: 'decline' }, context)
        const end = await until(works, run, ended)
        assert.deepEqual([end.state, end.error?.code], ['failed', code])
      }
      const run = await works.play([{ id: 'a', type: 'tool', tool: 'sign', input: '{"n": 1}' }])
      assert.equal(works.ledger.calls.length, 0)
      await works.approve(run)
      assert.equal((await until(works, run, ended)).state, 'completed')
      assert.deepEqual(
        works.ledger.calls.map(({ key }) => key),
        [`${run.id}:1`],
      )
    })

    it('a wait is a row: its run is scheduled, and goes on when it is due, not before', async () => {
      await using db = await open()
      const clock = movable()
      await using works = await openWorks({ db, clock: clock.now })
      const run = await works.play([
        { id: 'pause', type: 'wait', for: '1h' },
        { id: 'then', type: 'transform', value: '"later"' },
      ])
      assert.deepEqual([run.state, run.waitingReason], ['waiting', 'time'])
      const job = await works.runtime.job(works.tenantId, run.jobId)
      const step = (await works.allSteps(run))[0]
      assert.deepEqual([job.state, job.notBefore], ['scheduled', step?.dueAt])
      clock.forward(works, HOUR / 2)
      assert.equal((await works.settled(run)).state, 'waiting')
      clock.forward(works, HOUR)
      const end = await until(works, run, ended)
      assert.deepEqual([end.state, end.output, end.error], ['completed', 'later', null])
    })

    it('waits inside runs below are resumed where they are, by time and by a person', async () => {
      await using db = await open()
      const clock = movable()
      await using works = await openWorks({ db, clock: clock.now })
      await works.publish({
        name: 'bottom',
        nodes: [
          {
            id: 'each',
            type: 'for_each',
            items: '[1, 2]',
            concurrency: 2,
            nodes: [
              approval('asks'),
              { id: 'pause', type: 'wait', for: '1h' },
              { id: 'v', type: 'transform', value: 'item' },
            ],
          },
        ],
      })
      await works.publish({
        name: 'middle',
        nodes: [{ id: 'calls', type: 'workflow', workflow: 'bottom', input: '{}' }],
      })
      const run = await works.play([{ id: 'top', type: 'workflow', workflow: 'middle', input: '{}' }])
      assert.equal(run.waitingReason, 'approval')
      const all = (await works.runtime.list(works.tenantId, { limit: 10 })).items
      const bottom = all.find(({ definitionName }) => definitionName === 'bottom') ?? assert.fail()
      await works.approve(bottom)
      const timed = await until(works, run, (found) => found.waitingReason === 'time')
      assert.equal(timed.state, 'waiting')
      clock.forward(works, HOUR + 1_000)
      const end = await until(works, run, ended)
      assert.deepEqual([end.state, end.output, end.error], ['completed', [1, 2], null])
      assert.equal((await works.allSteps(bottom)).length, 7)
    })

    it('a named event ends its wait, also one that came before; without it the time does', async () => {
      await using db = await open()
      const clock = movable()
      await using works = await openWorks({ db, clock: clock.now })
      const event = (name: string): WorkflowNode => ({
        id: 'ev',
        type: 'wait',
        event: { name, correlation: 'string(input.n)', timeout: '1h' },
      })
      const run = await works.play([event('paid')], { value: { n: 7 } })
      assert.equal(run.waitingReason, 'event')
      await works.runtime.triggers.send(
        works.admin,
        { name: 'paid', correlation: '7', data: { sum: 3 } },
        context,
      )
      const end = await until(works, run, ended)
      assert.deepEqual([end.output, end.error], [{ sum: 3 }, null])
      const late = await works.play([event('never')], { value: { n: 8 } })
      clock.forward(works, HOUR + 1_000)
      assert.equal((await until(works, late, ended)).error?.code, 'node.timeout')
    })

    it('a race is decided by the first to end; the others are given up', async () => {
      await using db = await open()
      const clock = movable()
      await using works = await openWorks({ db, clock: clock.now })
      const nodes: WorkflowNode[] = [
        {
          id: 'race',
          type: 'race',
          branches: [
            { id: 'person', nodes: [approval('asks')] },
            {
              id: 'time',
              nodes: [
                { id: 'pause', type: 'wait', for: '1h' },
                { id: 'v', type: 'transform', value: '1' },
              ],
            },
          ],
        },
      ]
      const run = await works.play(nodes)
      assert.equal(run.waitingReason, 'approval')
      clock.forward(works, HOUR + 1_000)
      const end = await until(works, run, ended)
      assert.deepEqual([end.output, end.error], [{ branch: 'time', result: 1 }, null])
      assert.ok((await works.trail(run)).includes('race.person.asks interrupted'))
      const other = await works.play(nodes)
      await works.approve(other)
      const won = await until(works, other, ended)
      assert.equal((won.output as { branch: string }).branch, 'person')
    })

    it('a once call that loses a race is waited for', async () => {
      await using db = await open()
      const gate = Promise.withResolvers<void>()
      let aborted = false
      const slow = defineTool({
        name: 'slow_pay',
        description: 'Pays slowly.',
        input: { type: 'object' },
        effect: 'once',
        approval: 'never',
        run: async (_input, { signal }) => {
          signal.addEventListener('abort', () => {
            aborted = true
          })
          await gate.promise
          return { paid: true }
        },
      })
      await using works = await openWorks({ db, codeTools: [slow] })
      await works.publish({
        name: 'racing',
        nodes: [
          {
            id: 'race',
            type: 'race',
            branches: [
              {
                id: 'pay',
                nodes: [
                  { id: 'p', type: 'tool', tool: 'slow_pay', input: '{}' },
                  { id: 'after_p', type: 'tool', tool: 'pay', input: '{}' },
                ],
              },
              { id: 'quick', nodes: [{ id: 'q', type: 'tool', tool: 'look', input: '{}' }] },
            ],
          },
        ],
      })
      const run = await works.begin('racing')
      while (!(await works.trail(run)).includes('race.quick.q done')) {
        if (works.ledger.calls.length > 0) gate.resolve()
        await new Promise((resolve) => setImmediate(resolve))
      }
      gate.resolve()
      const end = await until(works, run, ({ state }) => state === 'completed' || state === 'failed')
      assert.equal((end.output as { branch: string } | null)?.branch, 'quick')
      const trail = await works.trail(run)
      assert.ok(trail.includes('race.pay.p done'), trail.join(', '))
      assert.equal(aborted, false)
      assert.deepEqual(
        works.ledger.calls.map(({ tool }) => tool),
        ['look'],
      )
    })

    it('is cancelled with all that waits below it', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      await works.publish({ name: 'child', nodes: [approval('asks')] })
      const run = await works.play([
        {
          id: 'does',
          type: 'tool',
          tool: 'look',
          input: '{}',
          compensate: { type: 'tool', tool: 'undo', input: '{}' },
        },
        { id: 'c', type: 'workflow', workflow: 'child', input: '{}' },
      ])
      await works.runtime.cancel(works.admin, run.id, context)
      const end = await until(works, run, ended)
      assert.equal(end.state, 'cancelled')
      assert.deepEqual(await works.trail(run), ['does done', 'c interrupted'])
      const child = (await works.runtime.list(works.tenantId, { limit: 1, workflow: 'child' })).items[0]
      assert.equal(child?.state, 'cancelled')
      assert.deepEqual(
        works.ledger.calls.map(({ tool }) => tool),
        ['look'],
      )
    })
  })
})
