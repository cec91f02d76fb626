import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { openFactory } from '../../../test/support/factory.ts'
import { isAppError } from '../../base/errors.ts'
import type { RunId, TriggerId } from '../../base/ids.ts'
import { defineTool } from '../../define/define-tool.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import { createTriggers } from './create-triggers.ts'
import { SECRET_GRACE_MS } from './trigger.ts'
import { context, MINUTE, openTriggerBench, START, suspendTenant } from './trigger-bench.test.ts'
import { createWebhookSecrets, signWebhook } from './webhook-secrets.ts'

const BODY = '{"text":"Hello."}'

interface Sent {
  readonly id?: string
  readonly body?: string
  readonly at?: number
  readonly signed?: string
  readonly type?: string
}

function delivery(secret: string, { id = 'msg_1', body = BODY, at = START, signed = body, type }: Sent = {}) {
  const timestamp = String(Math.floor(at / 1_000))
  const headers: Readonly<Record<string, string>> = {
    'content-type': type ?? 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,bm90aGluZw== ${signWebhook(secret, { id, timestamp, body: signed })}`,
    authorization: 'Bearer hidden',
  }
  return { body, header: (name: string) => headers[name] }
}

const refused = (error: unknown) => isAppError(error, 'trigger.not-found')

describe('signatures of webhooks', () => {
  it('are those of Standard Webhooks', () => {
    const signed = {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: '1614265330',
      body: '{"test": 2432232314}',
    }
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    assert.equal(signWebhook(secret, signed), 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })

  it('need a key of the platform', () => {
    const none = createWebhookSecrets(undefined)
    assert.throws(() => none.requireKey(), /AGENT_FACTORY_SECRET_KEY/)
    assert.throws(() => createWebhookSecrets(new Uint8Array(16)), /32 bytes/)
  })
})

forEachDatabase((_, open) => {
  describe('webhooks', () => {
    const openHook = async (input = 'trigger.payload.text') => {
      const bench = await openTriggerBench(await open())
      const { admin } = bench.factory
      const hook = { kind: 'webhook', name: 'hook', target: { agent: 'guide' }, input } as const
      const { trigger, secret } = await bench.triggers.create(admin, hook, context)
      assert.match(secret ?? '', /^whsec_[A-Za-z0-9+/]{43}=$/)
      return { bench, id: trigger.row.id, secret: secret ?? '' }
    }

    it('start a run for a signed delivery, and the same for one that comes again', async () => {
      const { bench, id, secret } = await openHook()
      await using _bench = bench
      const receive = () => bench.triggers.receive(id, delivery(secret))
      const all = await Promise.all([receive(), receive(), receive()])
      all.push(await receive())
      const runs = await bench.runs()
      assert.deepEqual(
        runs.map(({ input, triggerId }) => [input, triggerId]),
        [['Hello.', id]],
      )
      assert.deepEqual(new Set(all.map(({ runId }) => runId)), new Set([runs[0]?.id]))
      await bench.triggers.receive(id, delivery(secret, { id: 'msg_2' }))
      assert.equal((await bench.runs()).length, 2)
    })

    it('answer like nothing to whoever cannot sign', async () => {
      const { bench, id, secret } = await openHook()
      await using _bench = bench
      const old = START - 5 * MINUTE - 1_000
      const wrong = [
        delivery('whsec_AAAA'),
        delivery(secret, { signed: '{"text":"Hullo."}' }),
        delivery(secret, { at: old }),
        delivery(secret, { at: START + 5 * MINUTE + 1_000 }),
        delivery(secret, { id: 'no spaces' }),
        { body: BODY, header: () => undefined },
      ]
      for (const one of wrong) await assert.rejects(bench.triggers.receive(id, one), refused)
      const unknown = `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}` as TriggerId
      const messages = new Set<string>()
      for (const which of [id, unknown]) {
        await assert.rejects(bench.triggers.receive(which, delivery('whsec_AAAA')), (error) => {
          messages.add(String(error))
          return refused(error)
        })
      }
      assert.equal(messages.size, 1)
      assert.equal((await bench.runs()).length, 0)
    })

    it('take the secret before a rotation for a while, and no earlier one', async () => {
      const { bench, id, secret: first } = await openHook()
      await using _bench = bench
      const { admin } = bench.factory
      const { secret: second, previousUntil } = await bench.triggers.rotateSecret(admin, id, context)
      assert.equal(previousUntil, START + SECRET_GRACE_MS)
      await bench.triggers.receive(id, delivery(first, { id: 'a' }))
      await bench.triggers.receive(id, delivery(second, { id: 'b' }))
      bench.clock.now = START + SECRET_GRACE_MS + 1
      const at = bench.clock.now
      await assert.rejects(bench.triggers.receive(id, delivery(first, { id: 'c', at })), refused)
      await bench.triggers.receive(id, delivery(second, { id: 'd', at }))
      const { secret: third } = await bench.triggers.rotateSecret(admin, id, context)
      await assert.rejects(bench.triggers.receive(id, delivery(first, { id: 'e', at })), refused)
      await bench.triggers.receive(id, delivery(third, { id: 'f', at }))
      assert.equal((await bench.runs()).length, 4)
      assert.equal((await bench.audit('trigger.secret-rotated')).length, 2)
    })

    it('show their expression the payload and a few headers, none that is a credential', async () => {
      const { bench, id, secret } = await openHook('trigger')
      await using _bench = bench
      await bench.triggers.receive(id, delivery(secret, { body: 'plain', type: 'text/plain' }))
      const [run] = await bench.runs()
      assert.deepEqual(run?.input, {
        id,
        name: 'hook',
        kind: 'webhook',
        at: '2026-11-22T10:00:30.000Z',
        received_at: '2026-11-22T10:00:30.000Z',
        payload: 'plain',
        headers: {
          'content-type': 'text/plain',
          'webhook-id': 'msg_1',
          'webhook-timestamp': String(START / 1_000),
        },
      })
    })

    it('may deliver again what could not start, and do not say why', async () => {
      const { bench, id, secret } = await openHook()
      await using _bench = bench
      const { admin, tenantId, db } = bench.factory
      const failed = (error: unknown) => isAppError(error, 'trigger.failed') && !/member/.test(error.message)
      await suspendTenant(db, tenantId)
      await assert.rejects(bench.triggers.receive(id, delivery(secret)), failed)
      assert.match((await bench.triggers.get(tenantId, id)).row.lastError ?? '', /no active member/)
      await bench.triggers.update(admin, id, { state: 'paused' }, context)
      await assert.rejects(bench.triggers.receive(id, delivery(secret)), (error) =>
        isAppError(error, 'trigger.paused'),
      )
    })

    it('bring text from outside: a tool with effects asks before it acts', async () => {
      await using db = await open()
      const model = createScriptedModel('scripted', () => ({ toolCalls: [{ tool: 'pay', arguments: {} }] }))
      const pay = defineTool({
        name: 'pay',
        description: 'Pays.',
        input: { type: 'object' },
        effect: 'once',
        run: () => ({ paid: true }),
      })
      await using factory = await openFactory({ db, models: [model], codeTools: [pay] })
      await factory.agent({ name: 'payer', tools: ['pay'] })
      const { admin, tenantId, runtime } = factory
      const hook = { kind: 'webhook', name: 'hook', target: { agent: 'payer' }, input: '"Pay."' } as const
      const { trigger, secret } = await runtime.triggers.create(admin, hook, context)
      const { runId } = await runtime.triggers.receive(
        trigger.row.id,
        delivery(secret ?? '', { at: Date.now() }),
      )
      const run = await runtime.wait(tenantId, runId as RunId, 10_000)
      assert.deepEqual([run.state, run.waitingReason], ['waiting', 'approval'])
    })

    it('are not made without a key', async () => {
      await using bench = await openTriggerBench(await open())
      const triggers = createTriggers({ ...bench.deps, secrets: createWebhookSecrets(undefined) })
      const hook = { kind: 'webhook', name: 'hook', target: { agent: 'guide' } } as const
      await assert.rejects(triggers.create(bench.factory.admin, hook, context), (error) =>
        isAppError(error, 'request.invalid'),
      )
      assert.equal((await triggers.list(bench.factory.tenantId, { limit: 5 })).items.length, 0)
    })
  })
})
