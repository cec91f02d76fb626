// Triggers and events over HTTP, from a signed delivery to the run that it starts.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import type { Json } from '../base/json.ts'
import { listAudit } from '../events/audit-log.ts'
import { signWebhook } from '../runtime/triggers/webhook-secrets.ts'
import { AGENT, at, isProblem, openApiBench } from './api-bench.test.ts'

const HOOK: Json = {
  kind: 'webhook',
  name: 'hook',
  target: { agent: 'guide' },
  input: 'trigger.payload.text',
}

forEachDatabase((_, open) => {
  describe('triggers', () => {
    it('are created once for a key, with a secret that is shown once', async () => {
      await using bench = await openApiBench({ db: await open(), working: false })
      const create = () =>
        bench.send('POST', '/api/v1/triggers', { body: HOOK, headers: { 'idempotency-key': 'hook' } })
      const first = await create()
      assert.equal(first.status, 201, first.text)
      assert.match(String(at(first.json, 'secret')), /^whsec_/)
      const again = await create()
      assert.deepEqual([again.status, at(again.json, 'secret')], [201, null])
      assert.equal(at(again.json, 'id'), at(first.json, 'id'))
      isProblem(
        await bench.send('POST', '/api/v1/triggers', { body: HOOK }),
        'trigger.name-taken',
        'the same name',
      )
      const shown = await bench.send('GET', String(first.headers.get('location')))
      assert.equal(at(shown.json, 'path'), `/api/v1/hooks/${at(first.json, 'id')}`)
      assert.ok(!shown.text.includes('whsec_'))
    })

    it('take a delivery as its bytes were signed, and start one run for it', async () => {
      await using bench = await openApiBench({ db: await open() })
      await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
      const made = await bench.send('POST', '/api/v1/triggers', { body: HOOK })
      // White space and the order of keys are a part of what is signed.
      const body = '{ "text" :  "Hi." , "a": 1 }'
      const deliver = (text: string) => {
        const signed = { id: 'msg_1', timestamp: String(Math.floor(Date.now() / 1_000)), body }
        return bench.send('POST', String(at(made.json, 'path')), {
          key: null,
          text,
          headers: {
            'webhook-id': signed.id,
            'webhook-timestamp': signed.timestamp,
            'webhook-signature': signWebhook(String(at(made.json, 'secret')), signed),
          },
        })
      }
      isProblem(await deliver(body.replace('Hi.', 'Ho.')), 'trigger.not-found', 'another body')
      isProblem(await deliver(JSON.stringify(JSON.parse(body))), 'trigger.not-found', 'other bytes')
      const [one, two] = [await deliver(body), await deliver(body)]
      assert.deepEqual([one.status, two.status], [202, 202], one.text)
      assert.equal(at(one.json, 'run_id'), at(two.json, 'run_id'))
      const run = await bench.send('GET', `/api/v1/runs/${at(one.json, 'run_id')}?wait=20`)
      assert.deepEqual([at(run.json, 'input'), at(run.json, 'state')], ['Hi.', 'completed'])
    })

    it('are written by nobody who may not run what they start, and the denial is on record', async () => {
      await using bench = await openApiBench({ db: await open(), working: false })
      const { tenantId } = bench.ada
      const made = await bench.send('POST', '/api/v1/triggers', { body: HOOK })
      const path = `/api/v1/triggers/${at(made.json, 'id')}`
      const { key } = await bench.account({
        role: 'CREATOR',
        tenantId,
        permissions: ['READ_TRIGGERS', 'WRITE_TRIGGERS', 'RUN_WORKFLOWS'],
      })
      const denied = async () => {
        const { items } = await listAudit(bench.db, tenantId, { limit: 100 })
        return items.filter(({ type }) => type === 'access.denied').map(({ data }) => at(data, 'permission'))
      }
      const other = { ...(HOOK as object), name: 'other' } as Json
      isProblem(await bench.send('POST', '/api/v1/triggers', { key, body: other }), 'access.denied', 'create')
      assert.deepEqual(await denied(), ['RUN_AGENTS'])
      isProblem(await bench.send('PATCH', path, { key, body: { input: '"x"' } }), 'access.denied', 'change')
      isProblem(await bench.send('POST', `${path}/rotate-secret`, { key }), 'access.denied', 'rotate')
      assert.equal((await bench.send('PATCH', path, { key, body: { state: 'paused' } })).status, 200)
      assert.equal(at((await bench.send('GET', path)).json, 'state'), 'paused')
    })

    it('are schedules that show their next ticks, and are paused, changed and deleted', async () => {
      const clock = () => Date.parse('2026-11-22T10:00:00.000Z')
      await using bench = await openApiBench({ db: await open(), working: false, clock })
      const body = { kind: 'schedule', name: 'daily', target: { agent: 'guide' }, cron: '30 7 * * *' }
      const made = await bench.send('POST', '/api/v1/triggers', {
        body: { ...body, timezone: 'Europe/Berlin' },
      })
      assert.deepEqual(at(made.json, 'next_ticks', 0), '2026-11-23T06:30:00.000Z')
      const path = `/api/v1/triggers/${at(made.json, 'id')}`
      const paused = await bench.send('PATCH', path, { body: { state: 'paused' } })
      assert.deepEqual([at(paused.json, 'state'), at(paused.json, 'next_at')], ['paused', null])
      const changed = await bench.send('PATCH', path, { body: { state: 'active', timezone: 'UTC' } })
      assert.equal(at(changed.json, 'next_at'), '2026-11-23T07:30:00.000Z')
      const wrong = await bench.send('PATCH', path, { body: { cron: '30 25 * * *' } })
      isProblem(wrong, 'definition.invalid', 'a wrong hour')
      assert.equal(at(wrong.json, 'errors', 0, 'path'), '/cron')
      await bench.send('POST', '/api/v1/triggers', { body: HOOK })
      const schedules = await bench.send('GET', '/api/v1/triggers?kind=schedule')
      assert.equal((at(schedules.json, 'items') as Json[]).length, 1)
      assert.equal((await bench.send('DELETE', path)).status, 204)
      isProblem(await bench.send('GET', path), 'trigger.not-found', 'deleted')
      isProblem(
        await bench.send('POST', `${path}/rotate-secret`, { body: {} }),
        'trigger.not-found',
        'deleted',
      )
    })

    it('start a run for an event that is sent, once for a key', async () => {
      await using bench = await openApiBench({ db: await open(), working: false })
      await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
      const body = {
        kind: 'event',
        name: 'on-paid',
        target: { agent: 'guide' },
        event_name: 'paid',
        input: 'trigger.event.data.note',
      }
      await bench.send('POST', '/api/v1/triggers', { body })
      const send = () =>
        bench.send('POST', '/api/v1/events', {
          body: { name: 'paid', data: { note: 'Thanks.' } },
          headers: { 'idempotency-key': 'order-1' },
        })
      const [one, two] = [await send(), await send()]
      assert.deepEqual([one.status, two.status], [202, 202], one.text)
      assert.equal(at(one.json, 'id'), at(two.json, 'id'))
      const runs = await bench.send('GET', '/api/v1/runs')
      assert.equal((at(runs.json, 'items') as Json[]).length, 1)
    })
  })
})
