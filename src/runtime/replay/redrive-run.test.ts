import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { type Factory, openFactory } from '../../../test/support/factory.ts'
import { calling } from '../../../test/support/scripted-turns.ts'
import { AppError, isAppError } from '../../base/errors.ts'
import type { RunId } from '../../base/ids.ts'
import { defineTool } from '../../define/define-tool.ts'
import type { ModelRequest } from '../../models/model.ts'
import type { ScriptedTurn } from '../../models/scripted/script.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import type { Database, TenantTransaction } from '../../storage/database.ts'
import { type Bind, statement } from '../../storage/statement.ts'
import { closeBelow, closeRun } from '../agent/close-run.ts'
import { runById } from '../journal/run-store.ts'
import type { UsageFact } from '../metering.ts'
import type { Run, StartRunInput } from '../runtime.ts'

const context = { requestId: undefined }
const WAIT_MS = 20_000

/** The n-th turn of whoever has that tool first. */
function scripted(turns: Readonly<Record<string, readonly ScriptedTurn[]>>) {
  return createScriptedModel('scripted', (request: ModelRequest) => {
    const answers = request.messages.filter(({ role }) => role === 'assistant').length
    return turns[request.tools[0]?.name ?? 'none']?.[answers] ?? { text: 'Done.' }
  })
}

/** Tools whose calls are counted; `hang` does not come back the first time. */
function countedTools(effect: 'once' | 'idempotent' | 'read') {
  const keys: string[] = []
  const looked: number[] = []
  const entered = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  const look = defineTool({
    name: 'look',
    description: 'Looks something up.',
    input: { type: 'object' },
    effect: 'read',
    run: async () => {
      looked.push(1)
      return 'seen'
    },
  })
  const hang = defineTool({
    name: 'hang',
    description: 'Does not come back the first time.',
    input: { type: 'object' },
    effect,
    approval: 'never',
    run: async (_input, { idempotencyKey }) => {
      keys.push(idempotencyKey)
      if (keys.length > 1) return 'back'
      entered.resolve()
      await gone.promise
      return 'too late'
    },
  })
  const ask = defineTool({
    name: 'ask',
    description: 'Needs a person.',
    input: { type: 'object' },
    effect: 'idempotent',
    approval: 'always',
    run: async () => 'allowed',
  })
  return { keys, looked, entered: entered.promise, gone: gone.resolve, tools: [look, hang, ask] }
}

const killJob = statement('test.kill-job', (db, p: Bind<{ runId: RunId }>) =>
  db
    .updateTable('jobs')
    .set({ state: 'dead', errorCode: 'run.lost', errorMessage: 'Too many workers died.' })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId),
)

/** What the queue does with a job whose workers died too often. */
async function bury(factory: Factory, id: RunId): Promise<readonly UsageFact[]> {
  const at = Date.now()
  const facts: UsageFact[] = []
  const { metering, reservations: budgets } = factory.money
  const closing = {
    metering: {
      ...metering,
      record: async (tx: TenantTransaction, fact: UsageFact) => {
        facts.push(fact)
        await metering.record(tx, fact)
      },
    },
    budgets,
    prices: await metering.prices(factory.tenantId),
    capture: 'full' as const,
    actor: 'test',
    at,
  }
  await factory.db.tenant(factory.tenantId).write(async (tx) => {
    const run = (await tx.first(runById, { id })) ?? assert.fail()
    await closeRun(tx, id, { state: 'failed', error: new AppError('run.lost', 'Lost.') }, closing)
    await closeBelow(tx, run, closing)
    await tx.run(killJob, { runId: id })
  })
  return facts
}

/** A factory with the counted tools, whose runs begin, hang and die. */
async function openDoomed(
  db: Database,
  effect: 'once' | 'idempotent' | 'read',
  turns: Readonly<Record<string, readonly ScriptedTurn[]>>,
) {
  const made = countedTools(effect)
  const factory = await openFactory({ db, models: [scripted(turns)], codeTools: made.tools })
  const { runtime, admin, tenantId } = factory
  return {
    ...factory,
    made,
    /** Starts a run and comes back when it hangs. */
    async begin(input: StartRunInput): Promise<RunId> {
      const { id } = await runtime.start(admin, input, context)
      await made.entered
      return id
    },
    async die(id: RunId): Promise<void> {
      await bury(factory, id)
      made.gone()
    },
    /** Redrives a run, and waits until the new one has ended or waits for somebody. */
    async redriven(id: RunId): Promise<Run> {
      const again = await runtime.redrive(admin, id, context)
      return runtime.wait(tenantId, again.id, WAIT_MS)
    },
  }
}

forEachDatabase((_name, open) => {
  describe('redriving a dead run', () => {
    it('goes on from its record: nothing that happened is done again, and the same key is used', async () => {
      await using db = await open()
      await using doomed = await openDoomed(db, 'idempotent', {
        look: [calling(['look']), calling(['hang'])],
      })
      await doomed.agent({ name: 'clerk', tools: ['look', 'hang'] })
      const { made, runtime, tenantId } = doomed
      const id = await doomed.begin({ agent: 'clerk', input: 'Go.' })
      await doomed.die(id)
      const done = await doomed.redriven(id)
      assert.equal(done.state, 'completed')
      assert.equal(done.redriveOf, id)
      assert.equal(done.replayOf, null)
      assert.deepEqual(made.looked, [1])
      assert.deepEqual(made.keys, [`${id}:4`, `${id}:4`])
      assert.equal((await runtime.get(tenantId, id)).state, 'failed')
      const calls = await runtime.modelCalls(tenantId, done.id, { limit: 10 })
      assert.equal(calls.items.length, 1)
    })

    it('leaves a once call that was open in doubt, and is done once', async () => {
      await using db = await open()
      await using doomed = await openDoomed(db, 'once', { hang: [calling(['hang'])] })
      await doomed.agent({ name: 'clerk', tools: ['hang'] })
      const { made, runtime, admin, tenantId } = doomed
      const id = await doomed.begin({ agent: 'clerk', input: 'Go.' })
      await assert.rejects(runtime.redrive(admin, id, context), (error) =>
        isAppError(error, 'run.state-conflict'),
      )
      await doomed.die(id)
      const waiting = await doomed.redriven(id)
      assert.deepEqual([waiting.state, waiting.waitingReason], ['waiting', 'in_doubt'])
      assert.equal(made.keys.length, 1)
      await runtime.resolve(admin, waiting.id, 2, { outcome: 'succeeded', output: 'It was done.' }, context)
      assert.equal((await runtime.wait(tenantId, waiting.id, WAIT_MS)).state, 'completed')
      assert.equal(made.keys.length, 1)
      await assert.rejects(runtime.redrive(admin, id, context), (error) =>
        isAppError(error, 'run.state-conflict'),
      )
    })

    it('asks again what a person had not answered', async () => {
      await using db = await open()
      await using doomed = await openDoomed(db, 'read', { ask: [calling(['ask'], ['hang'])] })
      await doomed.agent({ name: 'clerk', tools: ['ask', 'hang'] })
      const { runtime, admin, tenantId } = doomed
      const id = await doomed.begin({ agent: 'clerk', input: 'Go.' })
      await doomed.die(id)
      const waiting = await doomed.redriven(id)
      assert.deepEqual([waiting.state, waiting.waitingReason], ['waiting', 'approval'])
      const pending = await runtime.approvals.list(tenantId, { limit: 10, runId: waiting.id })
      assert.equal(pending.items.length, 1)
      await runtime.resolve(admin, waiting.id, 2, { outcome: 'approve' }, context)
      assert.equal((await runtime.wait(tenantId, waiting.id, WAIT_MS)).state, 'completed')
    })

    it('goes on below as well', async () => {
      await using db = await open()
      await using doomed = await openDoomed(db, 'idempotent', {
        below: [calling(['below', { input: 'A' }])],
        look: [calling(['look']), calling(['hang'])],
      })
      await doomed.agent({ name: 'below', tools: ['look', 'hang'] })
      await doomed.agent({ name: 'top', subAgents: ['below'] })
      const { made, runtime, tenantId } = doomed
      const id = await doomed.begin({ agent: 'top', input: 'Go.' })
      await doomed.die(id)
      const done = await doomed.redriven(id)
      assert.equal(done.state, 'completed')
      assert.deepEqual(made.looked, [1])
      assert.equal(made.keys.length, 2)
      assert.equal(made.keys[0], made.keys[1])
      const below = (await runtime.list(tenantId, { limit: 10, agent: 'below' })).items
      assert.deepEqual(
        below.map(({ state, parentRunId }) => [state, parentRunId === done.id]),
        [
          ['completed', true],
          ['cancelled', false],
        ],
      )
    })

    it('goes on in a workflow: what is done stays, what was open is made, and who was asked is asked', async () => {
      await using db = await open()
      await using doomed = await openDoomed(db, 'idempotent', {})
      const { made, catalog, runtime, admin, tenantId } = doomed
      await catalog.workflows.create(
        admin,
        {
          name: 'flow',
          nodes: [
            { id: 'looks', type: 'tool', tool: 'look', input: '{}' },
            {
              id: 'both',
              type: 'parallel',
              branches: [
                { id: 'left', nodes: [{ id: 'ok', type: 'approval', input: '1' }] },
                { id: 'right', nodes: [{ id: 'hangs', type: 'tool', tool: 'hang', input: '{}' }] },
              ],
            },
          ],
          output: '[nodes.looks, nodes.both.right]',
        },
        { publish: true },
        context,
      )
      const id = await doomed.begin({ workflow: 'flow', input: {} })
      await doomed.die(id)
      const waiting = await doomed.redriven(id)
      assert.deepEqual(
        [waiting.state, waiting.waitingReason, waiting.kind],
        ['waiting', 'approval', 'workflow'],
      )
      const { items } = await runtime.approvals.list(tenantId, { limit: 10, runId: waiting.id })
      await runtime.approvals.decide(admin, items[0]?.id ?? assert.fail(), { outcome: 'approve' }, context)
      const done = await runtime.wait(tenantId, waiting.id, WAIT_MS)
      assert.deepEqual([done.state, done.output], ['completed', ['seen', 'back']])
      assert.deepEqual(made.looked, [1])
      assert.equal(made.keys.length, 2)
      assert.equal(made.keys[0], made.keys[1])
    })

    it('leaves a replay a replay, also in what a crash cut off', async () => {
      await using db = await open()
      let slow = true
      const model = createScriptedModel('scripted', (request) =>
        request.model === 'scripted/slow' && slow ? { text: 'late', delayMs: 60_000 } : { text: 'Done.' },
      )
      await using factory = await openFactory({ db, models: [model] })
      await factory.agent({ name: 'clerk' })
      const { runtime, admin, tenantId } = factory
      const original = await factory.run('clerk', 'Go.')
      const { id } = await runtime.replay(admin, original.id, { model: 'scripted/slow' }, context)
      while (model.calls() < 2) await new Promise(setImmediate)
      slow = false
      const facts = await bury(factory, id)
      assert.deepEqual(
        facts.map(({ of, replay }) => [of.runId, replay]),
        [[id, true]],
      )
      const again = await runtime.redrive(admin, id, context)
      const done = await runtime.wait(tenantId, again.id, WAIT_MS)
      assert.deepEqual([done.state, done.replayOf, done.redriveOf], ['completed', original.id, id])
      const calls = await runtime.modelCalls(tenantId, again.id, { limit: 10 })
      assert.deepEqual(
        calls.items.map((call) => call.model),
        ['scripted/slow'],
      )
    })

    it('keeps the word of its session', async () => {
      await using db = await open()
      await using doomed = await openDoomed(db, 'idempotent', { hang: [calling(['hang'])] })
      await doomed.agent({ name: 'clerk', tools: ['hang'] })
      const { runtime, admin, tenantId } = doomed
      const { id: sessionId } = await runtime.createSession(admin, 'clerk', context)
      const id = await doomed.begin({ agent: 'clerk', input: 'Go.', sessionId })
      await doomed.die(id)
      const done = await doomed.redriven(id)
      assert.equal(done.state, 'completed')
      const session = await runtime.session(tenantId, sessionId)
      assert.deepEqual([session.turnCount, session.activeRunId], [1, null])
    })
  })
})
