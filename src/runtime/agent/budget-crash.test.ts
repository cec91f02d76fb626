import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Around, aroundWrites } from '../../../test/support/around-writes.ts'
import { CALL_NANOS, kindsOf, openBudgeted, SHORT, spentOf, usageOf } from '../../../test/support/budgeted.ts'
import { addBudget, holdsOf } from '../../../test/support/budgets.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import type { RunId } from '../../base/ids.ts'
import { defineTool } from '../../define/define-tool.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import type { Database } from '../../storage/database.ts'

const FINE = 1_000_000_000_000n
const WAIT_MS = 10_000
const context = { requestId: undefined }
/** A worker with it dies as far as others can tell: its leases lapse at once. */
const SILENT = { leaseMs: 1, heartbeatMs: 3_600_000 }
/** More writes than the run has. */
const WRITES_MAX = 12

const look = defineTool({
  name: 'look',
  description: 'Looks.',
  input: { type: 'object' },
  effect: 'read',
  run: async () => 'seen',
})

/** Decides by the messages alone, so that it says the same whoever asks. */
function script() {
  return createScriptedModel('scripted', ({ messages }) =>
    messages.length > 1 ? { text: 'Done.' } : { toolCalls: [{ tool: 'look', arguments: {} }] },
  )
}

function open(db: Database, lease?: typeof SILENT, working = true) {
  const more = lease === undefined ? {} : { lease }
  return openBudgeted({ db, models: [script()], codeTools: [look], working, ...more })
}

/** The process dies at its n-th write after it is armed: before it is made, or before anybody hears that it was. */
function dying(db: Database, last: number, when: 'before' | 'after') {
  const died = Promise.withResolvers<void>()
  let writes = 0
  let armed = false
  const around: Around = async (write, work) => {
    if (!armed) return write(work)
    writes += 1
    if (writes > last || (writes === last && when === 'before')) return dead()
    const result = await write(work)
    return writes === last ? dead() : result
  }
  const dead = (): Promise<never> => {
    died.resolve()
    return new Promise(() => undefined)
  }
  const arm = (): void => {
    armed = true
  }
  return { db: aroundWrites(db, around), died: died.promise, arm }
}

forEachDatabase((_, openDatabase) => {
  describe('a worker that dies at any of its writes', () => {
    for (const when of ['before', 'after'] as const) {
      it(`leaves no money held, and bills what was done once (${when} the write)`, async () => {
        for (let last = 2; last < WRITES_MAX; last++) {
          await using db = await openDatabase()
          const doomed = dying(db, last, when)
          const first = await open(doomed.db, SILENT, false)
          const { tenantId, admin, runtime } = first
          const budget = await addBudget(db, tenantId, { limitNanos: FINE })
          await first.agent({ name: 'one', tools: ['look'], ...SHORT })
          const { id } = await runtime.start(admin, { agent: 'one', input: 'Go.' }, context)
          doomed.arm()
          void first.worker.start()
          const ended = runtime.wait(tenantId, id, WAIT_MS).then(({ state }) => state)
          const reached = await Promise.race([doomed.died.then(() => 'died' as const), ended])
          {
            await using second = await open(db)
            const run = await second.runtime.wait(tenantId, id, WAIT_MS)
            assert.equal(run.state, 'completed', `write ${last}: ${run.error?.message}`)
            await assertBalanced(db, second, budget, id)
          }
          if (reached !== 'died') break
        }
      })
    }

    it('charges the estimate of the call that was on its way', async () => {
      await using db = await openDatabase()
      const called = Promise.withResolvers<void>()
      const hanging = {
        name: 'scripted',
        call: (): Promise<never> => {
          called.resolve()
          return new Promise(() => undefined)
        },
      }
      const first = await openBudgeted({ db, models: [hanging], codeTools: [look], lease: SILENT })
      const { tenantId, admin, runtime } = first
      const budget = await addBudget(db, tenantId, { limitNanos: FINE })
      await first.agent({ name: 'one', tools: ['look'], ...SHORT })
      const { id } = await runtime.start(admin, { agent: 'one', input: 'Go.' }, context)
      await called.promise
      const before = await spentOf(first, budget)
      assert.ok(before.held > 0n)
      await using second = await open(db)
      const run = await second.runtime.wait(tenantId, id, WAIT_MS)
      assert.equal(run.state, 'completed')
      const states = (await holdsOf(db, tenantId)).map(({ state }) => state)
      assert.deepEqual(states, ['estimated', 'settled', 'settled'])
      const { settled, held } = await spentOf(second, budget)
      assert.equal(held, 0n)
      assert.ok(settled > 2n * CALL_NANOS)
    })

    it('a run that is cancelled while its model works holds nothing afterwards', async () => {
      await using db = await openDatabase()
      const called = Promise.withResolvers<void>()
      const slow = createScriptedModel('scripted', () => {
        called.resolve()
        return { text: 'Late.', delayMs: 3_600_000 }
      })
      await using factory = await openBudgeted({ db, models: [slow] })
      const { tenantId, admin, runtime } = factory
      const budget = await addBudget(db, tenantId, { limitNanos: FINE })
      await factory.agent({ name: 'one', ...SHORT })
      const { id } = await runtime.start(admin, { agent: 'one', input: 'Go.' }, context)
      await called.promise
      await runtime.cancel(admin, id, context)
      assert.equal((await runtime.wait(tenantId, id, WAIT_MS)).state, 'cancelled')
      const { settled, held } = await spentOf(factory, budget)
      assert.equal(held, 0n)
      assert.ok(settled > 0n, 'what the provider may have produced is counted')
      assert.deepEqual(kindsOf(await usageOf(db, id)), ['agent_run', 'model_call'])
    })
  })
})

/** Nothing is held, and what was settled is what is on record: known costs, and estimates of what nobody knows. */
async function assertBalanced(
  db: Database,
  factory: Parameters<typeof spentOf>[0],
  budget: Parameters<typeof spentOf>[1],
  id: RunId,
): Promise<void> {
  const { settled, held } = await spentOf(factory, budget)
  const holds = await holdsOf(db, factory.tenantId)
  const usage = await usageOf(db, id)
  const calls = usage.filter(({ kind }) => kind === 'model_call')
  const known = calls.reduce((sum, { costNanos }) => sum + (costNanos ?? 0n), 0n)
  const guessed = holds
    .filter(({ state }) => state === 'estimated')
    .reduce((sum, { settledNanos }) => sum + (settledNanos ?? 0n), 0n)
  assert.equal(held, 0n)
  assert.equal(settled, known + guessed)
  assert.equal(holds.length, calls.length)
  const others = kindsOf(usage.filter(({ kind }) => kind !== 'model_call'))
  assert.deepEqual(others, ['agent_run', 'tool_call'])
}
