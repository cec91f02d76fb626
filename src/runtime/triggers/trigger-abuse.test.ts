// Triggers against people who would use them for more than they may, and against data that would stop them for others.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { member } from '../../../test/support/members.ts'
import { isAppError } from '../../base/errors.ts'
import type { TriggerId } from '../../base/ids.ts'
import type { Database } from '../../storage/database.ts'
import { systemStatement } from '../../storage/statement.ts'
import { createTriggers, SIGNAL_RETENTION_MS, triggerTasks } from './create-triggers.ts'
import { deliverSignals } from './deliver-signals.ts'
import { tickSchedules } from './schedules.ts'
import { sendSignal } from './send-signal.ts'
import { context, MINUTE, openTriggerBench, START } from './trigger-bench.test.ts'
import { createWebhookSecrets, signWebhook } from './webhook-secrets.ts'

const EVENT = { name: 'paid', correlation: '', data: { amount: 5 } } as const
const ON_PAID = { kind: 'event', eventName: 'paid', input: '"Go."' } as const
const HOOK = { kind: 'webhook', name: 'hook', target: { agent: 'guide' }, input: '"Go."' } as const
/** An expression that fails with a message in which U+0000 stands. */
const NUL = '{"a": "b"}["\\u0000"]'

const tickRows = systemStatement('test.abuse-ticks', 'a test looks at all ticks', (db) =>
  db.selectFrom('triggerTicks').select(['state', 'error']),
)

function signed(secret: string, id = 'msg_1', body = '{}') {
  const timestamp = String(Math.floor(START / 1_000))
  const headers: Readonly<Record<string, string>> = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signWebhook(secret, { id, timestamp, body }),
  }
  return { body, header: (name: string) => headers[name] }
}

forEachDatabase((_, open) => {
  describe('a trigger and who may', () => {
    it('belongs to whoever has its secret renewed: nobody holds a secret that acts as another', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin, tenantId, db } = bench.factory
      const { trigger } = await bench.triggers.create(admin, HOOK, context)
      const creator = await member(db, tenantId, 'CREATOR')
      const { secret } = await bench.triggers.rotateSecret(creator, trigger.row.id, context)
      const { row } = await bench.triggers.get(tenantId, trigger.row.id)
      assert.equal(row.ownerId, creator.userId)
      await bench.triggers.receive(row.id, signed(secret))
      const [run] = await bench.runs()
      assert.equal(run?.createdBy, creator.userId)
    })

    it('gives its new secret to nobody who may not run what it runs', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin } = bench.factory
      const { trigger } = await bench.triggers.create(admin, HOOK, context)
      const narrow = { ...admin, permissions: new Set(['WRITE_TRIGGERS'] as const) }
      await assert.rejects(bench.triggers.rotateSecret(narrow, trigger.row.id, context), (error) =>
        isAppError(error, 'access.denied'),
      )
      const { row } = await bench.triggers.get(admin.tenantId, trigger.row.id)
      assert.equal(row.secretVersion, 1)
    })

    it('starts nothing while it is paused, also of an event that was sent before', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin, tenantId, db } = bench.factory
      const { row } = await bench.create(ON_PAID)
      await sendSignal(bench.deps, admin, EVENT, context)
      await bench.triggers.update(admin, row.id, { state: 'paused' }, context)
      await deliverSignals(bench.deps)
      assert.equal((await bench.runs()).length, 0)
      const [tick] = await db.system.read((reader) => reader.all(tickRows, {}))
      assert.equal(tick?.state, 'failed')
      assert.match((await bench.triggers.get(tenantId, row.id)).row.lastError ?? '', /^trigger\.paused/)
      await bench.triggers.update(admin, row.id, { state: 'active' }, context)
      await deliverSignals(bench.deps)
      assert.equal((await bench.runs()).length, 0)
    })

    it('that was deleted the moment before does not keep an event from being sent', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin, db } = bench.factory
      const { row } = await bench.create(ON_PAID)
      const late: Database = {
        ...db,
        dialect: db.dialect,
        system: db.system,
        ping: () => db.ping(),
        [Symbol.asyncDispose]: async () => undefined,
        tenant: (id) => ({
          tenantId: id,
          read: (work) => db.tenant(id).read(work),
          write: async (work) => {
            await bench.triggers.delete(admin, row.id, context)
            return db.tenant(id).write(work)
          },
        }),
      }
      const sent = await sendSignal({ ...bench.deps, db: late }, admin, EVENT, context)
      assert.equal((await bench.triggers.signal(admin.tenantId, sent.id)).name, 'paid')
      assert.deepEqual(await db.system.read((reader) => reader.all(tickRows, {})), [])
    })
  })

  describe('a trigger and hostile data', () => {
    it('is over with a tick whose failure has U+0000 in its words', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin, tenantId, db } = bench.factory
      const { row: event } = await bench.create({ ...ON_PAID, name: 'event', input: NUL })
      const { row: other } = await bench.create({ ...ON_PAID, name: 'other', condition: `${NUL} == "b"` })
      const { row: timed } = await bench.create({
        kind: 'schedule',
        name: 'timed',
        cron: '* * * * *',
        input: NUL,
      })
      await bench.triggers.send(admin, EVENT, context)
      bench.clock.now = START + MINUTE
      await tickSchedules(bench.deps, bench.clock.now)
      assert.deepEqual(bench.troubles, [])
      for (const { id } of [event, other, timed])
        assert.match((await bench.triggers.get(tenantId, id)).row.lastError ?? '', /No such key/)
      const ticks = await db.system.read((reader) => reader.all(tickRows, {}))
      assert.deepEqual(
        ticks.map(({ state }) => state),
        ['failed', 'failed'],
      )
    })

    it('keeps a long failure short', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin, tenantId } = bench.factory
      const { row } = await bench.create({ ...ON_PAID, input: '{"a": "b"}[trigger.event.data.key]' })
      await bench.triggers.send(admin, { ...EVENT, data: { key: 'x'.repeat(50_000) } }, context)
      const told = (await bench.triggers.get(tenantId, row.id)).row.lastError ?? ''
      assert.ok(told.length > 100 && told.length <= 1_000, String(told.length))
    })

    it('lets other work go on between the conditions of many triggers', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin } = bench.factory
      const condition = 'event.data.list.all(a, event.data.list.all(b, a + b >= 0.0))'
      for (let i = 0; i < 4; i++) await bench.create({ ...ON_PAID, name: `heavy-${i}`, condition })
      let turns = 0
      let counting = true
      const turn = (): void => {
        turns += 1
        if (counting) setImmediate(turn)
      }
      const tenant = bench.factory.db.tenant(admin.tenantId)
      const until = Promise.withResolvers<void>()
      const db: Database = {
        ...bench.factory.db,
        tenant: (tenantId) => ({
          tenantId,
          read: async (work) => {
            const found = await tenant.read(work)
            // From here to the write there are the conditions alone.
            turns = 0
            setImmediate(turn)
            return found
          },
          write: async (work) => {
            counting = false
            until.resolve()
            return tenant.write(work)
          },
        }),
      }
      const data = { list: Array.from({ length: 2_000 }, (_item, i) => i) }
      await sendSignal({ ...bench.deps, db }, admin, { ...EVENT, data }, context)
      await until.promise
      assert.ok(turns >= 3, String(turns))
    })

    it('keeps an event as long as a run is still to be started for it', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin } = bench.factory
      await bench.create(ON_PAID)
      await sendSignal(bench.deps, admin, EVENT, context)
      bench.clock.now = START + SIGNAL_RETENTION_MS + MINUTE
      const pruning = triggerTasks(bench.deps).find(({ name }) => name === 'trigger-pruning')
      await pruning?.run(bench.clock.now)
      await deliverSignals(bench.deps)
      assert.equal((await bench.runs()).length, 1)
    })
  })

  describe('a webhook and whoever cannot sign', () => {
    it('takes as long for a webhook that is not there: its signature is looked at as well', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin } = bench.factory
      let looked = 0
      const secrets = {
        ...bench.deps.secrets,
        opens: (...args: Parameters<typeof bench.deps.secrets.opens>) => {
          looked += 1
          return bench.deps.secrets.opens(...args)
        },
      }
      const triggers = createTriggers({ ...bench.deps, secrets })
      const { trigger } = await triggers.create(admin, HOOK, context)
      const { id } = trigger.row
      const unknown = `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}` as TriggerId
      for (const [which, times] of [
        [id, 1],
        [unknown, 2],
      ] as const) {
        await assert.rejects(triggers.receive(which, signed('whsec_AAAA')), (error) =>
          isAppError(error, 'trigger.not-found'),
        )
        assert.equal(looked, times)
      }
    })

    it('says nothing of a platform without a key', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin } = bench.factory
      const { trigger, secret } = await bench.triggers.create(admin, HOOK, context)
      const triggers = createTriggers({ ...bench.deps, secrets: createWebhookSecrets(undefined) })
      await assert.rejects(triggers.receive(trigger.row.id, signed(secret ?? '')), (error) =>
        isAppError(error, 'trigger.not-found'),
      )
    })

    it('reads what was signed in one way only: an id cannot take over the time', async () => {
      await using bench = await openTriggerBench(await open())
      const { admin } = bench.factory
      const { trigger, secret } = await bench.triggers.create(admin, HOOK, context)
      const now = String(Math.floor(START / 1_000))
      // Signed as the id "msg", with a body that begins with a time.
      const signature = signWebhook(secret ?? '', { id: 'msg', timestamp: '1', body: `${now}.{}` })
      const headers: Readonly<Record<string, string>> = {
        'webhook-id': 'msg.1',
        'webhook-timestamp': now,
        'webhook-signature': signature,
      }
      const shifted = { body: '{}', header: (name: string) => headers[name] }
      await assert.rejects(bench.triggers.receive(trigger.row.id, shifted), (error) =>
        isAppError(error, 'trigger.not-found'),
      )
      await bench.triggers.receive(trigger.row.id, signed(secret ?? '', 'evt.a1.b2'))
    })
  })
})
