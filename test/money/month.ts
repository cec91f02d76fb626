// `npm run money:month -- [--tenants N] [--runs N] [--seed S] [--database sqlite|postgres]`: a simulated month, invoiced and
// reconciled with usage records and the prompt log. Prints a table; exit 1 where anything differs.

import { parseArgs } from 'node:util'
import { formatUsd } from '../../src/base/money.ts'
import { migrate } from '../../src/storage/migrations/migrate.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { createDatabase, startPostgres } from '../support/postgres.ts'
import { type Reconciled, reconcile } from './reconcile.ts'
import { simulateMonth } from './simulated-month.ts'

const TENANTS = 50
const RUNS = 200_000
const SHOWN_MAX = 20
const USAGE = `Usage: npm run money:month -- [--tenants N] [--runs N] [--seed S] [--database sqlite|postgres]
  --tenants N   tenants with a random plan each (default ${TENANTS})
  --runs N      runs of all of them (default ${RUNS})
  --seed S      other plans, runs and orders (default 1)
  --database D  sqlite (in memory, the default) or postgres (a server of its own)
`

interface Asked {
  readonly tenants: number
  readonly runs: number
  readonly seed: number
  readonly database: string
}

async function main(asked: Asked): Promise<boolean> {
  await using stack = new AsyncDisposableStack()
  const begunAt = performance.now()
  const db = stack.use(await openDatabase(await urlOf(asked.database, stack)))
  await migrate(db)
  const month = await simulateMonth(db, asked, (tenant) =>
    process.stderr.write(`\r${tenant} of ${asked.tenants} tenants`),
  )
  process.stderr.write('\n')
  const results = await reconcile(month)
  printTable(results)
  const sum = (of: (one: Reconciled) => number): number => results.reduce((total, one) => total + of(one), 0)
  const differences = results.flatMap((one) => one.differences.map((told) => `${one.tenantId}: ${told}`))
  const cost = results.reduce((total, one) => total + one.costNanos, 0n)
  const seconds = ((performance.now() - begunAt) / 1_000).toFixed(1)
  console.log(
    `\n${asked.database} · seed ${asked.seed} · ${results.length} tenants · ${sum(({ runs }) => runs)} runs · ${sum(({ records }) => records)} usage records, told ${sum(({ told }) => told)} times · ${sum(({ invoices }) => invoices)} invoices with ${sum(({ lines }) => lines)} lines · $${formatUsd(cost)} of model calls · ${seconds} s`,
  )
  console.log(`differences: ${differences.length}`)
  for (const told of differences.slice(0, SHOWN_MAX)) console.log(`  ${told}`)
  return differences.length === 0
}

async function urlOf(database: string, stack: AsyncDisposableStack): Promise<string> {
  if (database === 'sqlite') return 'sqlite::memory:'
  const server = stack.use(await startPostgres())
  return stack.use(await createDatabase(server.url)).url
}

function printTable(results: readonly Reconciled[]): void {
  const head = ['tenant', 'runs', 'records', 'invoices', 'lines', 'billed', '', 'model calls', 'differences']
  const rows = results.map((one, index) => [
    String(index + 1),
    String(one.runs),
    String(one.records),
    String(one.invoices),
    String(one.lines),
    one.billed,
    one.currency,
    `$${formatUsd(one.costNanos)}`,
    String(one.differences.length),
  ])
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)))
  for (const row of [head, ...rows])
    console.log(row.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('  '))
}

function whole(text: string, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= max) return value
  throw new Error(`"${text}" is not a number from 1 to ${max}.\n${USAGE}`)
}

const { values } = parseArgs({
  options: {
    tenants: { type: 'string', default: String(TENANTS) },
    runs: { type: 'string', default: String(RUNS) },
    seed: { type: 'string', default: '1' },
    database: { type: 'string', default: 'sqlite' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) console.log(USAGE)
else if (values.database !== 'sqlite' && values.database !== 'postgres') throw new Error(USAGE)
else {
  const agrees = await main({
    tenants: whole(values.tenants, 1_000),
    runs: whole(values.runs, 10_000_000),
    seed: whole(values.seed, 999_999_999),
    database: values.database,
  })
  process.exitCode = agrees ? 0 : 1
}
