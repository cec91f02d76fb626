import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase } from '../support/database.ts'
import { reconcile } from './reconcile.ts'
import { simulateMonth } from './simulated-month.ts'

/** Small, so that it takes a second or two: `npm run money:month` does the whole. */
const SMALL = { tenants: 3, runs: 240, seed: 7 }

forEachDatabase((name, open) => {
  test(`every invoice of a simulated month agrees with usage records and the prompt log on ${name}`, async () => {
    await using db = await open()
    const month = await simulateMonth(db, SMALL)
    const results = await reconcile(month)
    assert.deepEqual(
      results.flatMap(({ differences }) => differences),
      [],
    )
    assert.equal(results.length, SMALL.tenants)
    for (const one of results) assert.ok(one.invoices >= 2 && one.lines > 0 && one.told > one.records)

    // The reconciliation sees what is wrong: one token more on one record.
    const [first] = month.tenants
    assert.ok(first)
    const fact = {
      kind: 'tool_call',
      quantity: 1,
      at: Date.parse('2026-02-03T00:00:00Z'),
      fact: 'nobody told it',
    } as const
    await month.scene.use(first.tenantId, [fact])
    const [again] = await reconcile(month)
    assert.notDeepEqual(again?.differences, [])
  })
})
