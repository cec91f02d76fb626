import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { contractTable, withContractTable } from './contract-table.ts'
import { QUEUE_CASES } from './queue-contract.ts'

const ROOT = join(import.meta.dirname, '../..')

describe('the table of the contract', () => {
  it('is current in docs/engines.md', () => {
    const page = readFileSync(join(ROOT, 'docs/engines.md'), 'utf8')
    assert.equal(page, withContractTable(page), 'run: node src/queue/contract-table.ts docs/engines.md')
  })

  it('says of each case and engine whether it is covered, elsewhere or less', () => {
    const table = contractTable([
      { name: 'a', run: async () => undefined, deviates: { sqlite: 'nothing to forget' } },
      { name: 'b', coveredBy: 'src/x.test.ts' },
    ])
    assert.match(table, /^\| case \| memory \| SQLite \| Postgres \| pg-boss \| BullMQ \| SQS \|$/m)
    assert.match(
      table,
      /^\| a \| covered \| deviates: nothing to forget \| covered \| covered \| covered \| covered \|$/m,
    )
    assert.match(table, /^\| b (\| covered in src\/x\.test\.ts ){6}\|$/m)
  })

  it('names files that are there, and a case once', () => {
    for (const one of QUEUE_CASES)
      if ('coveredBy' in one) assert.ok(existsSync(join(ROOT, one.coveredBy)), one.coveredBy)
    assert.equal(new Set(QUEUE_CASES.map(({ name }) => name)).size, QUEUE_CASES.length)
  })

  it('is not written where its place is missing', () => {
    assert.throws(() => withContractTable('# Engines\n'), /has no place/)
  })
})
