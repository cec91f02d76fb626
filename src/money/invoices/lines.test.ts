import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAppError } from '../../base/errors.ts'
import type { BillingItemId, PlanId } from '../../base/ids.ts'
import type { Plan } from '../plans/plan.ts'
import { type Basis, type BillingItem, checkAction, RESTRICT_AFTER_MS, standingOf } from './invoice.ts'
import { draftInvoice, includedIn } from './lines.ts'
import { sum } from './rounding.ts'

const PRO: Plan = {
  id: 'pln_pro' as PlanId,
  key: 'pro',
  version: 1,
  name: 'Pro',
  description: '',
  currency: 'USD',
  interval: 'month',
  baseMinor: 2_900n,
  perSeat: true,
  trialDays: 0,
  included: { token: 1_000n, agent_run: 10n },
  overage: [
    { metric: 'token', model: 'per_unit', unitNanos: 2_000n },
    {
      metric: 'agent_run',
      model: 'graduated',
      tiers: [
        { upTo: 5n, unitNanos: 10_000_000n, flatNanos: 0n },
        { upTo: null, unitNanos: 3_333_333n, flatNanos: 1_000_000_000n },
      ],
    },
  ],
  features: [],
  limits: {},
  state: 'active',
  stripePriceId: null,
  createdBy: 'test',
  createdAt: 0,
}
const WHOLE = { part: 30, whole: 30 }
const BASIS: Basis = {
  currency: 'USD',
  periodStart: 100,
  periodEnd: 200,
  used: { plan: PRO, share: WHOLE, trial: false },
  next: { plan: PRO, seats: 3, startsAt: 200, endsAt: 300 },
}
const ENDED: Basis = { ...BASIS, next: undefined }

function item(
  id: string,
  kind: BillingItem['kind'],
  amount: bigint,
  more: Partial<BillingItem> = {},
): BillingItem {
  return {
    tenantId: 'ten' as BillingItem['tenantId'],
    id: id as BillingItemId,
    kind,
    currency: 'USD',
    amountMinor: amount,
    remainingMinor: amount,
    description: id,
    detail: '{}',
    factKey: id,
    expiresAt: null,
    createdBy: 'test',
    createdAt: 1,
    ...more,
  }
}

test('base in advance by seat, usage in arrears above what is included', () => {
  const { lines, totalMinor } = draftInvoice(BASIS, { token: 1_501_000n, agent_run: 17n }, [])
  assert.deepEqual(
    lines.map(({ kind, metric, quantity, amountMinor, fromAt, untilAt }) => [
      kind,
      metric,
      quantity,
      amountMinor,
      fromAt,
      untilAt,
    ]),
    [
      ['base', null, 3n, 8_700n, 200, 300],
      // 5 at 0.01, 2 at 0.003333333 and 1 for the tier: 1.056666666.
      ['usage', 'agent_run', 17n, 106n, 100, 200],
      ['usage', 'token', 1_501_000n, 300n, 100, 200],
    ],
  )
  assert.equal(totalMinor, 9_106n)
})

test('nothing used is a line of nothing; without overage nothing is charged; a trial is not charged', () => {
  const free: Plan = { ...PRO, overage: [] }
  const lines = draftInvoice(ENDED, {}, []).lines
  assert.deepEqual(
    lines.map(({ quantity, amountMinor }) => [quantity, amountMinor]),
    [
      [0n, 0n],
      [0n, 0n],
    ],
  )
  const uncharged = draftInvoice(
    { ...ENDED, used: { plan: free, share: WHOLE, trial: false } },
    { token: 9_999n },
    [],
  )
  assert.equal(uncharged.totalMinor, 0n)
  assert.equal(uncharged.lines[1]?.detail.model, 'not_charged')
  const trial = draftInvoice(
    { ...ENDED, used: { plan: PRO, share: WHOLE, trial: true } },
    { token: 9_999_999n },
    [],
  )
  assert.equal(trial.totalMinor, 0n)
})

test('a part of a period includes as much less, rounded up', () => {
  assert.equal(includedIn(1_000n, { part: 15, whole: 30 }), 500n)
  assert.equal(includedIn(10n, { part: 1, whole: 31 }), 1n)
  assert.equal(includedIn(10n, { part: 31, whole: 30 }), 10n)
  assert.equal(includedIn(0n, { part: 1, whole: 2 }), 0n)
  const half = { ...ENDED, used: { plan: PRO, share: { part: 15, whole: 30 }, trial: false } }
  const [, tokens] = draftInvoice(half, { token: 1_500n }, []).lines
  assert.equal(tokens?.detail.above, '1000')
})

test('credits come after the lines: what expires first, then the oldest; what has expired is left alone', () => {
  const items = [
    item('old', 'credit', 300n, { createdAt: 1 }),
    item('young', 'credit', 9_000n, { createdAt: 2 }),
    item('late', 'credit', 100n, { createdAt: 3, expiresAt: 400 }),
    item('soon', 'credit', 100n, { createdAt: 4, expiresAt: 250 }),
    item('gone', 'credit', 100n, { createdAt: 0, expiresAt: 200 }),
    item('yen', 'credit', 100n, { currency: 'JPY' }),
  ]
  const drafted = draftInvoice({ ...BASIS, used: undefined }, {}, items)
  assert.deepEqual(
    drafted.taken.map(({ id, amountMinor }) => [id, amountMinor]),
    [
      ['soon', 100n],
      ['late', 100n],
      ['old', 300n],
      ['young', 8_200n],
    ],
  )
  assert.deepEqual([drafted.subtotalMinor, drafted.creditMinor, drafted.totalMinor], [8_700n, 8_700n, 0n])
})

test('a negative rest becomes a credit, and the invoice asks for nothing', () => {
  const items = [
    item('back', 'proration', -10_000n),
    item('fee', 'adjustment', 50n),
    item('saved', 'credit', 70n),
  ]
  const drafted = draftInvoice(BASIS, {}, items)
  assert.equal(drafted.carriedMinor, 1_250n)
  assert.deepEqual([drafted.subtotalMinor, drafted.creditMinor, drafted.totalMinor], [0n, 0n, 0n])
  assert.equal(sum(drafted.lines.map(({ amountMinor }) => amountMinor)), 0n)
  assert.deepEqual(
    drafted.taken.map(({ id }) => id),
    ['back', 'fee'],
  )
})

test('the same items in another order give the same invoice', () => {
  const items = ['a', 'b', 'c', 'd'].map((id, at) => item(id, at % 2 === 0 ? 'credit' : 'adjustment', 500n))
  const usage = { agent_run: 12n, token: 5_000n }
  assert.deepEqual(draftInvoice(BASIS, usage, items), draftInvoice(BASIS, usage, items.toReversed()))
})

test('the states of an invoice: what is not allowed is refused', () => {
  const allowed = {
    draft: ['finalise', 'void'],
    open: ['pay', 'void', 'uncollectible'],
    uncollectible: ['pay', 'void'],
    paid: [],
    void: [],
  } as const
  for (const [state, actions] of Object.entries(allowed))
    for (const action of ['finalise', 'pay', 'void', 'uncollectible'] as const) {
      const invoice = { id: 'inv' as never, state: state as keyof typeof allowed, totalMinor: 5n }
      if ((actions as readonly string[]).includes(action)) checkAction(invoice, action)
      else
        assert.throws(
          () => checkAction(invoice, action),
          (error) => isAppError(error, 'invoice.state-conflict'),
          `${state} ${action}`,
        )
    }
  checkAction({ id: 'inv' as never, state: 'paid', totalMinor: 0n }, 'void')
})

test('an account is in grace when an invoice is late, and restricted when it is too late or given up', () => {
  assert.equal(standingOf({ firstDueAt: null, givenUp: 0 }, 10), 'active')
  assert.equal(standingOf({ firstDueAt: 11, givenUp: 0 }, 10), 'active')
  assert.equal(standingOf({ firstDueAt: 10, givenUp: 0 }, 10), 'grace')
  assert.equal(standingOf({ firstDueAt: 10, givenUp: 0 }, 10 + RESTRICT_AFTER_MS), 'restricted')
  assert.equal(standingOf({ firstDueAt: null, givenUp: 1 }, 10), 'restricted')
})
