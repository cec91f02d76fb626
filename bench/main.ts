// `npm run bench -- [NAME…] [--json | --markdown] [--profile] [--rounds N]`: measures, and prints one table.
// It asserts nothing about time: a figure that misses its target is printed like any other.

import { parseArgs } from 'node:util'
import type { Bench } from './figure.ts'
import { jsonLine, markdownTables, type Row, textTables } from './report.ts'
import { machineLine } from './support/machine.ts'

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  run: async () => (await import('./benches/run.ts')).runBench,
  'step-cost': async () => (await import('./benches/step-cost.ts')).stepCostBench,
  queue: async () => (await import('./benches/queue.ts')).queueBench,
  recovery: async () => (await import('./benches/recovery.ts')).recoveryBench,
  fairness: async () => (await import('./benches/fairness.ts')).fairnessBench,
  idle: async () => (await import('./benches/idle.ts')).idleBench,
  http: async () => (await import('./benches/http.ts')).httpBench,
  rating: async () => (await import('./benches/rating.ts')).ratingBench,
  usage: async () => (await import('./benches/usage.ts')).usageBench,
  admission: async () => (await import('./benches/admission.ts')).admissionBench,
  invoice: async () => (await import('./benches/invoice.ts')).invoiceBench,
  keys: async () => (await import('./benches/keys.ts')).keysBench,
  'cold-start': async () => (await import('./benches/cold-start.ts')).coldStartBench,
}
const ROUNDS_DEFAULT = 5
const ROUNDS_MAX = 100
const USAGE = `Usage: npm run bench -- [NAME…] [--json | --markdown] [--profile] [--rounds N]
  NAME        ${Object.keys(BENCHES).join(', ')}; all where none is named
  --json      one JSON object a line for each figure
  --markdown  the tables of bench/README.md
  --profile   where the time goes as well; the profiles lie in bench/profiles
  --rounds N  how often each measurement is repeated (default ${ROUNDS_DEFAULT}, at most ${ROUNDS_MAX})
`

await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<void> {
  const asked = readArguments(args)
  if (asked === undefined) {
    process.stderr.write(USAGE)
    process.exitCode = 2
    return
  }
  // Before the benches make a load of their own.
  const machine = machineLine(asked.rounds)
  const rows: Row[] = []
  for (const name of asked.names) {
    process.stderr.write(`bench ${name}…\n`)
    const bench = await BENCHES[name]?.()
    for (const figure of (await bench?.(asked)) ?? []) {
      const row = { bench: name, figure }
      rows.push(row)
      if (asked.format === 'json') console.log(jsonLine(row))
    }
  }
  if (asked.format === 'json') return
  console.log(`${machine}\n`)
  console.log(asked.format === 'markdown' ? markdownTables(rows) : textTables(rows))
}

interface Asked {
  readonly names: readonly string[]
  readonly format: 'text' | 'json' | 'markdown'
  readonly rounds: number
  readonly profile: boolean
}

/** Undefined where the arguments cannot be understood. */
function readArguments(args: readonly string[]): Asked | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
        profile: { type: 'boolean', default: false },
        rounds: { type: 'string', default: String(ROUNDS_DEFAULT) },
      },
    })
    const { json, markdown, profile } = values
    const rounds = Number(values.rounds)
    const isUnderstood =
      positionals.every((name) => Object.hasOwn(BENCHES, name)) &&
      Number.isInteger(rounds) &&
      rounds >= 1 &&
      rounds <= ROUNDS_MAX &&
      !(json && markdown)
    if (!isUnderstood) return undefined
    const names = positionals.length === 0 ? Object.keys(BENCHES) : positionals
    return { names, rounds, profile, format: json ? 'json' : markdown ? 'markdown' : 'text' }
  } catch {
    return undefined
  }
}
