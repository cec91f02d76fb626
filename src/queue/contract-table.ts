// The table of docs/engines.md: the cases of the queue's contract by engine, made from the cases. A test says when the
// page is old; this writes it anew:
//   node src/queue/contract-table.ts docs/engines.md

import { QUEUE_CASES } from './queue-contract.ts'
import { CONTRACT_ENGINES, type QueueCase } from './queue-play.ts'

const BEGIN = '<!-- contract:begin -->'
const END = '<!-- contract:end -->'
const TITLES = {
  memory: 'memory',
  sqlite: 'SQLite',
  postgres: 'Postgres',
  'pg-boss': 'pg-boss',
  bullmq: 'BullMQ',
  sqs: 'SQS',
} as const satisfies Record<(typeof CONTRACT_ENGINES)[number], string>

/** The table, with the command that plays it. */
export function contractTable(cases: readonly QueueCase[] = QUEUE_CASES): string {
  const titles = CONTRACT_ENGINES.map((name) => TITLES[name])
  return `## What is tested

Every engine plays the same cases: \`npm test -- src/queue/queue.test.ts\`

${row(['case', ...titles])}
${row(['---', ...titles.map(() => '---')])}
${cases.map((one) => row([one.name, ...CONTRACT_ENGINES.map((engine) => cell(one, engine))])).join('\n')}
`
}

/** The page with the table in its marked place. Throws where the place is missing. */
export function withContractTable(page: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`The page has no place between ${BEGIN} and ${END}.`)
  return `${page.slice(0, begin + BEGIN.length)}\n${contractTable()}${page.slice(end)}`
}

function cell(one: QueueCase, engine: (typeof CONTRACT_ENGINES)[number]): string {
  if ('coveredBy' in one) return `covered in ${one.coveredBy}`
  const why = one.deviates?.[engine]
  return why === undefined ? 'covered' : `deviates: ${why}`
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`
}

if (import.meta.main) {
  const { readFile, writeFile } = await import('node:fs/promises')
  const path = process.argv[2]
  if (path === undefined) throw new Error('Say which page: node src/queue/contract-table.ts docs/engines.md')
  await writeFile(path, withContractTable(await readFile(path, 'utf8')))
}
