import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openBilling } from '../../../test/support/billing.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { isAppError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import { USAGE_BATCH_MAX } from '../../contract/subscription.ts'
import { usageSummary } from '../subscriptions/usage-summary.ts'
import { ingestUsage } from './ingest.ts'

const AT = '2026-04-01T00:00:00Z'

forEachDatabase((_name, open) => {
  const setUp = async (db: Awaited<ReturnType<typeof open>>) => {
    const scene = openBilling(db, AT)
    const deps = { db, clock: scene.now }
    const principal = await scene.tenant()
    const send = (...records: Json[]) => ingestUsage(deps, principal, records)
    const used = async (metric: 'token' | 'storage' | 'tool_call') =>
      (await usageSummary(deps, principal.tenantId, { metric })).metrics[0]?.quantity
    return { scene, deps, principal, send, used }
  }

  it('takes each fact once for ever: within a batch, in later ones, in later periods', async () => {
    await using db = await open()
    const { scene, send, used } = await setUp(db)
    const one = { event_id: 'a', metric: 'token', quantity: 5 }
    const first = await send(one, one, { ...one, metric: 'storage' }, { ...one, event_id: 'b', quantity: 0 })
    assert.deepEqual(
      { accepted: first.accepted, duplicates: first.duplicates, refused: first.refused },
      { accepted: 3, duplicates: 1, refused: 0 },
    )
    assert.equal((await send(one)).duplicates, 1)
    assert.equal(await used('token'), 5n)
    // The period in which it was first accepted keeps it.
    scene.set('2026-05-02T00:00:00Z')
    assert.equal((await send(one)).duplicates, 1)
    assert.equal(await used('token'), 0n)
  })

  it('tells of duplicates that say another quantity, and keeps the first', async () => {
    await using db = await open()
    const { send, used } = await setUp(db)
    const one = { event_id: 'a', metric: 'token', quantity: 5 }
    await send(one)
    const again = await send(
      { ...one, event_id: 'b' },
      { ...one, quantity: 7 },
      { ...one, event_id: 'b', quantity: 6 },
    )
    assert.deepEqual(again.conflicts, [
      { index: 1, eventId: 'a', quantity: 7, storedQuantity: 5 },
      { index: 2, eventId: 'b', quantity: 6, storedQuantity: 5 },
    ])
    assert.equal(await used('token'), 10n)
  })

  it('refuses what is wrong, each with its errors, and takes the rest', async () => {
    await using db = await open()
    const { send, principal, scene } = await setUp(db)
    const good = { event_id: 'good', metric: 'tool_call', quantity: 1 }
    const wrong: readonly [Json, string][] = [
      [{ ...good, quantity: -1 }, '/quantity'],
      [{ ...good, quantity: 1.5 }, '/quantity'],
      [{ ...good, quantity: '1' }, '/quantity'],
      [{ ...good, quantity: 1e15 }, '/quantity'],
      [{ ...good, metric: 'model_call' }, '/metric'],
      [{ ...good, event_id: '' }, '/event_id'],
      [{ ...good, event_id: 'a\nb' }, '/event_id'],
      [{ ...good, tenant_id: principal.tenantId }, '/tenant_id'],
      [{ ...good, occurred_at: 'yesterday' }, '/occurred_at'],
      [{ ...good, occurred_at: '2026-04-01T01:00:00.000Z' }, '/occurred_at'],
      [{ ...good, occurred_at: '2020-04-01T01:00:00.000Z' }, '/occurred_at'],
      [{ ...good, run_id: newId('run') }, '/run_id'],
      [{ ...good, project_id: newId('project') }, '/project_id'],
      [7, ''],
      [null, ''],
    ]
    const { accepted, refused, errors } = await send(...wrong.map(([record]) => record), good)
    assert.deepEqual({ accepted, refused }, { accepted: 1, refused: wrong.length })
    assert.deepEqual(
      errors.map(({ index, errors: of }) => [index, of[0]?.path]),
      wrong.map(([, path], index) => [index, path]),
    )
    assert.equal((await send()).accepted, 0)
    const many = Array.from({ length: USAGE_BATCH_MAX + 1 }, () => good)
    await assert.rejects(send(...many), (error) => isAppError(error, 'request.too-large'))
    assert.ok(scene)
  })

  it('keeps tenants apart: the same event of two is two facts', async () => {
    await using db = await open()
    const { scene, deps, send, used } = await setUp(db)
    const other = await scene.tenant()
    const one = { event_id: 'a', metric: 'token', quantity: 5 }
    await send(one)
    assert.equal((await ingestUsage(deps, other, [one])).accepted, 1)
    assert.equal(await used('token'), 5n)
  })

  it('takes batches that overlap at the same moment once', async () => {
    await using db = await open()
    const { send, used } = await setUp(db)
    const batch = Array.from({ length: 60 }, (_, i) => ({ event_id: `e${i}`, metric: 'token', quantity: 1 }))
    const answers = await Promise.all([send(...batch), send(...batch.toReversed()), send(...batch.slice(20))])
    assert.equal(
      answers.reduce((sum, { accepted }) => sum + accepted, 0),
      60,
    )
    assert.equal(await used('token'), 60n)
  })

  it('says what is included, what is left and what it comes to', async () => {
    await using db = await open()
    const { scene, deps } = await setUp(db)
    await scene.plan({ key: 'team', included: { token: 100 } })
    const { tenantId, principal } = await scene.subscribed('team')
    scene.set('2026-04-11T00:00:00Z')
    await ingestUsage(deps, principal, [{ event_id: 'a', metric: 'token', quantity: 60 }])
    const { period, metrics } = await usageSummary(deps, tenantId, {})
    assert.deepEqual([period.startsAt, period.endsAt], [Date.parse(AT), Date.parse('2026-05-01T00:00:00Z')])
    assert.deepEqual(
      metrics.find(({ metric }) => metric === 'token'),
      { metric: 'token', quantity: 60n, included: 100n, left: 40n, projected: 180n },
    )
    const until = Date.parse('2026-04-10T00:00:00Z')
    const early = await usageSummary(deps, tenantId, { from: Date.parse(AT), until, metric: 'token' })
    assert.deepEqual(early.metrics[0]?.quantity, 0n)
    const empty = usageSummary(deps, tenantId, { from: until, until })
    await assert.rejects(empty, (error) => isAppError(error, 'request.invalid'))
  })
})
