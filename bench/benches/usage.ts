// How many usage records a second are taken, durably: batches as the API takes them, several senders at once.

import { newId } from '../../src/base/ids.ts'
import type { Json } from '../../src/base/json.ts'
import { PERMISSIONS } from '../../src/contract/permission.ts'
import type { Principal } from '../../src/contract/principal.ts'
import { USAGE_BATCH_MAX } from '../../src/contract/subscription.ts'
import { insertTenant } from '../../src/identity/tenant-store.ts'
import { ingestUsage } from '../../src/money/usage/ingest.ts'
import type { Database } from '../../src/storage/database.ts'
import { migrate } from '../../src/storage/migrations/migrate.ts'
import { openDatabase } from '../../src/storage/open.ts'
import type { Bench, Figure } from '../figure.ts'
import { benchPostgres, findServer } from '../support/servers.ts'
import { median } from '../support/statistics.ts'
import { workFolder } from '../support/work-folder.ts'

const BATCHES = 20
const SENDERS = 4
const SQLITE_MIN = 30_000
const POSTGRES_MIN = 10_000

export const usageBench: Bench = async ({ rounds }) => {
  await using opened = new AsyncDisposableStack()
  const { path } = opened.use(await workFolder('usage'))
  const figures = [await figure('SQLite', `sqlite:${path}/usage.db`, rounds, SQLITE_MIN)]
  const postgres = await findServer(benchPostgres, opened)
  if (postgres.state === 'missing')
    return [...figures, { metric: metricOf('Postgres'), unit: 'records/s', reason: postgres.reason }]
  return [...figures, await figure('Postgres', await postgres.server.database(), rounds, POSTGRES_MIN)]
}

async function figure(name: string, url: string, rounds: number, limit: number): Promise<Figure> {
  await using db = await openDatabase(url)
  await migrate(db)
  const principal = await tenantOf(db)
  await ingestBatches(db, principal, 'warm')
  const rates: number[] = []
  for (let round = 0; round < rounds; round++) rates.push(await ingestBatches(db, principal, String(round)))
  return {
    metric: metricOf(name),
    value: median(rates),
    unit: 'records/s',
    comparison: { kind: 'at-least', limit },
  }
}

function metricOf(name: string): string {
  return `usage records taken, batches of ${USAGE_BATCH_MAX}, ${name}`
}

/** Records a second. */
async function ingestBatches(db: Database, principal: Principal, round: string): Promise<number> {
  const batches = Array.from({ length: BATCHES }, (_, batch) => recordsOf(`${round}-${batch}`))
  const startedAt = performance.now()
  const send = async (): Promise<void> => {
    for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
      const { accepted } = await ingestUsage({ db, clock: Date.now }, principal, batch)
      if (accepted !== batch.length) throw new Error(`Only ${accepted} records were taken.`)
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, send))
  return (BATCHES * USAGE_BATCH_MAX) / ((performance.now() - startedAt) / 1_000)
}

function recordsOf(batch: string): readonly Json[] {
  const occurredAt = new Date().toISOString()
  return Array.from({ length: USAGE_BATCH_MAX }, (_, index) => ({
    event_id: `${batch}-${index}`,
    metric: 'tool_call',
    quantity: 1,
    occurred_at: occurredAt,
  }))
}

async function tenantOf(db: Database): Promise<Principal> {
  const id = newId('tenant')
  const at = Date.now()
  const row = { id, name: 'Bench', status: 'active', capturePolicy: 'full', maxConcurrentJobs: null } as const
  await db.system.write((tx) => tx.run(insertTenant, { ...row, createdAt: at, updatedAt: at }))
  return {
    tenantId: id,
    userId: newId('user'),
    kind: 'service',
    apiKeyId: undefined,
    role: 'ADMIN',
    permissions: new Set(PERMISSIONS),
    operator: false,
  }
}
