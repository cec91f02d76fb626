// One invoice over a million usage records: its period is closed and drafted, and the draft is finalised.

import { join } from 'node:path'
import type { Bench, BenchOptions, Figure } from '../figure.ts'
import type { InvoicesAnswer, InvoicesInput, InvoicesQuestion } from '../programs/invoices.ts'
import { profileShares } from '../support/profile.ts'
import { openProgram, type Program } from '../support/program.ts'
import { benchPostgres, findServer } from '../support/servers.ts'
import { median } from '../support/statistics.ts'
import { workFolder } from '../support/work-folder.ts'

const RECORDS = 1_000_000
const SECONDS_MAX = 2

type Invoices = Program<null, InvoicesQuestion, InvoicesAnswer>

export const invoiceBench: Bench = async (options) => {
  await using opened = new AsyncDisposableStack()
  const folder = opened.use(await workFolder('invoice')).path
  const figures = [...(await sqliteFigures(`sqlite:${join(folder, 'invoice.db')}`, options))]
  const postgres = await findServer(benchPostgres, opened)
  if (postgres.state === 'missing')
    return [...figures, { metric: draftedOf('Postgres'), unit: 's', reason: postgres.reason }]
  return [...figures, ...(await postgresFigures(await postgres.server.database(), options))]
}

async function sqliteFigures(databaseUrl: string, options: BenchOptions): Promise<readonly Figure[]> {
  await using program = await open(databaseUrl)
  const figures = await invoiceFigures('SQLite', program, options)
  if (!options.profile) return figures
  const profile = await program.profile(() => program.ask({ type: 'invoice' }))
  return [...figures, ...(await profileShares('an invoice on SQLite', profile))]
}

/** As it is when the server had no time yet to clean up behind the writes, and as it is afterwards. */
async function postgresFigures(databaseUrl: string, options: BenchOptions): Promise<readonly Figure[]> {
  await using program = await open(databaseUrl)
  const fresh = await invoiceFigures('Postgres, all written just now', program, options)
  await program.ask({ type: 'vacuum' })
  return [...fresh, ...(await invoiceFigures('Postgres, vacuumed', program, options))]
}

async function invoiceFigures(
  where: string,
  program: Invoices,
  { rounds }: BenchOptions,
): Promise<readonly Figure[]> {
  await program.ask({ type: 'invoice' })
  const answers: InvoicesAnswer[] = []
  for (let round = 0; round < rounds; round++) answers.push(await program.ask({ type: 'invoice' }))
  const seconds = (msOf: (answer: InvoicesAnswer) => number) => ({
    value: median(answers.map(msOf)) / 1_000,
    unit: 's',
    comparison: { kind: 'at-most', limit: SECONDS_MAX } as const,
  })
  return [
    { metric: draftedOf(where), ...seconds(({ draftedMs }) => draftedMs) },
    { metric: `the same finalised, ${where}`, ...seconds(({ finalisedMs }) => finalisedMs) },
  ]
}

function open(databaseUrl: string): Promise<Invoices> {
  const input: InvoicesInput = { databaseUrl, records: RECORDS }
  return openProgram('programs/invoices.ts', input)
}

function draftedOf(where: string): string {
  return `an invoice over ${RECORDS.toLocaleString('en')} records closed and drafted, ${where}`
}
