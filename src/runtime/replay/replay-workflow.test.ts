import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { type Factory, openFactory } from '../../../test/support/factory.ts'
import { isAppError } from '../../base/errors.ts'
import type { RunId } from '../../base/ids.ts'
import type { WorkflowDefinition } from '../../contract/workflow.ts'
import { defineTool } from '../../define/define-tool.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import type { Run } from '../runtime.ts'

const context = { requestId: undefined }
const WAIT_MS = 20_000

function counted() {
  const calls: string[] = []
  const keep = defineTool({
    name: 'keep',
    description: 'Keeps a note.',
    input: { type: 'object' },
    effect: 'once',
    approval: 'never',
    run: async ({ note, refuse }) => {
      calls.push(String(note))
      if (refuse === true) throw new Error('The notebook is full.')
      return { kept: String(note), at: calls.length }
    },
  })
  return { calls, tools: [keep] }
}

const sayer = () => createScriptedModel('scripted', () => ({ text: 'Said.' }))

async function played(factory: Factory, definition: WorkflowDefinition): Promise<Run> {
  const { catalog, runtime, admin, tenantId } = factory
  await catalog.workflows.create(admin, definition, { publish: true }, context)
  const { id } = await runtime.start(admin, { workflow: definition.name, input: {} }, context)
  return runtime.wait(tenantId, id, WAIT_MS)
}

async function replayed(factory: Factory, id: RunId, input: object = {}): Promise<Run> {
  const made = await factory.runtime.replay(factory.admin, id, input, context)
  return factory.runtime.wait(factory.tenantId, made.id, WAIT_MS)
}

async function states(factory: Factory, { id }: Run): Promise<readonly string[]> {
  const steps = await factory.runtime.steps(factory.tenantId, id, { limit: 100, after: 0 })
  return steps.map(({ seq, path, state }) => `${seq} ${path} ${state}`)
}

const keep = (note: string, more = ''): string => `{"note": ${note}${more}}`

forEachDatabase((_name, open) => {
  describe('a replay of a workflow run', () => {
    it('answers tools by node and pass, also with their failures, and replays the runs below', async () => {
      await using db = await open()
      const { calls, tools } = counted()
      await using factory = await openFactory({ db, models: [sayer()], codeTools: tools })
      await factory.agent({ name: 'sayer' })
      const original = await played(factory, {
        name: 'flow',
        nodes: [
          {
            id: 'each',
            type: 'for_each',
            items: '["a", "b"]',
            nodes: [{ id: 'note', type: 'tool', tool: 'keep', input: keep('item') }],
          },
          {
            id: 'full',
            type: 'tool',
            tool: 'keep',
            input: keep('"c"', ', "refuse": true'),
            onError: 'continue',
          },
          { id: 'says', type: 'agent', agent: 'sayer', input: '"Say."' },
        ],
        output: '[nodes.each, nodes.full, nodes.says]',
      })
      assert.deepEqual([original.state, original.error], ['completed', null])
      assert.deepEqual(calls, ['a', 'b', 'c'])
      const again = await replayed(factory, original.id)
      assert.deepEqual([again.state, again.output], ['completed', original.output])
      assert.deepEqual(calls, ['a', 'b', 'c'])
      const said = (await factory.runtime.list(factory.tenantId, { limit: 10, agent: 'sayer' })).items
      const [mine, theirs] = said
      assert.equal(mine?.parentRunId, again.id)
      assert.equal(mine?.replayOf, theirs?.id)
      const usage = await db
        .tenant(factory.tenantId)
        .read((reader) =>
          reader.query((builder, tenantId) =>
            builder
              .selectFrom('usageRecords')
              .select(['runId', 'replay'])
              .where('tenantId', '=', tenantId)
              .where('kind', '=', 'model_call'),
          ),
        )
      assert.deepEqual(usage.map(({ runId, replay }) => [runId === mine?.id, replay]).sort(), [
        [false, 0],
        [true, 1],
      ])
    })

    it('asks nobody again', async () => {
      await using db = await open()
      await using factory = await openFactory({ db, models: [sayer()] })
      const waiting = await played(factory, {
        name: 'flow',
        nodes: [{ id: 'ok', type: 'approval', input: '{"amount": 5}' }],
        output: 'nodes.ok',
      })
      const { runtime, admin, tenantId } = factory
      const { items } = await runtime.approvals.list(tenantId, { limit: 1, runId: waiting.id })
      const asked = items[0] ?? assert.fail()
      await runtime.approvals.decide(admin, asked.id, { outcome: 'approve' }, context)
      const original = await runtime.wait(tenantId, waiting.id, WAIT_MS)
      assert.equal(original.state, 'completed')
      const again = await replayed(factory, original.id)
      assert.deepEqual([again.state, again.output], ['completed', original.output])
      const live = await replayed(factory, original.id, { tools: 'live' })
      assert.equal(live.state, 'waiting')
    })

    it('takes what an event brought from the record, and no other event', async () => {
      await using db = await open()
      await using factory = await openFactory({ db, models: [sayer()] })
      const waiting = await played(factory, {
        name: 'flow',
        nodes: [{ id: 'paid', type: 'wait', event: { name: 'paid' } }],
        output: 'nodes.paid.amount',
      })
      const { runtime, admin, tenantId } = factory
      const sent = { name: 'paid', correlation: '', data: { amount: 5 } }
      await runtime.triggers.send(admin, sent, context)
      const original = await runtime.wait(tenantId, waiting.id, WAIT_MS)
      assert.deepEqual([original.state, original.output], ['completed', 5])
      const again = await replayed(factory, original.id)
      assert.deepEqual([again.state, again.output], ['completed', 5])
    })

    it('goes on from a node: what came before keeps what it gave', async () => {
      await using db = await open()
      const { calls, tools } = counted()
      await using factory = await openFactory({ db, models: [sayer()], codeTools: tools })
      const original = await played(factory, {
        name: 'flow',
        nodes: [
          { id: 'first', type: 'tool', tool: 'keep', input: keep('"first"') },
          {
            id: 'each',
            type: 'for_each',
            items: '["a", "b"]',
            nodes: [{ id: 'note', type: 'tool', tool: 'keep', input: keep('item') }],
          },
          { id: 'last', type: 'tool', tool: 'keep', input: keep('"last"') },
        ],
        output: '[nodes.first, nodes.each, nodes.last]',
      })
      assert.equal(original.state, 'completed')
      const trail = await states(factory, original)
      assert.deepEqual(trail, [
        '1 first done',
        '2 each done',
        '3 each[0].note done',
        '4 each[1].note done',
        '5 last done',
      ])
      calls.length = 0
      // The second pass again, live: the loop is open again, and the first pass is not.
      const again = await replayed(factory, original.id, { from: 4, tools: 'live' })
      assert.deepEqual([again.state, again.error], ['completed', null])
      assert.deepEqual(calls, ['b', 'last'])
      assert.deepEqual(await states(factory, again), trail)
      const recorded = await replayed(factory, original.id, { from: 4 })
      assert.deepEqual(recorded.output, original.output)
      assert.deepEqual(calls, ['b', 'last'])
      await assert.rejects(replayed(factory, original.id, { from: 9 }), (error) => {
        assert.ok(isAppError(error, 'run.not-replayable'))
        assert.match(error.message, /take one of 1, 2, 3, 4, 5/)
        return true
      })
    })

    it('runs another version, and refuses what a workflow does not have', async () => {
      await using db = await open()
      await using factory = await openFactory({ db, models: [sayer()] })
      const one = { id: 'a', type: 'transform' as const, value: '1' }
      const original = await played(factory, { name: 'flow', nodes: [one] })
      const second = { name: 'flow', nodes: [{ ...one, value: '2' }] }
      await factory.catalog.workflows.update(factory.admin, 'flow', second, { publish: false }, context)
      const again = await replayed(factory, original.id, { version: 2 })
      assert.deepEqual([again.definitionVersion, again.output], [2, 2])
      for (const change of [{ model: 'scripted/x' }, { instructions: 'No.' }])
        await assert.rejects(replayed(factory, original.id, change), (error) =>
          isAppError(error, 'request.invalid'),
        )
    })

    it('is refused where nothing was kept', async () => {
      await using db = await open()
      await using factory = await openFactory({ db, models: [sayer()], capture: 'metadata' })
      const original = await played(factory, {
        name: 'flow',
        nodes: [{ id: 'a', type: 'transform', value: '1' }],
      })
      await assert.rejects(replayed(factory, original.id), (error) => isAppError(error, 'run.not-replayable'))
    })
  })
})
