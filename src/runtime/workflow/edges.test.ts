import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aroundWrites } from '../../../test/support/around-writes.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { approval, context, ended, openWorks, until } from '../../../test/support/workflows.ts'
import { AppError } from '../../base/errors.ts'
import type { WorkflowNode } from '../../contract/workflow.ts'
import { defineTool } from '../../define/define-tool.ts'
import { silentObserver } from '../observer.ts'
import type { Run } from '../runtime.ts'

const MINUTE = 60_000

forEachDatabase((_name, open) => {
  describe('a workflow at its edges', () => {
    it('expressions know the run, the same after a wait and in a replay from the record', async () => {
      await using db = await open()
      const works = await openWorks({ db })
      const facts = '{"id": run.id, "at": run.started_at, "name": run.workflow, "version": run.version}'
      const run = await works.play([
        { id: 'first', type: 'transform', value: facts },
        approval('asks'),
        { id: 'puts', type: 'tool', tool: 'put', input: facts },
        { id: 'both', type: 'transform', value: `[nodes.first, nodes.puts.input, ${facts}]` },
      ])
      await works[Symbol.asyncDispose]()
      await using other = await openWorks({ db, ledger: works.ledger })
      await other.approve(run)
      const end = await until(other, run, ended)
      const wanted = {
        id: run.id,
        at: new Date(end.startedAt ?? 0).toISOString(),
        name: run.definitionName,
        version: 1,
      }
      assert.deepEqual([end.output, end.error], [[wanted, wanted, wanted], null])
      const again = await other.runtime.replay(other.admin, run.id, {}, context)
      const replayed = await until(other, again, ended)
      assert.deepEqual([replayed.output, replayed.error], [end.output, null])
      assert.equal(other.ledger.calls.length, 1)
    })

    it('undoes what was done inside a failed block, though a person is asked in between', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      const sign = { type: 'tool', tool: 'sign', input: '{"n": result.input.n}' } as const
      const run = await works.play([
        {
          id: 'each',
          type: 'for_each',
          items: '[1, 2]',
          nodes: [
            { id: 'b', type: 'tool', tool: 'put', input: '{"n": item}', compensate: sign },
            { id: 'c', type: 'tool', tool: 'break', input: '{}', when: 'item == 2' },
          ],
        },
      ])
      assert.deepEqual([run.state, run.waitingReason], ['waiting', 'approval'])
      let end = run
      for (let round = 0; end.state === 'waiting' && round < 4_000; round++) {
        await works.approve(run)
        end = await works.settled(run)
      }
      assert.deepEqual([end.state, end.error?.code], ['failed', 'tool.failed'])
      const signed = works.ledger.calls.filter(({ tool }) => tool === 'sign')
      assert.deepEqual(
        signed.map(({ input }) => input),
        [{ n: 2 }, { n: 1 }],
      )
    })

    it('a called run that waits too long is cancelled, and asks nobody any more', async () => {
      await using db = await open()
      const clock = { ms: 0 }
      await using works = await openWorks({ db, clock: () => Date.now() + clock.ms })
      await works.publish({ name: 'asking', nodes: [approval('asks')] })
      const run = await works.play([
        {
          id: 'calls',
          type: 'workflow',
          workflow: 'asking',
          input: '{}',
          timeout: { run: '10m' },
          onError: 'continue',
        },
      ])
      assert.deepEqual([run.state, run.waitingReason], ['waiting', 'approval'])
      clock.ms += 11 * MINUTE
      works.worker.wake()
      const end = await until(works, run, ended)
      assert.equal(end.state, 'completed')
      assert.equal((end.output as { error: { code: string } }).error.code, 'node.timeout')
      const below = (await works.runtime.list(works.tenantId, { limit: 1, workflow: 'asking' })).items[0]
      assert.equal(below?.state, 'cancelled')
      assert.deepEqual(await works.trail(below), ['asks interrupted'])
    })

    it('a block that failed just before its worker stopped begins anew in its next attempt', async () => {
      await using db = await open()
      const entered = Promise.withResolvers<void>()
      const gate = Promise.withResolvers<void>()
      let calls = 0
      const second = defineTool({
        name: 'second',
        description: 'Works the second time.',
        input: { type: 'object' },
        effect: 'idempotent',
        maxAttempts: 1,
        run: async () => {
          calls += 1
          if (calls > 1) return 'worked'
          entered.resolve()
          await gate.promise
          throw new Error('Not yet.')
        },
      })
      const works = await openWorks({ db, codeTools: [second], random: () => 1 })
      await works.publish({
        name: 'anew',
        nodes: [
          {
            id: 'each',
            type: 'for_each',
            items: '[1, 2]',
            retry: { maxAttempts: 2, backoff: '2s' },
            nodes: [{ id: 's', type: 'tool', tool: 'second', input: '{}' }],
          },
        ],
      })
      const run = await works.begin('anew')
      await entered.promise
      // The pause before the other attempt ends with the worker.
      const failed = (async () => {
        gate.resolve()
        await new Promise((resolve) => setTimeout(resolve, 50))
        await works.worker.stop(10_000)
      })()
      await failed
      assert.deepEqual(await works.trail(run), ['each failed', 'each[0].s failed'])
      await works[Symbol.asyncDispose]()
      await using other = await openWorks({ db, codeTools: [second] })
      const end = await until(other, run, ended)
      assert.deepEqual([end.state, end.output, end.error], ['completed', ['worked', 'worked'], null])
    })

    it('a wait for an event that is tried again waits for the event again', async () => {
      await using db = await open()
      const clock = { ms: 0 }
      await using works = await openWorks({ db, clock: () => Date.now() + clock.ms, random: () => 1 })
      const retry = { maxAttempts: 2, backoff: '10m', maxBackoff: '10m' }
      const reached = async (run: Run, reason: string): Promise<void> => {
        for (let round = 0; round < 4_000; round++) {
          works.worker.wake()
          await new Promise((resolve) => setImmediate(resolve))
          const step = (await works.allSteps(run)).find(({ seq }) => seq === 2)
          if (step?.waitingReason === reason) return
        }
        assert.fail(`it never waits: ${reason}`)
      }
      const failAndPause = async (run: Run, reason: string): Promise<void> => {
        clock.ms += 61 * MINUTE
        await reached(run, 'time')
        clock.ms += 11 * MINUTE
        await reached(run, reason)
      }
      const run = await works.play([
        { id: 'ev', type: 'wait', event: { name: 'paid', correlation: '"7"', timeout: '1h' }, retry },
      ])
      await failAndPause(run, 'event')
      await works.runtime.triggers.send(
        works.admin,
        { name: 'paid', correlation: '7', data: { sum: 3 } },
        context,
      )
      const end = await until(works, run, ended)
      assert.deepEqual([end.state, end.output, end.error], ['completed', { sum: 3 }, null])
      const asked = await works.play([{ ...approval('asks'), retry, timeout: { run: '1h' } } as WorkflowNode])
      await failAndPause(asked, 'approval')
      await works.approve(asked)
      assert.equal((await until(works, asked, ended)).state, 'completed')
    })

    it('a cancel from elsewhere reaches a run that is being undone because its time was over', async () => {
      await using db = await open()
      const undoing = Promise.withResolvers<void>()
      const hang = (name: string, begun?: () => void) =>
        defineTool({
          name,
          description: 'Hangs.',
          input: { type: 'object' },
          effect: 'read',
          maxAttempts: 1,
          run: async () => {
            begun?.()
            await new Promise(() => undefined)
            return ''
          },
        })
      const codeTools = [hang('hang'), hang('hang_undo', undoing.resolve)]
      await using works = await openWorks({ db, codeTools, lease: { heartbeatMs: 20 } })
      await works.publish({
        name: 'late',
        limits: { timeoutMs: 1_500 },
        nodes: [
          {
            id: 'a',
            type: 'tool',
            tool: 'put',
            input: '{}',
            compensate: { type: 'tool', tool: 'hang_undo', input: '{}' },
          },
          { id: 'b', type: 'tool', tool: 'hang', input: '{}' },
        ],
      })
      const run = await works.begin('late')
      await undoing.promise
      await using elsewhere = await openWorks({ db, codeTools, working: false })
      await elsewhere.runtime.cancel(elsewhere.admin, run.id, context)
      assert.equal((await until(works, run, ended)).state, 'cancelled')
    })

    it('a cancelled run whose end could not be stored is taken up again, and ends', async () => {
      await using db = await open()
      let failing = false
      const flaky = aroundWrites(db, (write, work) =>
        failing ? Promise.reject(new AppError('storage.full', 'The disk is full.')) : write(work),
      )
      const begun = Promise.withResolvers<void>()
      const hang = defineTool({
        name: 'hang',
        description: 'Hangs.',
        input: { type: 'object' },
        effect: 'read',
        run: async (_input, { signal }) => {
          begun.resolve()
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          failing = true
          return ''
        },
      })
      const works = await openWorks({
        db: flaky,
        codeTools: [hang],
        lease: { heartbeatMs: 20 },
        // By the time the job is to be settled, the database is well again.
        observer: {
          ...silentObserver,
          trouble: (what) => {
            if (what.startsWith('A run could not go on')) failing = false
          },
        },
      })
      await works.publish({ name: 'hangs', nodes: [{ id: 'a', type: 'tool', tool: 'hang', input: '{}' }] })
      const run = await works.begin('hangs')
      await begun.promise
      const clock = { ms: 0 }
      const codeTools = [hang]
      await using other = await openWorks({
        db,
        codeTools,
        working: false,
        clock: () => Date.now() + clock.ms,
      })
      await other.runtime.cancel(other.admin, run.id, context)
      while (works.worker.active() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
      clock.ms += 10 * MINUTE
      await other.worker.start()
      assert.equal((await until(other, run, ended)).state, 'cancelled')
      failing = false
      await works[Symbol.asyncDispose]()
    })
  })
})
