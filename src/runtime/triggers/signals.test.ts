import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { afterChanges } from '../../../test/support/around-writes.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { openFactory } from '../../../test/support/factory.ts'
import { isAppError } from '../../base/errors.ts'
import { newId, type RunId, type TenantId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import { systemStatement } from '../../storage/statement.ts'
import { createTriggers, SIGNAL_RETENTION_MS, TICK_RETENTION_MS, triggerTasks } from './create-triggers.ts'
import { deliverSignals } from './deliver-signals.ts'
import { sendSignal } from './send-signal.ts'
import { closeSignalWait, openSignalWait } from './signal-waits.ts'
import { context, openTriggerBench, START, type TriggerBench } from './trigger-bench.test.ts'

const event = (data: Json, name = 'paid', correlation = '') => ({ name, correlation, data })
const waitRows = systemStatement('test.waits', 'a test looks at all waits', (db) =>
  db.selectFrom('signalWaits').select(['step', 'state']).orderBy('runId').orderBy('step'),
)

const signalRows = systemStatement('test.signals', 'a test looks at all events', (db) =>
  db.selectFrom('signals').select('id'),
)
const tickRows = systemStatement('test.ticks', 'a test looks at all ticks', (db) =>
  db.selectFrom('triggerTicks').select('state'),
)

async function steps({ factory }: TriggerBench, runId: RunId) {
  const found = await factory.runtime.steps(factory.tenantId, runId, { limit: 10, after: 0 })
  return found.map(({ state, output }) => [state, output])
}

forEachDatabase((name, open) => {
  describe('named events', () => {
    it('end the step that waits, once, and wake its run', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin, runtime, tenantId } = bench.factory
      const { runId, got } = await bench.waitFor('paid', { correlation: 'order-1' })
      assert.equal(got, undefined)
      await bench.triggers.send(admin, event({ amount: 1 }, 'paid', 'order-2'), context)
      await bench.triggers.send(admin, event({ amount: 1 }, 'sent', 'order-1'), context)
      assert.deepEqual(await steps(bench, runId), [['waiting', null]])
      const sent = await bench.triggers.send(admin, event({ amount: 5 }, 'paid', 'order-1'), context)
      assert.deepEqual(await steps(bench, runId), [['done', { amount: 5 }]])
      assert.equal((await runtime.get(tenantId, runId)).state, 'queued')
      await bench.triggers.send(admin, event({ amount: 9 }, 'paid', 'order-1'), context)
      assert.deepEqual(await steps(bench, runId), [['done', { amount: 5 }]])
      const told = await runtime.events(tenantId, runId, { limit: 50, after: 0 })
      assert.deepEqual(
        told.filter(({ type }) => type === 'signal.received').map(({ data }) => data),
        [{ step: 1, signal: sent.id, name: 'paid' }],
      )
      assert.equal((await bench.audit('signal.sent')).length, 4)
    })

    it('that came early are taken by the step that begins to wait, each once', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin } = bench.factory
      bench.clock.now = START - 1
      await bench.triggers.send(admin, event('before the run'), context)
      bench.clock.now = START
      await bench.triggers.send(admin, event('first'), context)
      await bench.triggers.send(admin, event('second'), context)
      const { runId, got } = await bench.waitFor('paid')
      assert.equal(got, 'first')
      assert.equal((await bench.waitFor('paid', { runId, step: 2 })).got, 'second')
      assert.equal((await bench.waitFor('paid', { runId, step: 3 })).got, undefined)
      // Asked again for a step, as after a crash, it answers the same.
      const again = { runId, step: 2, ...event(null), since: START, at: START }
      const known = await bench.factory.db
        .tenant(bench.factory.tenantId)
        .write((tx) => openSignalWait(tx, again))
      assert.equal(known?.data, 'second')
      // Another run has its own claim on them.
      assert.equal((await bench.waitFor('paid')).got, 'first')
    })

    it('go to every run that waits, and in a run to the step that waited first', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin } = bench.factory
      const { runId } = await bench.waitFor('paid')
      await bench.waitFor('paid', { runId, step: 2 })
      const other = await bench.waitFor('paid')
      await bench.triggers.send(admin, event(1), context)
      assert.deepEqual(await steps(bench, runId), [
        ['done', 1],
        ['waiting', null],
      ])
      assert.deepEqual(await steps(bench, other.runId), [['done', 1]])
      await bench.triggers.send(admin, event(2), context)
      assert.deepEqual(await steps(bench, runId), [
        ['done', 1],
        ['done', 2],
      ])
    })

    it('do not reach another tenant', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin, db } = bench.factory
      const { runId } = await bench.waitFor('paid')
      const foreign = { ...admin, tenantId: await otherTenant(bench) }
      await bench.triggers.send(foreign, event('theirs'), context)
      assert.deepEqual(await steps(bench, runId), [['waiting', null]])
      const seen = await db
        .tenant(foreign.tenantId)
        .read((reader) =>
          reader.query((builder, tenant) =>
            builder.selectFrom('signals').select('name').where('tenantId', '=', tenant),
          ),
        )
      assert.equal(seen.length, 1)
    })

    it('sent at the moment at which a step begins to wait are not lost, whoever is first', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin, runtime } = bench.factory
      for (let i = 0; i < 8; i++) {
        const { id: runId } = await runtime.start(admin, { agent: 'guide', input: 'x' }, context)
        const topic = `race-${i}`
        const wait = () => bench.waitFor(topic, { runId })
        const send = () => bench.triggers.send(admin, event(i, topic), context)
        const [first, second] = i % 2 === 0 ? [wait, send] : [send, wait]
        const both = await Promise.all([first(), second()])
        const got = both.map((one) => ('got' in one ? one.got : undefined)).find((one) => one !== undefined)
        const [state] = await steps(bench, runId)
        assert.ok(
          got === i || (state?.[0] === 'done' && state[1] === i),
          `${i}: ${JSON.stringify([got, state])}`,
        )
      }
    })

    if (name === 'postgres') {
      it('wait for a sender, or a step, that has not committed', async () => {
        await using bench = await openTriggerBench(await open())
        const { admin, db, tenantId, runtime } = bench.factory
        for (const held of ['signals.insert', 'signal-waits.insert']) {
          const { id: runId } = await runtime.start(admin, { agent: 'guide', input: 'x' }, context)
          const reached = Promise.withResolvers<void>()
          const go = Promise.withResolvers<void>()
          const slow = afterChanges(db, async (statement) => {
            if (statement !== held) return
            reached.resolve()
            await go.promise
          })
          const slowBench = { ...bench.deps, db: slow }
          const open1 = (over: typeof db) =>
            over
              .tenant(tenantId)
              .write((tx) =>
                openSignalWait(tx, { runId, step: 1, ...event(null, held), since: START, at: START }),
              )
          const sendsSlowly = held === 'signals.insert'
          const slowly = sendsSlowly
            ? sendSignal(slowBench, admin, event('data', held), context)
            : open1(slow)
          await reached.promise
          const quickly = sendsSlowly
            ? open1(db)
            : sendSignal(bench.deps, admin, event('data', held), context)
          const early = await Promise.race([
            quickly.then(() => 'went past'),
            new Promise((resolve) => setTimeout(resolve, 100, 'waits')),
          ])
          assert.equal(early, 'waits')
          go.resolve()
          const [a, b] = await Promise.all([slowly, quickly])
          const rows = await db.system.read((reader) => reader.all(waitRows, {}))
          if (sendsSlowly) assert.deepEqual(b, { signalId: (a as { id: string }).id, data: 'data' })
          else assert.equal(rows.filter(({ state }) => state === 'claimed').length, 1)
        }
      })
    }

    it('are handed on by another process where the sender died, in portions', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin } = bench.factory
      const runs: RunId[] = []
      for (let i = 0; i < 25; i++) runs.push((await bench.waitFor('paid')).runId)
      // Nothing but the one transaction.
      await sendSignal(bench.deps, admin, event('x'), context)
      assert.deepEqual(await steps(bench, runs[0] as RunId), [['waiting', null]])
      await Promise.all([deliverSignals(bench.deps), deliverSignals(await bench.process())])
      for (const runId of runs) assert.deepEqual(await steps(bench, runId), [['done', 'x']])
      const told = await bench.factory.runtime.events(bench.factory.tenantId, runs[7] as RunId, {
        limit: 50,
        after: 0,
      })
      assert.equal(told.filter(({ type }) => type === 'signal.received').length, 1)
      assert.deepEqual(bench.troubles, [])
    })

    it('leave a wait that was closed, and a run that has ended', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin, db, tenantId, runtime } = bench.factory
      const { runId } = await bench.waitFor('paid')
      const ended = await bench.waitFor('paid')
      await runtime.cancel(admin, ended.runId, context)
      await db.tenant(tenantId).write((tx) => closeSignalWait(tx, { runId, step: 1 }))
      await bench.triggers.send(admin, event('x'), context)
      assert.deepEqual(await steps(bench, runId), [['waiting', null]])
      // The event that nobody took is still there for the step that waits next.
      assert.equal((await bench.waitFor('paid', { runId, step: 2 })).got, 'x')
      const prune = triggerTasks(bench.deps).find((task) => task.name === 'trigger-pruning')
      await prune?.run(bench.clock.now)
      const rows = await db.system.read((reader) => reader.all(waitRows, {}))
      assert.deepEqual(rows, [{ step: 2, state: 'taken' }])
    })

    it('end the wait of a workflow, which goes on with their data', async () => {
      await using db = await open()
      await using factory = await openFactory({ db })
      const { admin, catalog, runtime, tenantId } = factory
      const order = { name: 'paid', correlation: 'input.order' }
      const nodes = [
        { id: 'paid', type: 'wait', event: order },
        { id: 'thank', type: 'transform', value: '"Thanks for " + string(nodes.paid.amount)' },
      ] as const
      await catalog.workflows.create(admin, { name: 'flow', nodes: [...nodes] }, { publish: true }, context)
      const start = () => runtime.start(admin, { workflow: 'flow', input: { order: 'o-1' } }, context)
      const { id } = await start()
      const waiting = await runtime.wait(tenantId, id, 10_000)
      assert.deepEqual([waiting.state, waiting.waitingReason], ['waiting', 'event'])
      await runtime.triggers.send(admin, event({ amount: 5 }, 'paid', 'o-2'), context)
      await runtime.triggers.send(admin, event({ amount: 7 }, 'paid', 'o-1'), context)
      const end = await runtime.wait(tenantId, id, 10_000)
      assert.deepEqual([end.state, end.output], ['completed', 'Thanks for 7'])
    })

    it('are forgotten after a while, as ticks are, but not what is still to be handed on', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin, db } = bench.factory
      const prune = triggerTasks(bench.deps).find((task) => task.name === 'trigger-pruning')
      const left = async () => {
        const signals = await db.system.read((reader) => reader.all(signalRows, {}))
        const ticks = await db.system.read((reader) => reader.all(tickRows, {}))
        return [signals.length, ticks.map(({ state }) => state)]
      }
      await bench.create({ kind: 'event', eventName: 'order', input: '"x"' })
      await bench.waitFor('paid')
      await bench.triggers.send(admin, event('done', 'order'), context)
      await sendSignal(bench.deps, admin, event('claimed'), context)
      await prune?.run(START + SIGNAL_RETENTION_MS)
      assert.deepEqual(await left(), [2, ['started']])
      await prune?.run(START + SIGNAL_RETENTION_MS + 1)
      assert.deepEqual(await left(), [1, ['started']])
      await prune?.run(START + TICK_RETENTION_MS + 1)
      assert.deepEqual(await left(), [1, []])
    })

    it('are refused where their data is too large', async () => {
      await using bench = await openTriggerBench(await open())
      await assert.rejects(
        bench.triggers.send(bench.factory.admin, event('x'.repeat(70_000)), context),
        (error) => isAppError(error, 'request.too-large'),
      )
    })
  })

  describe('event triggers', () => {
    const onPaid = {
      kind: 'event',
      eventName: 'paid',
      input: '"paid " + string(trigger.event.data.amount)',
    } as const

    it('start a run for each event that meets their condition, also where the sender died', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin } = bench.factory
      await bench.create({ ...onPaid, condition: 'event.data.amount > 10' })
      await bench.triggers.send(admin, event({ amount: 5 }), context)
      await bench.triggers.send(admin, event({ amount: 50 }), context)
      await sendSignal(bench.deps, admin, event({ amount: 60 }), context)
      assert.deepEqual(
        (await bench.runs()).map(({ input }) => input),
        ['paid 50'],
      )
      const other = await bench.process()
      await Promise.all([deliverSignals(bench.deps), deliverSignals(other), deliverSignals(other)])
      assert.deepEqual(
        (await bench.runs()).map(({ input }) => input),
        ['paid 50', 'paid 60'],
      )
      assert.equal((await bench.audit('trigger.fired')).length, 2)
    })

    it('show why they started nothing', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin, tenantId } = bench.factory
      const { row: a } = await bench.create({ ...onPaid, name: 'a', condition: 'event.data.amount' })
      const { row: b } = await bench.create({ ...onPaid, name: 'b', input: 'trigger.event.data.absent' })
      await bench.triggers.send(admin, event({ amount: 5 }), context)
      for (const [id, told] of [
        [a.id, /true or false/],
        [b.id, /absent/],
      ] as const)
        assert.match((await bench.triggers.get(tenantId, id)).row.lastError ?? '', told)
      assert.equal((await bench.runs()).length, 0)
    })

    it('are the work of whoever changed them last', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin } = bench.factory
      const { row } = await bench.create(onPaid)
      const other = { ...admin, userId: newId('user') }
      const paused = await bench.triggers.update(other, row.id, { state: 'paused' }, context)
      assert.equal(paused.row.ownerId, admin.userId)
      const changed = await bench.triggers.update(other, row.id, { input: '"x"', state: 'active' }, context)
      assert.equal(changed.row.ownerId, other.userId)
      await assert.rejects(bench.triggers.update(admin, row.id, { cron: '@daily' }, context), (error) => {
        assert.ok(isAppError(error, 'definition.invalid'))
        return error.errors[0]?.path === '/cron'
      })
    })

    it('are not found by another tenant', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin } = bench.factory
      const { row } = await bench.create(onPaid)
      const tenantId = await otherTenant(bench)
      const triggers = createTriggers(bench.deps)
      const foreign = { ...admin, tenantId }
      for (const tried of [
        () => triggers.get(tenantId, row.id),
        () => triggers.update(foreign, row.id, { state: 'paused' }, context),
        () => triggers.delete(foreign, row.id, context),
        () => triggers.rotateSecret(foreign, row.id, context),
      ])
        await assert.rejects(tried, (error) => isAppError(error, 'trigger.not-found'))
      await triggers.send(foreign, event({ amount: 99 }), context)
      assert.equal((await bench.runs()).length, 0)
    })
  })
})

const insertTenant = systemStatement(
  'test.second-tenant',
  'a test makes a second tenant',
  (db, p: { readonly id: TenantId }) =>
    db.insertInto('tenants').values({
      id: p.id,
      name: 'second',
      status: 'active',
      capturePolicy: 'full',
      createdAt: START,
      updatedAt: START,
    }),
)

async function otherTenant({ factory }: TriggerBench): Promise<TenantId> {
  const id = newId('tenant')
  await factory.db.system.write((tx) => tx.run(insertTenant, { id }))
  return id
}
