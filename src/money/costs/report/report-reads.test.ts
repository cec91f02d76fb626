import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openBilling } from '../../../../test/support/billing.ts'
import { forEachDatabase } from '../../../../test/support/database.ts'
import type { Database, TenantReader } from '../../../storage/database.ts'
import { priceBook } from '../../prices/price-book.ts'
import { monthlyReport } from './monthly-report.ts'

/** The same database; `queries` counts what is built anew and read of a tenant in each `read`. */
function countingReads(db: Database): { readonly db: Database; readonly queries: number[] } {
  const queries: number[] = []
  const counted = (reader: TenantReader, at: number): TenantReader => ({
    tenantId: reader.tenantId,
    all: (statement, params) => reader.all(statement, params),
    first: (statement, params) => reader.first(statement, params),
    query: (build) => {
      queries[at] = (queries[at] ?? 0) + 1
      return reader.query(build)
    },
  })
  const tenant: Database['tenant'] = (tenantId) => {
    const scoped = db.tenant(tenantId)
    return {
      tenantId,
      write: (work) => scoped.write(work),
      read: (work) => {
        const at = queries.push(0) - 1
        return scoped.read((reader) => work(counted(reader, at)))
      },
    }
  }
  return { db: { ...db, tenant }, queries }
}

forEachDatabase((_, open) => {
  it('reads usage and costs once for all tables of a month: they add up, and nothing stands still for long', async () => {
    await using db = await open()
    const { now, tenant } = openBilling(db, '2026-04-10T00:00:00Z')
    const { tenantId } = await tenant()
    const { db: watched, queries } = countingReads(db)
    const deps = { db: watched, clock: now, pricesOf: async () => priceBook() }
    await monthlyReport(deps, tenantId, '2026-04', 'UTC')
    assert.equal(queries[0], 2)
  })
})
