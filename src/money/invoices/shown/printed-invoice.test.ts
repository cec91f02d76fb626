import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBilling } from '../../../../test/support/billing.ts'
import { openTestDatabase } from '../../../../test/support/database.ts'
import { accountOf } from '../../subscriptions/subscription-store.ts'
import { stepsOf } from './explain.ts'
import { csvOf, documentOf } from './printed-invoice.ts'

const CONTEXT = { requestId: undefined }

test('an invoice in print: who, which number, lines that add up, and nothing that a spreadsheet takes for a formula', async () => {
  await using db = await openTestDatabase()
  const scene = openBilling(db, '2026-01-15T23:30:00Z')
  await scene.plan({
    key: 'pack',
    currency: 'JPY',
    basePrice: '1000',
    overage: [{ metric: 'tool_call', model: 'package', packageSize: 100, packagePrice: '50' }],
  })
  const { tenantId, principal } = await scene.subscribed('pack', { currency: 'JPY', timeZone: 'Asia/Tokyo' })
  await scene.bill(scene.now())
  const credit = { kind: 'credit', amount: '30', description: '=HYPERLINK("https://example.com")' } as const
  await scene.invoices.createItem(principal, tenantId, credit, CONTEXT)
  await scene.use(tenantId, [{ kind: 'tool_call', quantity: 250, at: scene.now(), fact: 'calls' }])
  await scene.bill('2026-02-20T00:00:00Z')
  const newest = (await scene.invoices.list(tenantId, { limit: 1 })).items[0]
  assert.ok(newest)
  const { row, lines } = await scene.invoices.get(tenantId, newest.id)
  const account = await db.tenant(tenantId).read((reader) => reader.first(accountOf, {}))
  assert.ok(account)
  const printed = { invoice: row, lines, account, supplier: 'Acme' }

  const csv = csvOf(printed)
  assert.match(csv, /,"'=HYPERLINK\(""https:/)
  assert.match(csv, /INV-000002,,total,,,,,,,1120,JPY\r\n$/)
  const document = documentOf(printed)
  assert.equal(document.title, 'Invoice INV-000002')
  const text = JSON.stringify(document.blocks)
  for (const wanted of ['"Acme"', 'Ada & Co', '2026-01-16 until 2026-02-16', '"-30"', 'Stripe Tax'])
    assert.ok(text.includes(wanted), `${wanted} in ${text}`)

  const usage = lines.find(({ kind }) => kind === 'usage')
  assert.ok(usage)
  assert.deepEqual(stepsOf(row, usage), [
    '250 used',
    '0 included, 250 above',
    '3 packages of 100 × 50 = 150 (package)',
    'exactly 150 JPY, on the invoice 150 JPY',
  ])
})
