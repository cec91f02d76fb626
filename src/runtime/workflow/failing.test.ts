import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aroundWrites } from '../../../test/support/around-writes.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { context, openWorks } from '../../../test/support/workflows.ts'
import type { WorkflowNode } from '../../contract/workflow.ts'
import { defineTool } from '../../define/define-tool.ts'

const undo = (input: string) => ({ type: 'tool' as const, tool: 'undo', input })

forEachDatabase((_name, open) => {
  describe('a workflow that fails', () => {
    it('undoes what is done, the last first, also in the items of a for-each, and fails of the first error', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      const nodes: WorkflowNode[] = [
        { id: 'a', type: 'tool', tool: 'put', input: '{"n": 1}', compensate: undo('{"of": result.tool}') },
        {
          id: 'each',
          type: 'for_each',
          items: '["x", "y"]',
          nodes: [
            { id: 'b', type: 'tool', tool: 'put', input: '{"n": item}', compensate: undo('{"of": item}') },
          ],
        },
        { id: 'c', type: 'transform', value: '1', compensate: { type: 'tool', tool: 'break', input: '{}' } },
        { id: 'd', type: 'tool', tool: 'break', input: '{}' },
      ]
      const run = await works.play(nodes)
      assert.deepEqual([run.state, run.error?.code], ['failed', 'tool.failed'])
      assert.match(run.error?.message ?? '', /Node "d"/)
      const undone = works.ledger.calls.filter(({ tool }) => tool === 'undo')
      assert.deepEqual(
        undone.map(({ input }) => input),
        [{ of: 'y' }, { of: 'x' }, { of: 'put' }],
      )
      const trail = await works.trail(run)
      assert.deepEqual(trail.slice(-4), [
        'c!undo failed',
        'each[1].b!undo done',
        'each[0].b!undo done',
        'a!undo done',
      ])
    })

    it('undoes each thing once though a person is asked in between', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      const run = await works.play([
        {
          id: 'a',
          type: 'tool',
          tool: 'put',
          input: '{}',
          compensate: { type: 'tool', tool: 'sign', input: '{}' },
        },
        { id: 'b', type: 'tool', tool: 'put', input: '{}', compensate: undo('{}') },
        { id: 'c', type: 'tool', tool: 'break', input: '{}' },
      ])
      assert.deepEqual([run.state, run.waitingReason], ['waiting', 'approval'])
      await works.approve(run)
      let end = await works.settled(run)
      while (end.state === 'waiting') end = await works.settled(run)
      assert.deepEqual([end.state, end.error?.code], ['failed', 'tool.failed'])
      assert.deepEqual(
        works.ledger.calls.map(({ tool }) => tool),
        ['put', 'put', 'break', 'undo', 'sign'],
      )
    })

    it('retries what may be retried, under the same key, with attempts as rows', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      const run = await works.play([
        { id: 'a', type: 'tool', tool: 'flaky', input: '{}', retry: { maxAttempts: 5, backoff: '10ms' } },
      ])
      assert.deepEqual([run.state, run.error], ['completed', null])
      assert.deepEqual(await works.trail(run), ['a failed', 'a failed', 'a done'])
      assert.equal(new Set(works.ledger.calls.map(({ key }) => key)).size, 1)
    })

    it('a long pause before another attempt lets go of the worker', async () => {
      await using db = await open()
      const clock = { ms: 0 }
      await using works = await openWorks({ db, clock: () => Date.now() + clock.ms, random: () => 1 })
      const run = await works.play([
        {
          id: 'a',
          type: 'tool',
          tool: 'flaky',
          input: '{}',
          retry: { maxAttempts: 3, backoff: '10m', factor: 1, maxBackoff: '10m' },
        },
      ])
      assert.deepEqual([run.state, run.waitingReason], ['waiting', 'time'])
      let end = run
      for (let round = 0; end.state === 'waiting' && round < 4_000; round++) {
        clock.ms += 60_000
        works.worker.wake()
        await new Promise((resolve) => setImmediate(resolve))
        end = await works.settled(run)
      }
      assert.deepEqual([end.state, await works.trail(run)], ['completed', ['a failed', 'a failed', 'a done']])
    })

    it('an attempt that gives no sign of life, or takes too long, fails', async () => {
      await using db = await open()
      const hang = defineTool({
        name: 'hang',
        description: 'Hangs.',
        input: { type: 'object', properties: { beats: { type: 'number' } } },
        effect: 'read',
        maxAttempts: 1,
        run: async ({ beats }, { heartbeat }) => {
          for (let beat = 0; beat < Number(beats); beat++) {
            await new Promise((resolve) => setTimeout(resolve, 20))
            heartbeat?.()
          }
          if (Number(beats) > 0) return 'alive'
          await new Promise(() => undefined)
          return ''
        },
      })
      await using works = await openWorks({ db, codeTools: [hang] })
      const call = (beats: number, timeout: { idle?: string; run?: string }): WorkflowNode => ({
        id: 'a',
        type: 'tool',
        tool: 'hang',
        input: `{"beats": ${beats}}`,
        timeout,
      })
      assert.equal((await works.play([call(0, { idle: '30ms' })])).error?.code, 'tool.timeout')
      assert.equal((await works.play([call(0, { run: '30ms' })])).error?.code, 'tool.timeout')
      assert.equal((await works.play([call(30, { idle: '400ms' })])).output, 'alive')
      const block = await works.play([
        {
          id: 'sw',
          type: 'switch',
          cases: [{ when: 'true', nodes: [call(0, {})] }],
          timeout: { run: '50ms' },
        },
      ])
      assert.deepEqual(
        [block.error?.code, await works.trail(block)],
        ['node.timeout', ['sw failed', 'sw[0].a interrupted']],
      )
    })

    it('a once call whose end nobody knows waits in doubt, and is not repeated', async () => {
      await using db = await open()
      let made = 0
      const lost = defineTool({
        name: 'lose',
        description: 'Never answers.',
        input: { type: 'object' },
        effect: 'once',
        approval: 'never',
        timeoutMs: 20,
        run: async () => {
          made += 1
          await new Promise(() => undefined)
          return ''
        },
      })
      await using works = await openWorks({ db, codeTools: [lost] })
      const run = await works.play([{ id: 'a', type: 'tool', tool: 'lose', input: '{}' }])
      assert.deepEqual([run.state, run.waitingReason], ['waiting', 'in_doubt'])
      await works.runtime.resolve(
        works.admin,
        run.id,
        1,
        { outcome: 'succeeded', output: { ok: 1 } },
        context,
      )
      let end = await works.settled(run)
      while (end.state === 'waiting') end = await works.settled(run)
      assert.deepEqual([end.state, end.output, made], ['completed', { ok: 1 }, 1])
    })

    it('keeps to its limit of steps', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      const run = await works.play(
        [
          {
            id: 'lo',
            type: 'loop',
            while: 'true',
            max: 100,
            nodes: [{ id: 'p', type: 'transform', value: '1' }],
          },
        ],
        { limits: { maxSteps: 20 } },
      )
      assert.equal(run.error?.code, 'limit.steps')
    })
  })

  describe('a large workflow', () => {
    it('makes 1,000 steps with few writes, each as large as the others', async () => {
      await using db = await open()
      let writes = 0
      const counted = aroundWrites(db, (write, work) => {
        writes += 1
        return write(work)
      })
      await using works = await openWorks({ db: counted })
      const chain = (count: number): WorkflowNode[] =>
        Array.from({ length: count }, (_, n) => ({
          id: `n${n}`,
          type: 'transform',
          value: n === 0 ? '1' : `nodes.n${n - 1} + 1`,
        }))
      await works.publish({ name: 'short', nodes: chain(500) })
      await works.publish({ name: 'long', nodes: chain(1_000) })
      const cost = async (name: string): Promise<number> => {
        const before = writes
        const run = await works.settled(await works.begin(name))
        assert.deepEqual([run.state, run.error], ['completed', null])
        return writes - before
      }
      const [short, long] = [await cost('short'), await cost('long')]
      assert.ok(long - short <= 10, `${short} writes for 500 steps, ${long} for 1,000`)
    })

    it('fans out over 1,000 items, in order', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      const items = Array.from({ length: 1_000 }, (_, n) => n)
      const run = await works.play(
        [
          {
            id: 'each',
            type: 'for_each',
            items: 'input.items',
            concurrency: 50,
            nodes: [{ id: 'x', type: 'transform', value: 'item * 2' }],
          },
        ],
        { value: { items } },
      )
      assert.deepEqual([run.output, run.error], [items.map((n) => n * 2), null])
    })
  })
})
