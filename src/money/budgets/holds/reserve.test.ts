import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  addBudget,
  holdsOf,
  NOBODY,
  NOW,
  periodsOf,
  reservation,
  toldOf,
} from '../../../../test/support/budgets.ts'
import { forEachDatabase } from '../../../../test/support/database.ts'
import { isAppError } from '../../../base/errors.ts'
import { type BudgetId, newId, type TenantId } from '../../../base/ids.ts'
import type { Budgets, Reservation, Reserved } from '../../../runtime/budgets.ts'
import type { Database } from '../../../storage/database.ts'
import { AMOUNT_NANOS_MAX } from '../budget.ts'
import { periodAt } from '../budget-period.ts'
import { lockBudgets, updateBudget } from '../budget-store.ts'
import { addExtra } from '../period-store.ts'
import { createReservations } from './reserve.ts'
import { sweepHolds } from './sweep-holds.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** One tenant with the port, each call a transaction of its own. */
function stage(db: Database) {
  const tenantId = newId('tenant')
  const tenant = db.tenant(tenantId)
  const freed: BudgetId[][] = []
  const deps = { db, freed: async (_: unknown, ids: readonly BudgetId[]) => void freed.push([...ids]) }
  const port: Budgets = createReservations(deps)
  return {
    tenantId,
    tenant,
    freed,
    reserve: (one: Reservation): Promise<Reserved> => tenant.write((tx) => port.reserve(tx, one)),
    settle: (owner: string, cost: bigint | undefined, at = NOW) =>
      tenant.write((tx) => port.settle(tx, owner, cost, at)),
    release: (owner: string, at = NOW) => tenant.write((tx) => port.release(tx, owner, at)),
    charge: (cost: bigint, of = NOBODY, at = NOW) =>
      tenant.write((tx) => port.charge(tx, of, null, cost, at)),
    admit: (of = NOBODY, at = NOW) => tenant.read((reader) => port.admit(reader, of, at)),
    sweep: (at: number) => sweepHolds(deps, at),
    balances: async () =>
      (await periodsOf(db, tenantId)).map(({ periodKey, settledNanos, heldNanos }) => [
        periodKey,
        settledNanos,
        heldNanos,
      ]),
  }
}

async function setLimit(db: Database, tenantId: TenantId, id: BudgetId, limitNanos: bigint): Promise<void> {
  await db.tenant(tenantId).write(async (tx) => {
    const [budget] = await lockBudgets(tx, [id])
    assert.ok(budget)
    await updateBudget(tx, { ...budget, limitNanos, updatedAt: NOW })
  })
}

forEachDatabase((_, open) => {
  it('asks nothing where no budget applies', async () => {
    await using db = await open()
    const { tenantId, reserve, settle, charge, admit } = stage(db)
    await addBudget(db, tenantId, { scopeType: 'agent', scopeId: 'agt_other' })
    await addBudget(db, tenantId, { limitNanos: 0n, state: 'archived' })
    assert.deepEqual(await reserve(reservation(1_000n)), { outcome: 'free' })
    await settle('run:nobody:1', 10n)
    await charge(5n)
    await admit()
    assert.deepEqual(await periodsOf(db, tenantId), [])
    assert.deepEqual(await holdsOf(db, tenantId), [])
  })

  it('sets the worst case aside and settles the real cost', async () => {
    await using db = await open()
    const { tenantId, reserve, settle, balances } = stage(db)
    await addBudget(db, tenantId)
    const one = reservation(60n)
    assert.deepEqual(await reserve(one), { outcome: 'held' })
    assert.deepEqual(await balances(), [['2026-11', 0n, 60n]])
    const refused = await reserve(reservation(41n))
    assert.equal(refused.outcome === 'refused' && refused.code, 'budget.exceeded')
    assert.deepEqual(await reserve(reservation(40n)), { outcome: 'held' })
    await settle(one.owner, 12n)
    assert.deepEqual(await balances(), [['2026-11', 12n, 40n]])
    // Told a second time, nothing is counted a second time.
    await settle(one.owner, 12n)
    assert.deepEqual(await balances(), [['2026-11', 12n, 40n]])
    const [hold] = await holdsOf(db, tenantId)
    assert.deepEqual([hold?.state, hold?.settledNanos, hold?.amountNanos], ['settled', 12n, 60n])
  })

  it('reserves over every budget that applies, or over none', async () => {
    await using db = await open()
    const { tenantId, reserve, balances } = stage(db)
    const of = {
      ...NOBODY,
      agentId: 'agt_1',
      userId: 'usr_1',
      projectId: newId('project'),
      workflowId: 'wfl_1',
    }
    const runId = newId('run')
    const rootRunId = newId('run')
    await addBudget(db, tenantId)
    await addBudget(db, tenantId, { scopeType: 'agent', scopeId: 'agt_1' })
    await addBudget(db, tenantId, { scopeType: 'user', scopeId: 'usr_1' })
    await addBudget(db, tenantId, { scopeType: 'project', scopeId: of.projectId })
    await addBudget(db, tenantId, { scopeType: 'workflow', scopeId: 'wfl_1' })
    await addBudget(db, tenantId, { scopeType: 'run', scopeId: rootRunId })
    const least = await addBudget(db, tenantId, { scopeType: 'run', scopeId: runId, limitNanos: 9n })
    const ask = (worst: bigint): Reservation => reservation(worst, { of: { ...of, runId }, rootRunId })
    const refused = await reserve(ask(10n))
    assert.equal(refused.outcome === 'refused' && refused.budgetId, least)
    assert.deepEqual(await balances(), [])
    assert.deepEqual(await holdsOf(db, tenantId), [])
    await reserve(ask(9n))
    assert.deepEqual(
      (await balances()).map(([, , held]) => held),
      Array.from({ length: 7 }, () => 9n),
    )
  })

  it('answers the same owner with its first hold, and holds anew what was released', async () => {
    await using db = await open()
    const { tenantId, reserve, release, balances } = stage(db)
    await addBudget(db, tenantId)
    const one = reservation(60n)
    await reserve(one)
    assert.deepEqual(await reserve(one), { outcome: 'held' })
    assert.deepEqual(await balances(), [['2026-11', 0n, 60n]])
    await release(one.owner)
    await release(one.owner)
    assert.deepEqual(await balances(), [['2026-11', 0n, 0n]])
    await reserve({ ...one, worstNanos: 70n })
    assert.deepEqual(await balances(), [['2026-11', 0n, 70n]])
    assert.equal((await holdsOf(db, tenantId)).length, 1)
  })

  it('takes zero for zero', async () => {
    await using db = await open()
    const { tenantId, reserve, admit } = stage(db)
    await addBudget(db, tenantId, { limitNanos: 0n })
    assert.equal((await reserve(reservation(1n))).outcome, 'refused')
    await assert.rejects(admit(), (error) => isAppError(error, 'budget.exceeded'))
    // What certainly costs nothing passes no limit.
    assert.equal((await reserve(reservation(0n))).outcome, 'held')
  })

  it('refuses in a hard budget what nobody knows the cost of; counts it in a soft one', async () => {
    await using db = await open()
    const { tenantId, reserve, settle, balances } = stage(db)
    const soft = await addBudget(db, tenantId, { mode: 'soft', limitNanos: 1n, thresholds: [50, 100] })
    const one = reservation(undefined, { estimateNanos: 7n })
    assert.equal((await reserve(one)).outcome, 'held')
    await settle(one.owner, undefined)
    assert.deepEqual(await balances(), [['2026-11', 7n, 0n]])
    const told = await toldOf(db, tenantId)
    assert.deepEqual(
      told.filter(({ subject }) => subject === soft).map(({ type }) => type),
      ['budget.crossed', 'budget.crossed'],
    )
    await addBudget(db, tenantId, { limitNanos: 1_000n })
    const refused = await reserve(reservation(undefined))
    assert.equal(refused.outcome === 'refused' && refused.code, 'budget.unpriced')
  })

  it('lets a run wait for an ask budget, and says when there is room by itself', async () => {
    await using db = await open()
    const { tenantId, reserve, release, freed } = stage(db)
    const id = await addBudget(db, tenantId, { mode: 'ask', timeZone: 'Europe/Berlin' })
    const one = reservation(80n)
    await reserve(one)
    const waiting = await reserve(reservation(30n))
    assert.ok(waiting.outcome === 'wait')
    assert.deepEqual([waiting.budgetId, waiting.neededNanos], [id, 30n])
    assert.equal(waiting.againAt, Date.UTC(2026, 10, 30, 23))
    const never = await reserve(reservation(101n))
    assert.equal(never.outcome === 'wait' && never.againAt, undefined)
    assert.deepEqual(freed, [])
    await release(one.owner)
    assert.deepEqual(freed, [[id]])
    assert.equal((await reserve(reservation(30n))).outcome, 'held')
    // What refuses refuses, also where the other would have waited.
    await addBudget(db, tenantId, { limitNanos: 10n })
    assert.equal((await reserve(reservation(80n))).outcome, 'refused')
  })

  it('has room again when the limit is raised or topped up for the period', async () => {
    await using db = await open()
    const { tenantId, tenant, reserve } = stage(db)
    const id = await addBudget(db, tenantId)
    await reserve(reservation(100n))
    assert.equal((await reserve(reservation(10n))).outcome, 'refused')
    await tenant.write(async (tx) => {
      const [budget] = await lockBudgets(tx, [id])
      const period = budget && periodAt(budget, NOW)
      assert.ok(period)
      await addExtra(tx, id, period, 10n, NOW)
    })
    assert.equal((await reserve(reservation(10n))).outcome, 'held')
    assert.equal((await reserve(reservation(10n))).outcome, 'refused')
    await setLimit(db, tenantId, id, 110n)
    assert.equal((await reserve(reservation(10n))).outcome, 'held')
    // Lowered under what is spent: nothing more, and nothing is taken back.
    await setLimit(db, tenantId, id, 5n)
    assert.equal((await reserve(reservation(1n))).outcome, 'refused')
  })

  it('begins each period with nothing spent, and ends a hold in the one it began in', async () => {
    await using db = await open()
    const { tenantId, reserve, settle, balances } = stage(db)
    await addBudget(db, tenantId, { period: 'day', timeZone: 'Asia/Kathmandu' })
    const one = reservation(100n)
    await reserve(one)
    const tomorrow = NOW + DAY_MS
    assert.equal((await reserve(reservation(100n, { at: tomorrow, expiresAt: tomorrow }))).outcome, 'held')
    await settle(one.owner, 90n, tomorrow)
    assert.deepEqual(await balances(), [
      ['2026-11-23', 90n, 0n],
      ['2026-11-24', 0n, 100n],
    ])
  })

  it('counts a rolling budget over its window, bucket by bucket', async () => {
    await using db = await open()
    const { tenantId, reserve } = stage(db)
    await addBudget(db, tenantId, { mode: 'ask', period: 'rolling', rollingMs: 60 * MINUTE_MS })
    const at = (minutes: number, worst: bigint): Promise<Reserved> =>
      reserve(reservation(worst, { at: NOW + minutes * MINUTE_MS }))
    assert.equal((await at(0, 60n)).outcome, 'held')
    assert.equal((await at(30, 40n)).outcome, 'held')
    const waiting = await at(45, 1n)
    assert.equal(waiting.outcome === 'wait' && waiting.againAt, NOW + 61 * MINUTE_MS)
    assert.equal((await at(60, 1n)).outcome, 'wait')
    assert.equal((await at(61, 60n)).outcome, 'held')
    assert.equal((await at(61, 1n)).outcome, 'wait')
    // A host whose clock is behind sees what others have reserved after that.
    assert.equal((await at(59, 1n)).outcome, 'wait')
  })

  it('counts a budget for once between its times only', async () => {
    await using db = await open()
    const { tenantId, reserve, charge } = stage(db)
    await addBudget(db, tenantId, { period: 'once', startsAt: NOW, endsAt: NOW + DAY_MS })
    assert.equal((await reserve(reservation(101n, { at: NOW - 1 }))).outcome, 'free')
    assert.equal((await reserve(reservation(101n, { at: NOW + DAY_MS }))).outcome, 'free')
    assert.equal((await reserve(reservation(101n))).outcome, 'refused')
    await charge(101n, NOBODY, NOW - 1)
    assert.equal((await reserve(reservation(100n, { at: NOW + DAY_MS - 1 }))).outcome, 'held')
  })

  it('tells of a threshold once in a period, and of a limit that was passed', async () => {
    await using db = await open()
    const { tenantId, charge, reserve, settle } = stage(db)
    const id = await addBudget(db, tenantId, { thresholds: [50, 80, 100] })
    for (const cost of [49n, 1n, 10n, 20n]) await charge(cost)
    const one = reservation(20n)
    assert.equal((await reserve(one)).outcome, 'held')
    await settle(one.owner, 25n)
    await charge(10n)
    const told = (await toldOf(db, tenantId)).map(({ type, subject, data }) => {
      assert.equal(subject, id)
      return [type, (data as { percent?: number }).percent]
    })
    assert.deepEqual(told, [
      ['budget.crossed', 50],
      ['budget.crossed', 80],
      ['budget.crossed', 100],
      ['budget.exceeded', undefined],
    ])
    await charge(60n, NOBODY, NOW + 30 * DAY_MS)
    assert.equal((await toldOf(db, tenantId)).length, 5)
  })

  it('charges the estimate of a hold whose owner is gone, and marks it; the real cost takes its place', async () => {
    await using db = await open()
    const { tenantId, reserve, settle, release, sweep, balances } = stage(db)
    await addBudget(db, tenantId)
    const lost = reservation(40n, { estimateNanos: 25n })
    const late = reservation(20n, { estimateNanos: 15n })
    const alive = reservation(10n, { expiresAt: NOW + DAY_MS })
    const unspent = reservation(5n)
    for (const one of [lost, late, alive, unspent]) await reserve(one)
    assert.equal(await sweep(NOW + MINUTE_MS), 0)
    // Several processes at once: each hold is ended by one of them.
    const swept = await Promise.all([1, 2, 3].map(() => sweep(NOW + 2 * MINUTE_MS)))
    assert.equal(
      swept.reduce((sum, count) => sum + count, 0),
      3,
    )
    assert.deepEqual(await balances(), [['2026-11', 45n, 10n]])
    const told = await toldOf(db, tenantId)
    assert.deepEqual(
      told.map(({ type }) => type),
      Array.from({ length: 3 }, () => 'budget.hold-estimated'),
    )
    await settle(late.owner, 3n)
    await release(unspent.owner)
    assert.deepEqual(await balances(), [['2026-11', 28n, 10n]])
    const states = (await holdsOf(db, tenantId)).map(({ state, settledNanos }) => [state, settledNanos])
    assert.deepEqual(states, [
      ['estimated', 25n],
      ['settled', 3n],
      ['held', null],
      ['released', 0n],
    ])
  })

  it('fails closed where a budget cannot be asked, unless it says otherwise', async () => {
    await using db = await open()
    const { tenantId, reserve, admit } = stage(db)
    await addBudget(db, tenantId, { timeZone: 'Mars/Olympus', onFailure: 'open' })
    assert.deepEqual(await reserve(reservation(1_000n)), { outcome: 'free' })
    await admit()
    await addBudget(db, tenantId, { timeZone: 'Mars/Olympus' })
    const refused = await reserve(reservation(1n))
    assert.equal(refused.outcome === 'refused' && refused.code, 'budget.unavailable')
    await assert.rejects(admit(), (error) => isAppError(error, 'budget.unavailable'))
  })

  it('refuses amounts that are none', async () => {
    await using db = await open()
    const { tenantId, reserve, charge } = stage(db)
    await addBudget(db, tenantId, { mode: 'soft' })
    await assert.rejects(reserve(reservation(-1n)), RangeError)
    await assert.rejects(charge(-1n), RangeError)
    await assert.rejects(charge(AMOUNT_NANOS_MAX + 1n), (error) => isAppError(error, 'request.invalid'))
  })

  it('lets exactly as many of 1,000 parallel reservations through as fit', async () => {
    await using db = await open()
    const { tenantId, reserve } = stage(db)
    const of = { ...NOBODY, agentId: 'agt_1' }
    await addBudget(db, tenantId, { limitNanos: 2_600n })
    await addBudget(db, tenantId, { scopeType: 'agent', scopeId: 'agt_1', limitNanos: 10_000n })
    const outcomes = await Promise.all(
      Array.from({ length: 1_000 }, () => reserve(reservation(7n, { of: { ...of, runId: newId('run') } }))),
    )
    assert.equal(outcomes.filter(({ outcome }) => outcome === 'held').length, 371)
    assert.equal(outcomes.filter(({ outcome }) => outcome === 'refused').length, 629)
    assert.deepEqual(
      (await periodsOf(db, tenantId)).map(({ heldNanos }) => heldNanos),
      [2_597n, 2_597n],
    )
    assert.equal((await holdsOf(db, tenantId)).length, 371)
  })
})
