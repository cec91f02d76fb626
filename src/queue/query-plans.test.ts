import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { newId } from '../base/ids.ts'
import { adminOf } from '../storage/admin.ts'
import { type Compiled, createCompiler } from '../storage/compile.ts'
import type { Database } from '../storage/database.ts'
import * as candidates from './candidate-statements.ts'
import * as claiming from './claim-statements.ts'
import { settleDone } from './done-group.ts'
import { enqueueJob } from './enqueue.ts'

/** The index that each statement on the way of a job must walk. */
const EXPECTED: Readonly<Record<string, 'primary key' | string>> = {
  promoteScheduled: 'jobs_scheduled',
  anyToTake: 'jobs_leased',
  claimLapsed: 'jobs_leased',
  tenantsReady: 'jobs_ready',
  heldByDefinition: 'jobs_held',
  claimFree: 'jobs_ready',
  freeHead: 'jobs_ready',
  cappedHeads: 'jobs_capped',
  definitionHead: 'jobs_capped',
  claimById: 'primary key',
  queuedTickets: 'primary key',
  unticket: 'primary key',
  // On Postgres also by the index of what is leased: never more than the workers hold.
  settleDone: 'jobs_',
}

/** A plan that reads a whole table, or puts rows in order that the index has in order. */
const WASTEFUL = {
  sqlite: /SCAN jobs|TEMP B-TREE FOR (GROUP|DISTINCT)/,
  postgres: /Seq Scan on jobs/,
}

async function fill(db: Database): Promise<void> {
  for (let n = 0; n < 40; n++) {
    await db.tenant(newId('tenant')).write(async (tx) => {
      for (let at = 1; at <= 25; at++) {
        const capped = at % 5 === 0 ? { definitionId: `agent-${at % 3}`, definitionCap: 2 } : {}
        await enqueueJob(tx, {
          id: newId('job'),
          kind: 'agent',
          at,
          notBefore: at % 7 === 0 ? at + 9 : at,
          ...capped,
        })
      }
    })
  }
}

async function planOf(db: Database, { sql }: Compiled): Promise<string> {
  return adminOf(db).session(async (session) => {
    if (session.dialect === 'sqlite') {
      const rows = await session.rows(`explain query plan ${sql}`)
      return rows.map(({ detail }) => String(detail)).join('\n')
    }
    const rows = await session.rows(`explain (generic_plan, costs off) ${sql}`)
    return rows.map((row) => String(row['QUERY PLAN'])).join('\n')
  })
}

forEachDatabase((name, open) => {
  it('no statement on the way of a job reads more rows than it needs', async () => {
    await using db = await open()
    await fill(db)
    if (name === 'postgres') await adminOf(db).session((session) => session.script('analyze jobs'))
    const compiler = createCompiler(db.dialect)
    const statements = { ...candidates, ...claiming, settleDone }
    for (const [key, index] of Object.entries(EXPECTED)) {
      const value: { kind: string } = statements[key as keyof typeof statements]
      const compiled =
        value.kind === 'tenant' ? compiler.tenant(value as never) : compiler.system(value as never)
      const plan = await planOf(db, compiled)
      const primary = name === 'sqlite' ? 'sqlite_autoindex_jobs_1 (tenant_id=? AND id=?)' : 'jobs_pkey'
      assert.ok(plan.includes(index === 'primary key' ? primary : index), `${key}\n${plan}`)
      assert.doesNotMatch(plan, WASTEFUL[name], key)
    }
  })
})
