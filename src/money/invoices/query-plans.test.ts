import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openBilling } from '../../../test/support/billing.ts'
import { forEachDatabase } from '../../../test/support/database.ts'
import { adminOf } from '../../storage/admin.ts'
import { createCompiler } from '../../storage/compile.ts'
import { recordsOfKind } from './shown/explain.ts'
import { sumOfKind } from './usage-sums.ts'

forEachDatabase((_, open) => {
  it('an invoice adds up what the index holds, and an explanation walks it', async () => {
    await using db = await open()
    const scene = openBilling(db, '2026-01-01T00:00:00Z')
    const { tenantId } = await scene.tenant()
    const facts = Array.from({ length: 200 }, (_none, n) => ({
      kind: 'tool_call' as const,
      quantity: 1,
      at: scene.now() + n,
      fact: `fact ${n}`,
    }))
    await scene.use(tenantId, facts)
    const compiler = createCompiler(db.dialect)
    for (const [statement, only] of [
      [sumOfKind, true],
      [recordsOfKind, false],
    ] as const) {
      const { sql } = compiler.tenant<never, unknown>(statement as never)
      const plan = await adminOf(db).session(async (session) => {
        if (session.dialect === 'sqlite')
          return (await session.rows(`explain query plan ${sql}`))
            .map(({ detail }) => String(detail))
            .join('\n')
        await session.rows('vacuum analyze usage_records')
        await session.rows('set enable_seqscan = off')
        await session.rows('set enable_bitmapscan = off')
        const rows = await session.rows(`explain (generic_plan, costs off) ${sql}`)
        return rows.map((row) => String(row['QUERY PLAN'])).join('\n')
      })
      assert.match(plan, /usage_records_billed/, plan)
      if (only) assert.match(plan, /COVERING INDEX|Index Only Scan/, plan)
    }
  })
})
