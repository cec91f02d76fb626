import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { newId } from '../base/ids.ts'
import { claimJobs, FIRST_TENANT } from '../queue/claim.ts'
import { enqueueJob } from '../queue/enqueue.ts'
import { recordWorker, WORKER_LOST_MS } from '../queue/registry.ts'
import { createQueueDepth } from './queue-depth.ts'

forEachDatabase((_, open) => {
  it('the depth of the queue: jobs of all tenants by state, the oldest, the workers that live', async () => {
    await using db = await open()
    const now = 1_000_000
    const depth = createQueueDepth(db, () => now)
    assert.deepEqual(await depth(), {
      jobs: { queued: 0, scheduled: 0, leased: 0, unroutable: 0, dead: 0 },
      oldestQueuedMs: 0,
      ticketsInFlight: 0,
      workers: 0,
    })
    for (const at of [now - 9_000, now - 4_000, now - 1_000]) {
      const id = newId('job')
      await db.tenant(newId('tenant')).write((tx) => enqueueJob(tx, { id, kind: 'agent', at }))
    }
    await db.tenant(newId('tenant')).write(async (tx) => {
      await enqueueJob(tx, { id: newId('job'), kind: 'agent', at: now, notBefore: now + 1 })
      await enqueueJob(tx, { id: newId('job'), kind: 'other', at: now - 7_000 })
    })
    const worker = {
      version: '1',
      engine: 'database',
      kinds: ['agent'],
      codeTools: [],
      concurrency: 4,
      active: 0,
      startedAt: 1,
      drainingAt: null,
    }
    await db.system.write(async (tx) => {
      await recordWorker(tx, { ...worker, id: 'a', heartbeatAt: now })
      await recordWorker(tx, { ...worker, id: 'lost', heartbeatAt: now - WORKER_LOST_MS - 1 })
      const terms = { owner: 'a', at: now, leaseMs: 1_000, kinds: ['other'] }
      await claimJobs(tx, { ...terms, limit: 1, lapsed: false, after: FIRST_TENANT })
    })
    assert.deepEqual(await depth(), {
      jobs: { queued: 3, scheduled: 1, leased: 1, unroutable: 0, dead: 0 },
      oldestQueuedMs: 9_000,
      ticketsInFlight: 0,
      workers: 1,
    })
  })
})
