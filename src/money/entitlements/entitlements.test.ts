import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openBilling } from '../../../test/support/billing.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { openFactory } from '../../../test/support/factory.ts'
import { type AppError, type ErrorCode, isAppError } from '../../base/errors.ts'
import type { TenantId } from '../../base/ids.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import { tenantsReady } from '../../queue/candidate-statements.ts'
import { tenantCaps } from '../../queue/claim-statements.ts'
import type { Database } from '../../storage/database.ts'
import { type Bind, type SystemBind, statement, systemStatement } from '../../storage/statement.ts'
import { createEntitlements, ENTITLEMENTS_AGE_MS_MAX } from './entitlements.ts'

const CONTEXT = { requestId: undefined }
const AT = '2026-01-01T00:00:00Z'

const restrict = statement('test.restrict', (db, p: Bind<{ standing: 'active' | 'restricted' }>) =>
  db.updateTable('billingAccounts').set({ standing: p.standing }).where('tenantId', '=', p.tenantId),
)
const ownCap = systemStatement(
  'test.own-cap',
  'a test',
  (db, p: SystemBind<{ id: TenantId; cap: number | null }>) =>
    db.updateTable('tenants').set({ maxConcurrentJobs: p.cap }).where('id', '=', p.id),
)

forEachDatabase((name, open) => {
  const capOf = async (db: Database, tenantId: TenantId) =>
    (await db.system.read((reader) => reader.first(tenantCaps, { tenantId })))?.maxConcurrentJobs

  it('limits nothing without a subscription, and what the plan says with one', async () => {
    await using db = await open()
    const scene = openBilling(db, AT)
    const entitlements = createEntitlements({ db, clock: scene.now })
    await scene.plan({ key: 'free', limits: { runs_per_minute: 1, seats: 0 } })
    await scene.plan({
      key: 'team',
      features: ['replay'],
      limits: { runs_per_minute: 5, max_concurrent_jobs: 3, seats: 1 },
    })
    const alone = await scene.tenant()
    const without = await entitlements.of(alone.tenantId)
    assert.equal(without.plan, undefined)
    assert.deepEqual(Object.values(without.limits), [null, null, null, null])
    await entitlements.requireFeature(alone.tenantId, 'triggers')

    const { tenantId, principal, subscriptionId } = await scene.subscribed('team')
    const found = await entitlements.of(tenantId)
    assert.deepEqual(found.limits, {
      runs_per_minute: 5,
      max_concurrent_jobs: 3,
      seats: 1,
      retention_days: null,
    })
    await entitlements.requireFeature(tenantId, 'replay')
    await refused(entitlements.requireFeature(tenantId, 'triggers'), 'plan.feature-missing')
    const seats = (adding: number) =>
      db.tenant(tenantId).read((reader) => entitlements.checkSeats(reader, adding))
    await seats(1)
    await refused(seats(2), 'plan.limit')

    // Who has cancelled is not left without limits: the free plan holds.
    await scene.subscriptions.cancel(principal, subscriptionId, { when: 'now' }, CONTEXT)
    assert.equal((await entitlements.of(tenantId)).plan?.key, 'team', 'kept for a few seconds')
    scene.set(scene.now() + ENTITLEMENTS_AGE_MS_MAX)
    assert.equal((await entitlements.of(tenantId)).plan?.key, 'free')
  })

  it('gives the queue the less of what the tenant and its plan may', async () => {
    await using db = await open()
    const scene = openBilling(db, AT)
    await scene.plan({ key: 'free', limits: { max_concurrent_jobs: 1 } })
    await scene.plan({ key: 'team', limits: { max_concurrent_jobs: 3 } })
    await scene.plan({ key: 'open', basePrice: '9.00' })
    const { tenantId, principal, subscriptionId } = await scene.subscribed('team')
    const set = (cap: number | null) => db.system.write((tx) => tx.run(ownCap, { id: tenantId, cap }))
    assert.equal(await capOf(db, tenantId), 3)
    await set(2)
    assert.equal(await capOf(db, tenantId), 2)
    await set(7)
    assert.equal(await capOf(db, tenantId), 3)
    await scene.subscriptions.change(principal, subscriptionId, { plan: 'open' }, CONTEXT)
    assert.equal(await capOf(db, tenantId), 7)
    await set(null)
    assert.equal(await capOf(db, tenantId), null)
    await scene.subscriptions.cancel(principal, subscriptionId, { when: 'now' }, CONTEXT)
    assert.equal(await capOf(db, tenantId), 1)
    assert.equal(await capOf(db, (await scene.tenant()).tenantId), null)
    await db.system.read((reader) => reader.all(tenantsReady, { after: '', limit: 5 }))
  })

  it('counts the runs of the last minute exactly, also where many start at once', async () => {
    await using db = await open()
    let now = Date.parse('2027-01-01T00:00:00Z')
    const clock = () => now
    const models = [createScriptedModel('scripted', () => ({ text: 'Done.' }))]
    await using factory = await openFactory({ db, clock, models, working: false })
    const { admin, tenantId, money, runtime } = factory
    await factory.agent({ name: 'guide' })
    const limits = { runs_per_minute: 3 }
    const plan = {
      key: 'slow',
      name: 'Slow',
      currency: 'USD',
      interval: 'month',
      basePrice: '0',
      limits,
    } as const
    const { plans, accounts, subscriptions, entitlements } = money.billing
    await plans.create(admin, plan, CONTEXT)
    await accounts.put(admin, { name: 'A', currency: 'USD' }, CONTEXT)
    const start = () => runtime.start(admin, { agent: 'guide', input: 'Go.' }, CONTEXT)
    await start()
    await subscriptions.create(admin, { plan: 'slow' }, CONTEXT)
    assert.equal((await entitlements.of(tenantId)).limits.runs_per_minute, 3, 'seen at once by this process')
    now += 20_000
    const tried = await Promise.allSettled(Array.from({ length: 6 }, start))
    const reasons = tried.flatMap((one) => (one.status === 'rejected' ? [one.reason as AppError] : []))
    assert.equal(reasons.length, 4, 'two of six, for one was started before')
    for (const error of reasons) assert.ok(isAppError(error, 'rate.limited') && error.retryAfterMs === 40_000)
    now += 39_999
    await refused(start(), 'rate.limited')
    now += 1
    await start()
    await refused(start(), 'rate.limited')
  })

  it('starts no run of a restricted or a paused tenant, and leaves those alone that run', async () => {
    await using db = await open()
    let now = Date.parse('2027-01-01T00:00:00Z')
    const models = [createScriptedModel('scripted', () => ({ text: 'Done.' }))]
    await using factory = await openFactory({ db, clock: () => now, models, working: false })
    const { admin, tenantId, money, runtime, worker } = factory
    await factory.agent({ name: 'guide' })
    const { plans, accounts, subscriptions } = money.billing
    const plan = { key: 'team', name: 'Team', currency: 'USD', interval: 'month', basePrice: '0' } as const
    await plans.create(admin, plan, CONTEXT)
    await accounts.put(admin, { name: 'A', currency: 'USD' }, CONTEXT)
    const { row } = await subscriptions.create(admin, { plan: 'team' }, CONTEXT)
    const start = () => runtime.start(admin, { agent: 'guide', input: 'Go.' }, CONTEXT)
    const before = await start()
    const standing = (to: 'active' | 'restricted') =>
      db.tenant(tenantId).write((tx) => tx.run(restrict, { standing: to }))
    await standing('restricted')
    now += ENTITLEMENTS_AGE_MS_MAX
    await refused(start(), 'billing.restricted')
    await worker.start()
    assert.equal((await runtime.wait(tenantId, before.id, 10_000)).state, 'completed')
    await standing('active')
    now += ENTITLEMENTS_AGE_MS_MAX
    await start()
    await subscriptions.pause(admin, row.id, {}, CONTEXT)
    await refused(start(), 'billing.restricted')
    await subscriptions.resume(admin, row.id, {}, CONTEXT)
    await start()
    assert.ok(name)
  })
})

async function refused(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(isAppError(error, code), String(error))
    return true
  })
}
