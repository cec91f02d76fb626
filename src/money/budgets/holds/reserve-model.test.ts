// Budgets against a simple model: any order of reserving, settling, releasing, expiring, charging, changing limits, topping
// up and time going on leaves what the model says.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { addBudget, NOBODY, NOW, periodsOf, reservation } from '../../../../test/support/budgets.ts'
import { forEachDatabase } from '../../../../test/support/database.ts'
import { type BudgetId, newId } from '../../../base/ids.ts'
import type { Budgets } from '../../../runtime/budgets.ts'
import type { Database } from '../../../storage/database.ts'
import { isInWindow, type PeriodRule, periodAt } from '../budget-period.ts'
import { lockBudgets, updateBudget } from '../budget-store.ts'
import { addExtra } from '../period-store.ts'
import { createReservations } from './reserve.ts'
import { sweepHolds } from './sweep-holds.ts'

const HOUR_MS = 3_600_000
const HOLD_MS = 5 * HOUR_MS
const RUNS = { sqlite: 60, postgres: 12 } as const

type Operation =
  | { readonly do: 'reserve'; readonly agent: number; readonly amount: number }
  | { readonly do: 'settle' | 'release'; readonly nth: number; readonly part: number }
  | { readonly do: 'charge'; readonly agent: number; readonly amount: number }
  | { readonly do: 'limit' | 'extra'; readonly budget: number; readonly amount: number }
  | { readonly do: 'wait'; readonly hours: number }
  | { readonly do: 'sweep' }

const small = fc.integer({ min: 0, max: 60 })
const place = fc.integer({ min: 0, max: 3 })
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('reserve' as const), agent: place, amount: small }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('settle' as const, 'release' as const),
      nth: fc.nat(30),
      part: fc.integer({ min: 0, max: 120 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('charge' as const), agent: place, amount: small }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('limit' as const, 'extra' as const),
      budget: place,
      amount: small,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 30 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
)

/** A budget of the model: on the tenant, or on one agent. */
interface ModelBudget {
  readonly id: BudgetId
  readonly agent: number | undefined
  readonly mode: 'hard' | 'soft' | 'ask'
  readonly rule: PeriodRule
  limit: number
  readonly periods: Map<string, ModelPeriod>
}

interface ModelPeriod {
  readonly endsAt: number
  settled: number
  held: number
  extra: number
}

interface ModelHold {
  readonly owner: string
  readonly amount: number
  readonly expiresAt: number
  readonly periods: readonly ModelPeriod[]
  state: 'held' | 'estimated' | 'ended'
}

async function play(db: Database, operations: readonly Operation[]): Promise<void> {
  const tenantId = newId('tenant')
  const tenant = db.tenant(tenantId)
  const deps = { db, freed: async () => undefined }
  const port: Budgets = createReservations(deps)
  const budgets = await makeBudgets(db, tenantId)
  const holds: ModelHold[] = []
  let at = NOW

  const applicable = (agent: number): readonly ModelBudget[] =>
    budgets.filter((budget) => budget.agent === undefined || budget.agent === agent)

  for (const one of operations) {
    switch (one.do) {
      case 'reserve': {
        const of = { ...NOBODY, runId: newId('run'), agentId: `agt_${one.agent}` }
        const asked = reservation(BigInt(one.amount), { of, at, expiresAt: at + HOLD_MS })
        const { outcome } = await tenant.write((tx) => port.reserve(tx, asked))
        const full = applicable(one.agent).filter(
          (budget) => budget.mode !== 'soft' && usedAt(budget, at) + one.amount > limitAt(budget, at),
        )
        const no = full.some(({ mode }) => mode === 'hard') ? 'refused' : 'wait'
        assert.equal(outcome, full.length === 0 ? 'held' : no)
        if (full.length > 0) break
        const periods = applicable(one.agent).map((budget) => periodOf(budget, at))
        for (const period of periods) period.held += one.amount
        holds.push({
          owner: asked.owner,
          amount: one.amount,
          expiresAt: at + HOLD_MS,
          periods,
          state: 'held',
        })
        break
      }
      case 'settle':
      case 'release': {
        const hold = holds[one.nth % Math.max(holds.length, 1)]
        if (hold === undefined) break
        const cost = one.do === 'release' ? 0 : Math.floor((hold.amount * one.part) / 100)
        await tenant.write((tx) =>
          one.do === 'release'
            ? port.release(tx, hold.owner, at)
            : port.settle(tx, hold.owner, BigInt(cost), at),
        )
        for (const period of hold.periods) {
          if (hold.state === 'held') period.held -= hold.amount
          if (hold.state === 'held') period.settled += cost
          if (hold.state === 'estimated') period.settled += cost - hold.amount
        }
        hold.state = 'ended'
        break
      }
      case 'charge': {
        const of = { ...NOBODY, agentId: `agt_${one.agent}` }
        await tenant.write((tx) => port.charge(tx, of, null, BigInt(one.amount), at))
        if (one.amount > 0)
          for (const budget of applicable(one.agent)) periodOf(budget, at).settled += one.amount
        break
      }
      case 'limit':
      case 'extra': {
        const model = budgets[one.budget] as ModelBudget
        await tenant.write(async (tx) => {
          const [budget] = await lockBudgets(tx, [model.id])
          const period = budget && periodAt(budget, at)
          assert.ok(budget && period)
          if (one.do === 'extra') await addExtra(tx, model.id, period, BigInt(one.amount), at)
          else await updateBudget(tx, { ...budget, limitNanos: BigInt(one.amount * 3), updatedAt: at })
        })
        if (one.do === 'extra') periodOf(model, at).extra += one.amount
        else model.limit = one.amount * 3
        break
      }
      case 'wait':
        at += one.hours * HOUR_MS
        break
      case 'sweep': {
        await sweepHolds(deps, at)
        for (const hold of holds) {
          if (hold.state !== 'held' || hold.expiresAt >= at) continue
          for (const period of hold.periods) {
            period.held -= hold.amount
            period.settled += hold.amount
          }
          hold.state = 'estimated'
        }
        break
      }
      default:
        one satisfies never
    }
  }
  const stored = await periodsOf(db, tenantId)
  for (const { id, periods } of budgets) {
    const rows = stored
      .filter(({ budgetId }) => budgetId === id)
      .map(({ periodKey, settledNanos, heldNanos, extraNanos }) => [
        periodKey,
        Number(settledNanos),
        Number(heldNanos),
        Number(extraNanos),
      ])
    const expected = [...periods].map(([key, { settled, held, extra }]) => [key, settled, held, extra])
    assert.deepEqual(rows.toSorted(), expected.toSorted())
  }
}

async function makeBudgets(
  db: Database,
  tenantId: ReturnType<typeof newId<'tenant'>>,
): Promise<ModelBudget[]> {
  const made: ModelBudget[] = []
  const rule = { period: 'day', timeZone: 'UTC', rollingMs: null, startsAt: null, endsAt: null } as const
  const add = async (
    agent: number | undefined,
    mode: ModelBudget['mode'],
    given: Partial<PeriodRule>,
  ): Promise<void> => {
    const whole: PeriodRule = { ...rule, ...given }
    const scope = agent === undefined ? {} : ({ scopeType: 'agent', scopeId: `agt_${agent}` } as const)
    const id = await addBudget(db, tenantId, { ...whole, ...scope, mode, limitNanos: 150n, thresholds: [50] })
    made.push({ id, agent, mode, rule: whole, limit: 150, periods: new Map() })
  }
  await add(undefined, 'hard', { period: 'day', timeZone: 'Europe/Berlin' })
  await add(0, 'ask', { period: 'week', timeZone: 'America/St_Johns' })
  await add(1, 'hard', { period: 'rolling', rollingMs: 24 * HOUR_MS })
  await add(2, 'soft', { period: 'month' })
  return made
}

function periodOf(budget: ModelBudget, at: number): ModelPeriod {
  const period = periodAt(budget.rule, at)
  assert.ok(period)
  const known = budget.periods.get(period.key)
  if (known !== undefined) return known
  const made = { endsAt: period.endsAt, settled: 0, held: 0, extra: 0 }
  budget.periods.set(period.key, made)
  return made
}

/** The periods that count at that moment. */
function counting({ rule, periods }: ModelBudget, at: number): readonly ModelPeriod[] {
  const { rollingMs } = rule
  if (rollingMs !== null) return [...periods.values()].filter((bucket) => isInWindow(rollingMs, bucket, at))
  const now = periods.get(periodAt(rule, at)?.key ?? '')
  return now === undefined ? [] : [now]
}

function usedAt(budget: ModelBudget, at: number): number {
  return counting(budget, at).reduce((sum, { settled, held }) => sum + settled + held, 0)
}

function limitAt(budget: ModelBudget, at: number): number {
  return counting(budget, at).reduce((sum, { extra }) => sum + extra, budget.limit)
}

forEachDatabase((name, open) => {
  it('budgets do what the model does, in any order', async () => {
    await using db = await open()
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 10, maxLength: 60 }), (operations) =>
        play(db, operations),
      ),
      { numRuns: RUNS[name] },
    )
  })
})
