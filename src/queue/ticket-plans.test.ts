import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { newId } from '../base/ids.ts'
import { adminOf } from '../storage/admin.ts'
import { type Compiled, createCompiler } from '../storage/compile.ts'
import type { Database } from '../storage/database.ts'
import { enqueueJob } from './enqueue.ts'
import {
  cappedCandidates,
  cappedDefinitions,
  forgetTickets,
  freeCandidates,
  requeueLapsed,
  takeBackTickets,
  ticketById,
  ticketedByDefinition,
} from './ticket-store.ts'

async function planOf(db: Database, { sql }: Compiled): Promise<string> {
  return adminOf(db).session(async (session) => {
    const how = session.dialect === 'sqlite' ? 'query plan' : '(generic_plan, costs off)'
    const rows = await session.rows(`explain ${how} ${sql}`)
    return rows.map((row) => String(row.detail ?? row['QUERY PLAN'])).join('\n')
  })
}

forEachDatabase((name, open) => {
  // No statistics have been gathered: that is when a planner is most easily misled.
  it('the statements of tickets walk their index, also on a table that is new', async () => {
    await using db = await open()
    await db.tenant(newId('tenant')).write(async (tx) => {
      for (let at = 1; at <= 50; at++) await enqueueJob(tx, { id: newId('job'), kind: 'agent', at })
    })
    const compiler = createCompiler(name)
    const key = name === 'sqlite' ? 'sqlite_autoindex_jobs_1' : 'jobs_pkey'
    const expected: [Compiled, string][] = [
      [compiler.tenant(freeCandidates), 'jobs_ready'],
      [compiler.tenant(cappedDefinitions), 'jobs_capped'],
      [compiler.tenant(cappedCandidates), 'jobs_capped'],
      [compiler.tenant(ticketById), key],
      [compiler.tenant(takeBackTickets), key],
      // Either holds only what is leased.
      [compiler.system(requeueLapsed), 'jobs_(leased|held)'],
      [compiler.system(forgetTickets), 'jobs_ticketed'],
      [compiler.system(ticketedByDefinition), 'jobs_ticketed'],
    ]
    for (const [compiled, index] of expected) {
      const plan = await planOf(db, compiled)
      assert.match(plan, new RegExp(index), `${compiled.name}\n${plan}`)
      assert.doesNotMatch(plan, /Seq Scan on jobs|SCAN jobs(?! USING)/, compiled.name)
    }
  })
})
