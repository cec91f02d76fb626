// `npm run chaos -- [--engine NAME] [--runs N] [--seed S] [--workers N] [--short]`: kills, pauses and restarts everything
// while runs go through each engine, and prints what came of it. Exit 1 where a figure that must be zero is not.

import { parseArgs } from 'node:util'
import { type Played, play } from './engines/play.ts'
import { CHAOS_ENGINES, type ChaosEngine, openServices } from './engines/services.ts'
import { MUST_BE_ZERO } from './engines/verdict.ts'
import { seeded } from './simulation/scheduler.ts'

const RUNS = 2_000
const RUNS_SHORT = 40
const RUNS_MAX = 1_000_000
const WORKERS = 3
const WORKERS_MAX = 64
const USAGE = `Usage: npm run chaos -- [--engine NAME] [--runs N] [--seed S] [--workers N] [--short]
  --engine NAME  ${CHAOS_ENGINES.join(', ')}; all where none is named
  --runs N       runs that are accepted on each engine (default ${RUNS}; with --short ${RUNS_SHORT})
  --seed S       another order of blows (default 1); the moments at which they hit are the machine's
  --workers N    worker processes (default ${WORKERS})
  --short        few runs
`

interface Asked {
  readonly engines: readonly ChaosEngine[]
  readonly runs: number
  readonly seed: number
  readonly workers: number
}

async function playAll({ engines, runs, seed, workers }: Asked): Promise<boolean> {
  const results: { readonly engine: ChaosEngine; readonly played: Played }[] = []
  for (const engine of engines) {
    const random = seeded(seed)
    await using services = await openServices(engine)
    const played = await play(services, { runs, random, workers, progress: progressOf(engine) })
    results.push({ engine, played })
    process.stderr.write('\n')
  }
  console.log(`seed ${seed} · ${runs} runs on each engine · ${workers} workers and a server\n`)
  console.log(tableOf(results))
  const wrong = results.filter(({ played }) => !isClean(played)).map(({ engine }) => engine)
  if (wrong.length > 0) console.log(`\nNot zero what must be: ${wrong.join(', ')}.`)
  return wrong.length === 0
}

function isClean(played: Played): boolean {
  return MUST_BE_ZERO.every((figure) => played[figure] === 0)
}

const COLUMNS = [
  ['accepted', 'accepted'],
  ['completed', 'completed'],
  ['lost', 'lost'],
  ['repeatedEffects', 'repeated effects'],
  ['doubleBilled', 'double-billed'],
  ['unbilled', 'unbilled'],
  ['stuck', 'stuck'],
  ['endedTwice', 'ended twice'],
  ['internal', 'internal errors'],
  ['asked', 'asked in doubt'],
  ['kills', 'kills'],
  ['pauses', 'pauses'],
  ['restarts', 'blows to servers'],
  ['seconds', 'seconds'],
] as const satisfies readonly (readonly [keyof Played, string])[]

function tableOf(results: readonly { readonly engine: string; readonly played: Played }[]): string {
  const rows = results.map(({ engine, played }) => [engine, ...COLUMNS.map(([key]) => String(played[key]))])
  const heads = ['engine', ...COLUMNS.map(([, title]) => title)]
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(heads), line(heads.map((_, n) => (n === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

/** One line that is written over on a terminal; every tenth in a file. */
function progressOf(engine: string): (line: string) => void {
  let told = 0
  return (line) => {
    told += 1
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${engine}: ${line}`)
    else if (told % 20 === 0) process.stderr.write(`${engine}: ${line}\n`)
  }
}

/** Undefined where the arguments cannot be understood. */
function readArguments(args: readonly string[]): Asked | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        engine: { type: 'string', multiple: true, default: [] },
        runs: { type: 'string' },
        seed: { type: 'string', default: '1' },
        workers: { type: 'string', default: String(WORKERS) },
        short: { type: 'boolean', default: false },
      },
    })
    const runs = Number(values.runs ?? (values.short ? RUNS_SHORT : RUNS))
    const seed = Number(values.seed)
    const workers = Number(values.workers)
    const engines = values.engine.filter(isEngine)
    const isUnderstood =
      engines.length === values.engine.length &&
      isCount(runs, RUNS_MAX) &&
      isCount(workers, WORKERS_MAX) &&
      Number.isSafeInteger(seed)
    if (!isUnderstood) return undefined
    return { engines: engines.length === 0 ? CHAOS_ENGINES : engines, runs, seed, workers }
  } catch {
    return undefined
  }
}

function isEngine(name: string): name is ChaosEngine {
  return (CHAOS_ENGINES as readonly string[]).includes(name)
}

function isCount(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= max
}

const asked = readArguments(process.argv.slice(2))
if (asked === undefined) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  process.exitCode = (await playAll(asked)) ? 0 : 1
}
