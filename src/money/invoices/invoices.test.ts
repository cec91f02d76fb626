import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type BilledTenant,
  type BillingScene,
  openBilling,
  type UsedFact,
} from '../../../test/support/billing.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { isAppError } from '../../base/errors.ts'
import { listAudit } from '../../events/audit-log.ts'
import { closePeriods } from './closing/close-periods.ts'
import { remindLate } from './closing/dunning.ts'
import { finaliseDrafts } from './closing/finalise-drafts.ts'
import type { Invoice } from './create-invoices.ts'
import { DUE_AFTER_MS, RESTRICT_AFTER_MS } from './invoice.ts'

const CONTEXT = { requestId: undefined }
const START = '2026-01-15T00:00:00Z'
const NEXT = '2026-02-15T00:00:00Z'
const PLAN = {
  key: 'pro',
  basePrice: '29.00',
  included: { token: 1_000 },
  overage: [
    { metric: 'token', model: 'per_unit', unitPrice: '0.000333333' },
    { metric: 'agent_run', model: 'per_unit', unitPrice: '0.01' },
  ],
} as const

forEachDatabase((_, open) => {
  test('a subscription: paid in advance when it begins, its usage when the period has ended', async () => {
    await using db = await open()
    const scene = await openScene(db)
    const { tenantId } = await scene.subscribed('pro')
    await scene.bill(START)
    const first = await onlyInvoice(scene, tenantId)
    assert.deepEqual(
      [first.row.number, first.row.state, first.row.totalMinor],
      ['INV-000001', 'open', 2_900n],
    )
    assert.deepEqual([first.row.periodStart, first.row.periodEnd], [Date.parse(START), Date.parse(START)])

    await scene.use(tenantId, [
      fact('a', 'token', 4_000, '2026-01-20T00:00:00Z'),
      fact('b', 'agent_run', 1, '2026-02-14T23:59:59.999Z'),
      fact('c', 'agent_run', 1, NEXT),
    ])
    await scene.bill(NEXT)
    const { row, lines } = await newest(scene, tenantId)
    assert.deepEqual(
      lines.map(({ kind, metric, quantity, amountMinor }) => [kind, metric, quantity, amountMinor]),
      [
        ['base', null, null, 2_900n],
        ['usage', 'agent_run', 1, 1n],
        ['usage', 'token', 4_000, 100n],
      ],
    )
    assert.deepEqual([row.number, row.totalMinor, row.state], ['INV-000002', 3_001n, 'open'])
    const events = (await listAudit(db, tenantId, { limit: 100 })).items.map(({ type }) => type)
    assert.equal(events.filter((type) => type === 'invoice.finalised').length, 2)
    assert.equal(events.filter((type) => type === 'subscription.renewed').length, 2)
  })

  test('shuffled, duplicated and late usage gives the identical invoice', async () => {
    await using db = await open()
    const scene = await openScene(db)
    const facts = Array.from({ length: 60 }, (_none, n) =>
      fact(`f${n}`, n % 3 === 0 ? 'agent_run' : 'token', 1 + ((n * 7_919) % 5_000), '2026-02-01T00:00:00Z'),
    )
    const orders: readonly (readonly UsedFact[])[] = [
      facts,
      facts.toReversed(),
      // Told again, also after the period: the first acceptance decides.
      [...facts, ...facts, ...facts.map((one) => ({ ...one, at: Date.parse('2026-02-20T00:00:00Z') }))],
    ]
    const tenants: BilledTenant[] = []
    for (const order of orders) {
      const tenant = await scene.subscribed('pro')
      tenants.push(tenant)
      await scene.use(tenant.tenantId, order)
    }
    await scene.bill(NEXT)
    const drawn = await Promise.all(
      tenants.map(async ({ tenantId }) => (await newest(scene, tenantId)).lines.map(plainLine)),
    )
    assert.ok((drawn[0] ?? []).length === 3)
    assert.deepEqual(drawn[1], drawn[0])
    assert.deepEqual(drawn[2], drawn[0])
  })

  test('usage that is accepted while a draft waits is in it where it belongs to its period', async () => {
    await using db = await open()
    const scene = await openScene(db)
    const { tenantId } = await scene.subscribed('pro')
    const end = scene.set(NEXT)
    await closePeriods(db, end)
    await scene.use(tenantId, [fact('late', 'agent_run', 5, end - 1), fact('next', 'agent_run', 7, end)])
    await finaliseDrafts(db, end + 7_200_000)
    const { lines } = await newest(scene, tenantId)
    assert.equal(lines.find(({ metric }) => metric === 'agent_run')?.quantity, 5)
  })

  test('two closers and two finalisers at once make one invoice, and numbers have no gap', async () => {
    await using db = await open()
    const scene = await openScene(db)
    const tenants = [await scene.subscribed('pro'), await scene.subscribed('pro')]
    const end = scene.set('2026-04-20T00:00:00Z')
    await Promise.all([closePeriods(db, end), closePeriods(db, end), closePeriods(db, end)])
    await Promise.all([1, 2, 3].map(() => finaliseDrafts(db, end + 7_200_000)))
    for (const { tenantId } of tenants) {
      const { items } = await scene.invoices.list(tenantId, { limit: 50 })
      assert.deepEqual(items.map(({ number }) => number).sort(), [
        'INV-000001',
        'INV-000002',
        'INV-000003',
        'INV-000004',
      ])
      assert.equal(new Set(items.map(({ periodEnd }) => periodEnd)).size, 4)
    }
  })

  test('finalised twice at once, one is refused', async () => {
    await using db = await open()
    const scene = await openScene(db)
    const { tenantId, principal } = await scene.subscribed('pro')
    await closePeriods(db, scene.now())
    const { row } = await onlyInvoice(scene, tenantId)
    const finalise = () => change(scene, principal, row.id, 'finalise')
    const done = await Promise.allSettled([finalise(), finalise()])
    const refused = done.filter((one) => one.status === 'rejected')
    assert.equal(refused.length, 1)
    assert.ok(isAppError(refused[0]?.reason, 'invoice.state-conflict'))
    assert.equal((await onlyInvoice(scene, tenantId)).row.number, 'INV-000001')
  })

  test('a credit is used up oldest first over invoices; a void invoice gives it back and is drafted anew', async () => {
    await using db = await open()
    const scene = await openScene(db)
    const { tenantId, principal } = await scene.subscribed('pro')
    const give = (amount: string) =>
      scene.invoices.createItem(
        principal,
        tenantId,
        { kind: 'credit', amount, description: 'Sorry' },
        CONTEXT,
      )
    const small = await give('10.00')
    const large = await give('50.00')
    await scene.bill(START)
    const first = await onlyInvoice(scene, tenantId)
    assert.deepEqual([first.row.totalMinor, first.row.creditMinor, first.row.state], [0n, 2_900n, 'paid'])
    assert.equal((await scene.invoices.getItem(tenantId, large.id)).remainingMinor, 3_100n)

    const voided = await change(scene, principal, first.row.id, 'void')
    assert.equal(voided.row.state, 'void')
    assert.equal((await scene.invoices.getItem(tenantId, small.id)).remainingMinor, 1_000n)
    assert.equal((await scene.invoices.getItem(tenantId, large.id)).remainingMinor, 5_000n)

    const anew = await change(scene, principal, first.row.id, 'redraft')
    assert.deepEqual([anew.row.state, anew.row.creditMinor], ['draft', 2_900n])
    await refuses(() => change(scene, principal, first.row.id, 'redraft'))
    await finaliseDrafts(db, scene.now() + 7_200_000)
    assert.equal((await scene.invoices.get(tenantId, anew.row.id)).row.number, 'INV-000002')
    await scene.bill(NEXT)
    assert.deepEqual(
      [(await newest(scene, tenantId)).row.creditMinor, (await newest(scene, tenantId)).row.state],
      [2_900n, 'paid'],
    )
    await scene.bill('2026-03-15T00:00:00Z')
    const third = (await newest(scene, tenantId)).row
    assert.deepEqual([third.creditMinor, third.totalMinor, third.state], [200n, 2_700n, 'open'])
  })

  test('what would be less than nothing is a credit, which a void takes back unless it was used', async () => {
    await using db = await open()
    const scene = await openScene(db)
    const { tenantId, principal } = await scene.subscribed('pro')
    const adjustment = { kind: 'adjustment', amount: '-40.00', description: 'Overcharged' } as const
    await scene.invoices.createItem(principal, tenantId, adjustment, CONTEXT)
    await scene.bill(START)
    const first = await onlyInvoice(scene, tenantId)
    assert.deepEqual([first.row.totalMinor, first.row.state], [0n, 'paid'])
    const summary = await scene.invoices.summary(tenantId)
    assert.equal(summary.balance?.creditMinor, 1_100n)
    await change(scene, principal, first.row.id, 'void')
    assert.equal((await scene.invoices.summary(tenantId)).balance?.creditMinor, 0n)
    await change(scene, principal, first.row.id, 'redraft')
    await finaliseDrafts(db, scene.now() + 7_200_000)
    await scene.bill(NEXT)
    const anew = (await scene.invoices.list(tenantId, { limit: 10, state: 'paid' })).items[0]
    assert.ok(anew)
    await refuses(() => change(scene, principal, anew.id, 'void'))
  })

  test('a late invoice: grace, restricted, and active again when it is paid; given up, it stays restricted', async () => {
    await using db = await open()
    const scene = await openScene(db)
    const { tenantId, principal } = await scene.subscribed('pro')
    await scene.bill(START)
    const { row } = await onlyInvoice(scene, tenantId)
    const dueAt = row.dueAt ?? 0
    assert.equal(dueAt, (row.finalisedAt ?? 0) + DUE_AFTER_MS)
    const standing = async () => (await scene.invoices.summary(tenantId)).account?.standing
    for (const [at, expected] of [
      [dueAt - 1, 'active'],
      [dueAt, 'grace'],
      [dueAt + RESTRICT_AFTER_MS - 1, 'grace'],
      [dueAt + RESTRICT_AFTER_MS, 'restricted'],
    ] as const) {
      await remindLate(db, scene.set(at))
      await remindLate(db, scene.now())
      assert.equal(await standing(), expected)
    }
    await change(scene, principal, row.id, 'uncollectible')
    assert.equal(await standing(), 'restricted')
    const paid = await change(scene, principal, row.id, 'pay', 'bank transfer 4711')
    assert.deepEqual([paid.row.state, paid.row.note], ['paid', 'bank transfer 4711'])
    assert.equal(await standing(), 'active')
    await refuses(() => change(scene, principal, row.id, 'pay'))
    await refuses(() => change(scene, principal, row.id, 'void'))
    const changes = (await listAudit(db, tenantId, { limit: 100 })).items.filter(
      ({ type }) => type === 'billing.standing-changed',
    )
    assert.equal(changes.length, 3)
  })

  test('29 February, a month without a 31st and a change of daylight saving time keep their periods', async () => {
    await using db = await open()
    const scene = await openScene(db, '2028-01-31T23:30:00Z')
    const { tenantId } = await scene.subscribed('pro', { timeZone: 'Europe/Berlin' })
    for (let month = 0; month < 4; month++) await scene.bill(`2028-0${month + 2}-28T00:00:00Z`)
    await scene.bill('2028-06-02T00:00:00Z')
    const { items } = await scene.invoices.list(tenantId, { limit: 50 })
    const ends = items.map(({ periodEnd }) => new Date(periodEnd).toISOString()).sort()
    // The first of the month at half past midnight in Berlin; from 26 March on an hour earlier in UTC.
    assert.deepEqual(ends, [
      '2028-01-31T23:30:00.000Z',
      '2028-02-29T23:30:00.000Z',
      '2028-03-31T22:30:00.000Z',
      '2028-04-30T22:30:00.000Z',
      '2028-05-31T22:30:00.000Z',
    ])
    const leap = await openScene(db, '2028-02-29T12:00:00Z', 'yearly')
    const yearly = await leap.subscribed('yearly')
    await leap.bill('2032-03-01T00:00:00Z')
    const years = (await leap.invoices.list(yearly.tenantId, { limit: 50 })).items
    assert.deepEqual(years.map(({ periodEnd }) => new Date(periodEnd).toISOString().slice(0, 10)).sort(), [
      '2028-02-29',
      '2029-02-28',
      '2030-02-28',
      '2031-02-28',
      '2032-02-29',
    ])
  })

  test('cancelled within a period: a part of what is included, and no base price any more', async () => {
    await using db = await open()
    const scene = await openScene(db)
    const { tenantId, principal, subscriptionId } = await scene.subscribed('pro')
    await scene.bill(START)
    await scene.use(tenantId, [fact('x', 'token', 3_000, '2026-01-16T00:00:00Z')])
    scene.set('2026-01-30T12:00:00Z')
    await scene.subscriptions.cancel(principal, subscriptionId, { when: 'now' }, CONTEXT)
    await scene.bill('2026-01-30T12:00:01Z')
    const { lines, row } = await newest(scene, tenantId)
    assert.deepEqual(
      lines.map(({ kind }) => kind),
      ['usage', 'usage'],
    )
    // Half of the period: 500 of 1,000 included, 2,500 × 0.000333333.
    assert.equal(row.totalMinor, 83n)
    await scene.bill('2026-09-01T00:00:00Z')
    assert.equal((await scene.invoices.list(tenantId, { limit: 50 })).items.length, 2)
  })

  test('the summary shows the next invoice as it will be', async () => {
    await using db = await open()
    const scene = await openScene(db)
    const { tenantId } = await scene.subscribed('pro')
    await scene.bill(START)
    await scene.use(tenantId, [fact('x', 'agent_run', 250, '2026-01-16T00:00:00Z')])
    scene.set('2026-01-20T00:00:00Z')
    const { upcoming, balance, invoices } = await scene.invoices.summary(tenantId)
    assert.equal(upcoming?.drafted.totalMinor, 3_150n)
    assert.deepEqual([balance?.outstandingMinor, balance?.overdueMinor, invoices.length], [2_900n, 0n, 1])
    await scene.bill(NEXT)
    assert.equal((await newest(scene, tenantId)).row.totalMinor, 3_150n)
  })

  test('yen and dinars have their own decimals', async () => {
    await using db = await open()
    const scene = await openScene(db)
    for (const [currency, basePrice, total] of [
      ['JPY', '3000', 3_003n],
      ['KWD', '9.125', 12_458n],
    ] as const) {
      await scene.plan({
        ...PLAN,
        overage: [...PLAN.overage],
        key: currency.toLowerCase(),
        currency,
        basePrice,
      })
      const { tenantId } = await scene.subscribed(currency.toLowerCase(), { currency })
      await scene.bill(scene.now())
      await scene.use(tenantId, [fact('k', 'token', 11_000, scene.now())])
      await scene.bill(scene.now() + 32 * 86_400_000)
      assert.equal((await newest(scene, tenantId)).row.totalMinor, total, currency)
    }
  })
})

async function openScene(
  db: Parameters<typeof openBilling>[0],
  at = START,
  interval?: 'yearly',
): Promise<BillingScene> {
  const scene = openBilling(db, at)
  const plan = { ...PLAN, overage: [...PLAN.overage] }
  await scene.plan(interval === 'yearly' ? { ...plan, key: 'yearly', interval: 'year' } : plan)
  return scene
}

function fact(name: string, kind: UsedFact['kind'], quantity: number, at: string | number): UsedFact {
  return { kind, quantity, at: typeof at === 'string' ? Date.parse(at) : at, fact: name }
}

async function onlyInvoice(scene: BillingScene, tenantId: BilledTenant['tenantId']): Promise<Invoice> {
  const { items } = await scene.invoices.list(tenantId, { limit: 10 })
  assert.equal(items.length, 1)
  return newest(scene, tenantId)
}

async function newest(scene: BillingScene, tenantId: BilledTenant['tenantId']): Promise<Invoice> {
  const { items } = await scene.invoices.list(tenantId, { limit: 1 })
  assert.ok(items[0])
  return scene.invoices.get(tenantId, items[0].id)
}

function change(
  scene: BillingScene,
  principal: BilledTenant['principal'],
  id: Invoice['row']['id'],
  kind: 'finalise' | 'pay' | 'void' | 'uncollectible' | 'redraft',
  note: string | null = null,
): Promise<Invoice> {
  return scene.invoices.change(principal, { tenantId: principal.tenantId, id }, { kind, note }, CONTEXT)
}

async function refuses(work: () => Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => isAppError(error, 'invoice.state-conflict'))
}

function plainLine({
  seq,
  kind,
  metric,
  description,
  quantity,
  exactNanos,
  amountMinor,
  detail,
}: Invoice['lines'][number]) {
  return { seq, kind, metric, description, quantity, exactNanos, amountMinor, detail }
}
