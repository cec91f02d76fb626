import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { openWorks } from '../../../test/support/workflows.ts'

forEachDatabase((_name, open) => {
  describe('the nodes of a workflow', () => {
    it('transforms in sequence, with the output expression', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      const run = await works.play(
        [
          { id: 'a', type: 'transform', value: 'input.n + 1' },
          { id: 'b', type: 'transform', value: 'nodes.a * 2' },
        ],
        { value: { n: 3 }, output: '{"sum": nodes.a + nodes.b}' },
      )
      assert.deepEqual([run.state, run.output, run.error], ['completed', { sum: 12 }, null])
      assert.deepEqual(await works.trail(run), ['a done', 'b done'])
    })

    it('calls tools, agents and workflows', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      await works.agent({ name: 'sayer' })
      await works.publish({ name: 'below', nodes: [{ id: 'x', type: 'transform', value: 'input.n * 10' }] })
      const run = await works.play(
        [
          { id: 'pays', type: 'tool', tool: 'pay', input: '{"amount": 5}' },
          { id: 'says', type: 'agent', agent: 'sayer', input: '"Say."' },
          { id: 'calls', type: 'workflow', workflow: 'below', input: '{"n": 4}' },
        ],
        { output: '[nodes.pays.input.amount, nodes.says, nodes.calls]' },
      )
      assert.deepEqual([run.state, run.output, run.error], ['completed', [5, 'Said.', 40], null])
      assert.equal(works.ledger.calls[0]?.key, `${run.id}:1`)
    })

    it('switch takes the first case that is true, or else', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      for (const [n, expected] of [
        [1, 'one'],
        [2, 'two'],
        [3, 'many'],
      ] as const) {
        const run = await works.play(
          [
            {
              id: 'sw',
              type: 'switch',
              cases: [
                { when: 'input.n == 1', nodes: [{ id: 'x', type: 'transform', value: '"one"' }] },
                { when: 'input.n == 2', nodes: [{ id: 'x2', type: 'transform', value: '"two"' }] },
              ],
              else: [{ id: 'x3', type: 'transform', value: '"many"' }],
            },
          ],
          { value: { n } },
        )
        assert.deepEqual([run.output, run.error], [expected, null])
      }
    })

    it('parallel gives an object by branch, for-each a list in order, loop the last pass', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      const run = await works.play(
        [
          {
            id: 'par',
            type: 'parallel',
            branches: [
              { id: 'left', nodes: [{ id: 'x', type: 'tool', tool: 'look', input: '{"n": 1}' }] },
              { id: 'right', nodes: [{ id: 'x2', type: 'transform', value: '2' }] },
            ],
          },
          {
            id: 'each',
            type: 'for_each',
            items: '[3, 1, 2]',
            concurrency: 3,
            nodes: [
              { id: 'y', type: 'tool', tool: 'look', input: '{"n": item, "at": index}' },
              {
                id: 'z',
                type: 'transform',
                value: 'nodes.y.input.n * 100 + nodes.y.input.at + nodes.par.right',
              },
            ],
          },
          {
            id: 'lo',
            type: 'loop',
            while: 'index < 4',
            max: 10,
            nodes: [{ id: 'p', type: 'transform', value: 'previous == null ? 1 : previous * 2' }],
          },
        ],
        { output: '[nodes.par.left.input.n, nodes.each, nodes.lo]' },
      )
      assert.deepEqual([run.output, run.error], [[1, [302, 103, 204], 8], null])
      assert.ok((await works.trail(run)).includes('each[1].z done'))
    })

    it('a loop that goes on too long fails, and so does an expression, with its node named', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      const nodes = [{ id: 'p', type: 'transform', value: '1' }] as const
      const loop = await works.play([{ id: 'lo', type: 'loop', while: 'true', max: 3, nodes: [...nodes] }])
      assert.equal(loop.error?.code, 'limit.iterations')
      const bad = await works.play([{ id: 'a', type: 'transform', value: 'input.missing.b' }])
      assert.equal(bad.error?.code, 'expression.failed')
      assert.match(bad.error?.message ?? '', /Node "a", value/)
    })

    it('dead paths are skipped, and a join runs where one of its paths did', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      const run = await works.play([
        { id: 'a', type: 'transform', value: '1', after: [] },
        { id: 'b', type: 'transform', value: '2', after: ['a'], when: 'false' },
        { id: 'c', type: 'transform', value: '3', after: ['a'] },
        { id: 'd', type: 'transform', value: '4', after: ['b'] },
        { id: 'e', type: 'transform', value: '5', after: ['d', 'c'] },
        { id: 'f', type: 'transform', value: '6', after: ['d'] },
      ])
      assert.deepEqual([run.output, run.error], [5, null])
      assert.deepEqual((await works.trail(run)).toSorted(), [
        'a done',
        'b skipped',
        'c done',
        'd skipped',
        'e done',
        'f skipped',
      ])
    })

    it('a failure fails the run, is gone on with, or is taken over by another node', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      const failing = { id: 'a', type: 'tool', tool: 'break', input: '{}' } as const
      const rest = [{ id: 'b', type: 'transform', value: '"went on"' }] as const
      const failed = await works.play([failing, ...rest])
      assert.deepEqual([failed.state, failed.error?.code], ['failed', 'tool.failed'])
      const on = await works.play([{ ...failing, onError: 'continue' }, ...rest], {
        output: 'nodes.a.error.code + " " + nodes.b',
      })
      assert.equal(on.output, 'tool.failed went on')
      const to = await works.play([
        { ...failing, onError: { goTo: 'h' } },
        ...rest,
        { id: 'h', type: 'transform', value: 'nodes.a.error.code', after: [] },
      ])
      assert.deepEqual(
        [to.output, await works.trail(to)],
        ['tool.failed', ['a failed', 'b skipped', 'h done']],
      )
      const fine = await works.play([
        { id: 'a', type: 'transform', value: '1', onError: { goTo: 'h' } },
        ...rest,
        { id: 'h', type: 'transform', value: '0', after: [] },
      ])
      assert.deepEqual(
        [fine.output, (await works.trail(fine)).toSorted()],
        ['went on', ['a done', 'b done', 'h skipped']],
      )
    })

    it('input and output follow their schemas', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }
      const nodes = [{ id: 'a', type: 'transform', value: '{"n": "text"}' }] as const
      await assert.rejects(works.play([...nodes], { inputSchema: schema, value: { n: 'x' } }), {
        code: 'workflow.input-invalid',
      })
      const run = await works.play([...nodes], { outputSchema: schema })
      assert.equal(run.error?.code, 'workflow.output-invalid')
    })

    it('a result of any size is read back, by reference', async () => {
      await using db = await open()
      await using works = await openWorks({ db })
      const text = 'x'.repeat(20_000)
      const run = await works.play(
        [
          { id: 'a', type: 'tool', tool: 'look', input: '{"text": input.text}' },
          { id: 'ok', type: 'approval', input: 'nodes.a.input' },
          { id: 'b', type: 'transform', value: 'size(nodes.a.input.text)' },
        ],
        { value: { text } },
      )
      assert.equal(run.waitingReason, 'approval')
      await works.approve(run)
      const end = await works.settled(run)
      assert.deepEqual([end.output, end.error], [20_000, null])
    })
  })
})
