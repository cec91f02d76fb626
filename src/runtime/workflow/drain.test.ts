import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { openWorks } from '../../../test/support/workflows.ts'
import { defineTool } from '../../define/define-tool.ts'

forEachDatabase((_name, open) => {
  describe('a workflow whose worker stops', () => {
    it('lets what runs end, gives the run back, and another worker goes on with the rest', async () => {
      await using db = await open()
      const entered = Promise.withResolvers<void>()
      const gate = Promise.withResolvers<void>()
      const slow = defineTool({
        name: 'slow',
        description: 'Takes its time.',
        input: { type: 'object' },
        effect: 'once',
        approval: 'never',
        run: async () => {
          entered.resolve()
          await gate.promise
          return { done: true }
        },
      })
      const works = await openWorks({ db, codeTools: [slow] })
      await works.publish({
        name: 'draining',
        nodes: [
          {
            id: 'par',
            type: 'parallel',
            branches: [
              {
                id: 'a',
                nodes: [
                  { id: 's', type: 'tool', tool: 'slow', input: '{}' },
                  { id: 'p', type: 'tool', tool: 'pay', input: '{}' },
                ],
              },
              { id: 'b', nodes: [{ id: 'asks', type: 'approval', input: '1' }] },
            ],
          },
        ],
      })
      const run = await works.begin('draining')
      await entered.promise
      const stopped = works.worker.stop(10_000)
      gate.resolve()
      await stopped
      assert.equal((await works.runtime.get(works.tenantId, run.id)).state, 'queued')
      const trail = await works.trail(run)
      assert.ok(trail.includes('par.a.s done') && trail.includes('par.b.asks waiting'), trail.join(', '))
      assert.deepEqual(works.ledger.calls, [])
      await using other = await openWorks({ db, ledger: works.ledger, codeTools: [slow] })
      await other.approve(run)
      let end = await other.settled(run)
      while (end.state === 'waiting') end = await other.settled(run)
      assert.deepEqual([end.state, end.error], ['completed', null])
      assert.deepEqual(
        works.ledger.calls.map(({ tool }) => tool),
        ['pay'],
      )
      await works[Symbol.asyncDispose]()
    })

    it('what a worker cannot run below waits for one that can, and gives nothing up', async () => {
      await using db = await open()
      const special = defineTool({
        name: 'special',
        description: 'Only one host has it.',
        input: { type: 'object' },
        effect: 'read',
        run: async () => 'special',
      })
      await using knowing = await openWorks({ db, codeTools: [special], working: false })
      await knowing.publish({
        name: 'below',
        nodes: [{ id: 'does', type: 'tool', tool: 'special', input: '{}' }],
      })
      await knowing.publish({
        name: 'above',
        nodes: [
          {
            id: 'par',
            type: 'parallel',
            branches: [
              { id: 'a', nodes: [{ id: 'asks', type: 'approval', input: '1' }] },
              { id: 'b', nodes: [{ id: 'calls', type: 'workflow', workflow: 'below', input: '{}' }] },
            ],
          },
        ],
      })
      const run = await knowing.begin('above')
      {
        await using other = await openWorks({ db })
        for (let round = 0; round < 2_000; round++) {
          if ((await other.runtime.get(other.tenantId, run.id)).blockedBy !== null) break
          await new Promise((resolve) => setImmediate(resolve))
        }
        const found = await other.runtime.get(other.tenantId, run.id)
        assert.equal(found.blockedBy?.code, 'tool.unregistered')
        assert.ok(!(await other.trail(run)).some((step) => step.endsWith('interrupted')))
      }
      await using able = await openWorks({ db, codeTools: [special] })
      await able.approve(run)
      let end = await able.settled(run)
      while (end.state === 'waiting') end = await able.settled(run)
      assert.deepEqual([end.state, end.error], ['completed', null])
    })

    it('an agent that waits below is left where it is while another branch goes on', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      await works.publish({ name: 'asking', nodes: [{ id: 'asks', type: 'approval', input: '1' }] })
      const run = await works.play(
        [
          {
            id: 'each',
            type: 'for_each',
            items: '[1, 2, 3]',
            concurrency: 3,
            nodes: [{ id: 'calls', type: 'workflow', workflow: 'asking', input: '{}' }],
          },
        ],
        { output: 'size(nodes.each)' },
      )
      assert.deepEqual([run.state, run.waitingReason], ['waiting', 'approval'])
      const below = (await works.runtime.list(works.tenantId, { limit: 10, workflow: 'asking' })).items
      for (const child of below) await works.approve(child)
      let end = await works.settled(run)
      while (end.state === 'waiting') end = await works.settled(run)
      assert.deepEqual([end.output, end.error], [3, null])
    })
  })
})
