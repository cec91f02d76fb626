// `npm run chaos:budgets -- [--operations N] [--seed S] [--database NAME] [--processes N]`: random operations on budgets by
// processes that are killed, on each database, and a table of what came of it. Exit 1 where a figure that must be zero is not.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createDatabase, startPostgres } from '../../support/postgres.ts'
import { seeded } from '../simulation/scheduler.ts'
import { type BudgetsPlayed, MUST_BE_ZERO, playBudgets } from './play.ts'

const DATABASES = ['sqlite', 'postgres'] as const
const OPERATIONS = 500_000
const OPERATIONS_MAX = 100_000_000
const PROCESSES = 3
const PROCESSES_MAX = 32
const KILL_MS_MIN = 2_000
const USAGE = `Usage: npm run chaos:budgets -- [--operations N] [--seed S] [--database NAME] [--processes N]
  --operations N  random operations on each database (default ${OPERATIONS}: a million on both)
  --seed S        another play (default 1); the moments at which processes are killed are the machine's
  --database NAME ${DATABASES.join(' or ')}; both where none is named
  --processes N   processes that are killed and started again (default ${PROCESSES})
`

type Name = (typeof DATABASES)[number]

interface Asked {
  readonly databases: readonly Name[]
  readonly operations: number
  readonly seed: number
  readonly processes: number
}

async function playOn(name: Name, { operations, seed, processes }: Asked): Promise<BudgetsPlayed> {
  await using opened = new AsyncDisposableStack()
  const url = name === 'sqlite' ? openFile(opened) : await openServer(opened)
  return await playBudgets({
    url,
    operations,
    seed,
    processes,
    killMsMin: KILL_MS_MIN,
    random: seeded(seed),
    progress: (line) => process.stderr.write(`${name}: ${line}\n`),
  })
}

function openFile(opened: AsyncDisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'af-budgets-'))
  opened.defer(() => rmSync(folder, { recursive: true, force: true }))
  return `sqlite:${join(folder, 'test.db')}`
}

async function openServer(opened: AsyncDisposableStack): Promise<string> {
  const server = opened.use(await startPostgres())
  return opened.use(await createDatabase(server.url)).url
}

function tableOf(results: readonly (readonly [Name, BudgetsPlayed])[]): string {
  const keys = ['operations', 'holds', 'refused', 'kills', 'looks', ...MUST_BE_ZERO, 'seconds'] as const
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(['database', ...keys]),
    line(['---', ...keys.map(() => '---:')]),
    ...results.map(([name, played]) => line([name, ...keys.map((key) => String(played[key]))])),
  ].join('\n')
}

/** Undefined where the arguments cannot be understood. */
function readArguments(args: readonly string[]): Asked | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        operations: { type: 'string', default: String(OPERATIONS) },
        seed: { type: 'string', default: '1' },
        database: { type: 'string', multiple: true, default: [...DATABASES] },
        processes: { type: 'string', default: String(PROCESSES) },
      },
    })
    const databases = DATABASES.filter((name) => values.database.includes(name))
    const operations = Number(values.operations)
    const seed = Number(values.seed)
    const processes = Number(values.processes)
    const isUnderstood =
      databases.length === values.database.length &&
      isCount(operations, OPERATIONS_MAX) &&
      isCount(processes, PROCESSES_MAX) &&
      Number.isSafeInteger(seed)
    return isUnderstood ? { databases, operations, seed, processes } : undefined
  } catch {
    return undefined
  }
}

function isCount(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= max
}

async function playAll(asked: Asked): Promise<boolean> {
  const results: (readonly [Name, BudgetsPlayed])[] = []
  for (const name of asked.databases) results.push([name, await playOn(name, asked)])
  console.log(`seed ${asked.seed} · ${asked.processes} processes\n\n${tableOf(results)}`)
  return results.every(([, played]) => MUST_BE_ZERO.every((figure) => played[figure] === 0))
}

const asked = readArguments(process.argv.slice(2))
if (asked === undefined) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  process.exitCode = (await playAll(asked)) ? 0 : 1
}
