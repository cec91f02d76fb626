// An actor of the chaos of budgets: reserves, settles, releases, forgets, sweeps, raises and lowers, many at once.
// node actor.ts <database url> <tenants> <started at> <seed> <file of confirmed spendings>: says after each hundred
// operations how many were refused, and goes on until it is killed.

import { appendFileSync } from 'node:fs'
import { type BudgetId, newId, type TenantId } from '../../../src/base/ids.ts'
import { periodAt, windowFrom, windowOf } from '../../../src/money/budgets/budget-period.ts'
import { applicableBudgets, lockBudgets, updateBudget } from '../../../src/money/budgets/budget-store.ts'
import { createReservations } from '../../../src/money/budgets/holds/reserve.ts'
import { sweepHolds } from '../../../src/money/budgets/holds/sweep-holds.ts'
import { addExtra } from '../../../src/money/budgets/period-store.ts'
import type { Reservation } from '../../../src/runtime/budgets.ts'
import { openDatabase } from '../../../src/storage/open.ts'
import { type Bind, statement } from '../../../src/storage/statement.ts'
import { seeded } from '../simulation/scheduler.ts'
import { AGENTS, CHARGED, dimensions, HOLD_MS, LIMIT, logSpent, playTime, SKEW_MS } from './world.ts'

const LANES = { sqlite: 24, postgres: 8 } as const
const AMOUNT_MAX = 200
const HELD_MAX = 12
const TOLD_EVERY = 100

const [, , url = '', tenantList = '', startedAt = '0', seed = '1', file = ''] = process.argv
const random = seeded(Number(seed))
const tenants = tenantList.split(',') as TenantId[]
const skewMs = Math.round((random() * 2 - 1) * SKEW_MS)
await using db = await openDatabase(url)
const deps = { db, freed: async () => undefined }
const port = createReservations(deps)
let done = 0
let refused = 0

interface Held {
  readonly tenantId: TenantId
  readonly one: Reservation
  readonly amount: number
}

function now(): number {
  return playTime(Number(startedAt)) + skewMs
}

function below(count: number): number {
  return Math.floor(random() * count)
}

function pick<T>(items: readonly T[]): T {
  return items[below(items.length)] as T
}

async function reserve(held: Held[]): Promise<void> {
  const tenantId = pick(tenants)
  const amount = 1 + below(AMOUNT_MAX)
  const of = dimensions(tenantId, pick(AGENTS))
  const at = now()
  const worst = BigInt(amount)
  const one: Reservation = {
    owner: `run:${of.runId}:1`,
    of,
    rootRunId: newId('run'),
    worstNanos: worst,
    estimateNanos: worst,
    at,
    expiresAt: at + HOLD_MS,
  }
  const ask = () => db.tenant(tenantId).write((tx) => port.reserve(tx, one))
  // An owner that does not know whether it has asked asks again.
  const answers = await Promise.all(random() < 0.1 ? [ask(), ask()] : [ask()])
  if (answers.some(({ outcome }) => outcome === 'held')) held.push({ tenantId, one, amount })
  else if (answers.every(({ outcome }) => outcome !== 'free')) refused += 1
}

async function settle({ tenantId, one, amount }: Held): Promise<void> {
  const spent = below(amount + 1)
  const tell = () =>
    db.tenant(tenantId).write(async (tx) => {
      await port.settle(tx, one.owner, BigInt(spent), now())
      await tx.run(logSpent, { owner: one.owner, spent, kind: 'settled' })
    })
  await tell()
  appendFileSync(file, `${tenantId} ${one.owner} ${spent}\n`)
  if (random() < 0.1) await tell()
}

async function charge(): Promise<void> {
  const tenantId = pick(tenants)
  const owner = `charge:${newId('run')}`
  const spent = 1 + below(AMOUNT_MAX)
  await db.tenant(tenantId).write(async (tx) => {
    await port.charge(tx, CHARGED, null, BigInt(spent), now())
    await tx.run(logSpent, { owner, spent, kind: 'charged' })
  })
  appendFileSync(file, `${tenantId} ${owner} ${spent}\n`)
}

const mostUsed = statement('budget-chaos.most-used', (db, p: Bind<{ readonly id: BudgetId }>) =>
  db
    .selectFrom('budgetPeriods')
    .select((eb) =>
      eb.fn
        .max<bigint>(eb(eb('settledNanos', '+', eb.ref('heldNanos')), '-', eb.ref('extraNanos')))
        .as('mostNanos'),
    )
    .where('tenantId', '=', p.tenantId)
    .where('budgetId', '=', p.id),
)
const inWindow = statement(
  'budget-chaos.in-window',
  (db, p: Bind<{ readonly id: BudgetId; readonly from: number }>) =>
    db
      .selectFrom('budgetPeriods')
      .select((eb) => eb.fn.sum<bigint>(eb('settledNanos', '+', eb.ref('heldNanos'))).as('mostNanos'))
      .where('tenantId', '=', p.tenantId)
      .where('budgetId', '=', p.id)
      .where('startsAt', '>', p.from),
)

/** Somebody raises or lowers a limit, never under what any period holds; or tops the period up. */
async function change(): Promise<void> {
  const tenantId = pick(tenants)
  const of = dimensions(tenantId, pick(AGENTS))
  await db.tenant(tenantId).write(async (tx) => {
    const { id } = pick(await applicableBudgets(tx, of, null))
    const [budget] = await lockBudgets(tx, [id])
    const at = now()
    const period = budget && periodAt(budget, at)
    if (budget === undefined || period === undefined || budget.scopeType === 'project') return
    if (budget.period !== 'rolling' && random() < 0.5) {
      await addExtra(tx, id, period, BigInt(below(500)), at)
      return
    }
    const used =
      budget.period === 'rolling'
        ? await tx.first(inWindow, { id, from: windowFrom(windowOf(budget), at) })
        : await tx.first(mostUsed, { id })
    const floor = used?.mostNanos ?? 0n
    const wanted = LIMIT / 2n + BigInt(below(Number(LIMIT)))
    await updateBudget(tx, { ...budget, limitNanos: wanted > floor ? wanted : floor, updatedAt: at })
  })
}

async function act(held: Held[], forgotten: Held[]): Promise<void> {
  const dice = random()
  if (dice < 0.02) await change()
  else if (dice < 0.025) await sweepHolds(deps, now() - SKEW_MS)
  else if (dice < 0.06) await charge()
  else if (dice < 0.08 && forgotten.length > 0) await settle(forgotten.shift() as Held)
  else if (held.length > 0 && (dice < 0.55 || held.length >= HELD_MAX)) await end(held, forgotten)
  else await reserve(held)
}

async function end(held: Held[], forgotten: Held[]): Promise<void> {
  const [one] = held.splice(below(held.length), 1)
  if (one === undefined) return
  const dice = random()
  if (dice < 0.75) await settle(one)
  else if (dice < 0.95) await db.tenant(one.tenantId).write((tx) => port.release(tx, one.one.owner, now()))
  // Never ended, or by its owner only when the sweeper may have charged it.
  else if (dice < 0.97) forgotten.push(one)
}

async function lane(): Promise<never> {
  const held: Held[] = []
  const forgotten: Held[] = []
  for (;;) {
    await act(held, forgotten)
    done += 1
    if (done % TOLD_EVERY > 0) continue
    process.stdout.write(`${TOLD_EVERY} ${refused}\n`)
    refused = 0
  }
}

await Promise.all(Array.from({ length: LANES[db.dialect] }, lane))
