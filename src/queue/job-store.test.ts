import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { createDatabase } from '../../test/support/postgres.ts'
import { newId, type RunId } from '../base/ids.ts'
import { adminOf } from '../storage/admin.ts'
import type { Database } from '../storage/database.ts'
import { migrate } from '../storage/migrations/migrate.ts'
import { openDatabase } from '../storage/open.ts'
import { claimJobs, FIRST_TENANT } from './claim.ts'
import { enqueueJob } from './enqueue.ts'
import type { ClaimedJob } from './job.ts'
import { wakeJob, withdrawJob } from './job-changes.ts'
import { extendLease, settleJob } from './job-store.ts'

const LEASE = 1_000

async function enqueue(db: Database, count: number, at = 1): Promise<void> {
  const tenant = db.tenant(newId('tenant'))
  for (let n = 0; n < count; n++)
    await tenant.write((tx) => enqueueJob(tx, { id: newId('job'), kind: 'agent', runId: newId('run'), at }))
}

async function claim(db: Database, owner: string, limit: number, at: number, lapsed = false) {
  const terms = { owner, limit, at, leaseMs: LEASE, lapsed, kinds: ['agent'], after: FIRST_TENANT }
  return (await db.system.write((tx) => claimJobs(tx, terms))).jobs
}

function settle(db: Database, job: ClaimedJob, state: 'done' | 'parked' | 'queued') {
  return db.tenant(job.tenantId).write((tx) => settleJob(tx, job, state, 5))
}

function runIdOf(job: ClaimedJob): RunId {
  assert.ok(job.runId)
  return job.runId
}

forEachDatabase((name, open) => {
  describe('the queue', () => {
    it('gives each job to one of many claimers at the same moment, and to none more than it asked for', async () => {
      await using db = await open()
      await enqueue(db, 60)
      const claimed = await Promise.all(Array.from({ length: 12 }, (_, n) => claim(db, `worker-${n}`, 4, 10)))
      assert.ok(claimed.every((jobs) => jobs.length <= 4))
      let ids = claimed.flat().map(({ jobId }) => jobId)
      while (ids.length < 60) {
        const more = await claim(db, 'late', 4, 10)
        assert.ok(more.length > 0)
        ids = [...ids, ...more.map(({ jobId }) => jobId)]
      }
      assert.equal(new Set(ids).size, 60)
      assert.deepEqual(await claim(db, 'late', 4, 10, true), [])
    })

    // SQLite has one plan for this claim.
    if (name === 'postgres') {
      it('keeps to the limit whatever the planner thinks of', async () => {
        await using created = await createDatabase(process.env.TEST_POSTGRES_URL ?? '')
        {
          await using db = await openDatabase(created.url)
          await migrate(db)
          await enqueue(db, 1)
          const off = ['hashjoin', 'mergejoin', 'hashagg', 'sort', 'material', 'memoize']
          const alter = off.map(
            (how) => `execute format('alter database %I set enable_${how} = off', current_database());`,
          )
          await adminOf(db).session((session) =>
            session.script(`analyze jobs; do $$ begin ${alter.join(' ')} end $$`),
          )
        }
        await using db = await openDatabase(created.url)
        await enqueue(db, 20)
        assert.equal((await claim(db, 'worker', 2, 10)).length, 2)
      })
    }

    it('lets one of two claimers have a job whose lease has lapsed, with a higher fence', async () => {
      await using db = await open()
      await enqueue(db, 1)
      const [first] = await claim(db, 'first', 1, 10)
      assert.ok(first)
      const late = first.leaseUntil + 1
      assert.deepEqual(await claim(db, 'early', 1, first.leaseUntil, true), [])
      const both = await Promise.all([claim(db, 'second', 1, late, true), claim(db, 'third', 1, late, true)])
      const [second] = both.flat()
      assert.equal(both.flat().length, 1)
      assert.ok(second && second.fence > first.fence)
      assert.equal(await db.tenant(first.tenantId).write((tx) => extendLease(tx, first, late)), 'lost')
      assert.equal(await settle(db, first, 'done'), false)
      assert.equal(await settle(db, second, 'done'), true)
      assert.equal(await settle(db, second, 'queued'), false)
    })

    it('a lease that is kept at the moment when it would be claimed is kept or claimed, not both', async () => {
      await using db = await open()
      await enqueue(db, 20)
      const jobs = await claim(db, 'first', 20, 10)
      const late = 10 + LEASE + 1
      const kept = Promise.all(
        jobs.map((job) => db.tenant(job.tenantId).write((tx) => extendLease(tx, job, late + LEASE))),
      )
      const [claimed, held] = await Promise.all([claim(db, 'second', 20, late, true), kept])
      const taken = new Set(claimed.map(({ jobId }) => jobId))
      jobs.forEach((job, n) => {
        assert.notEqual(taken.has(job.jobId), held[n] === 'held')
      })
    })

    it('a job that was given back has burned no attempt; one that is woken begins to count anew', async () => {
      await using db = await open()
      await enqueue(db, 1)
      const [first] = await claim(db, 'first', 1, 10)
      assert.ok(first)
      await settle(db, first, 'queued')
      const [second] = await claim(db, 'second', 1, 10)
      assert.ok(second)
      assert.deepEqual([first.attempt, second.attempt], [1, 1])
      await settle(db, second, 'parked')
      const tenant = db.tenant(first.tenantId)
      const woken = () => tenant.write((tx) => wakeJob(tx, runIdOf(first), 10))
      assert.deepEqual([await woken(), await woken()], [true, false])
      assert.equal((await claim(db, 'third', 1, 10))[0]?.attempt, 1)
      assert.equal(await tenant.write((tx) => withdrawJob(tx, runIdOf(first), 10)), false)
    })
  })
})
