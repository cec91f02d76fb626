import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import type { Database } from '../storage/database.ts'
import { KIND, openStage } from './queue-stage.ts'
import { createJobWorker } from './worker.ts'

const LONG_MS = 3_600_000
const POLLS = 5

/** Counts the transactions and the reads across tenants that a worker opens. */
function counted(db: Database) {
  const counts = { writes: 0, reads: 0 }
  const system: Database['system'] = {
    read: (work) => {
      counts.reads += 1
      return db.system.read(work)
    },
    write: (work) => {
      counts.writes += 1
      return db.system.write(work)
    },
  }
  return {
    counts,
    db: { ...db, system, tenant: (id) => db.tenant(id) } satisfies Partial<Database> as Database,
  }
}

forEachDatabase((_name, open) => {
  it('an idle worker only reads, and finds unasked what another process queued, made due or let lapse', async () => {
    await using db = await open()
    await using stage = openStage({
      db,
      transport: undefined,
      flush: async () => undefined,
      faulty: () => {
        throw new Error('no engine')
      },
    })
    const tenantId = await stage.tenant()
    const { counts, db: own } = counted(db)
    const done = new Set<string>()
    const worker = createJobWorker(
      {
        db: own,
        clock: stage.clock,
        random: () => 0,
        handlers: new Map([
          [
            KIND,
            {
              run: async ({ jobId }) => {
                done.add(jobId)
                return { status: 'done' }
              },
            },
          ],
        ]),
        trouble: (message, facts) => assert.fail(`${message} ${String(facts.error)}`),
      },
      { name: 'idle/1', concurrency: 2, heartbeatMs: LONG_MS, pollMs: 1 },
    )
    const idle = async (): Promise<void> => {
      const { reads } = counts
      await stage.until('it has looked', () => counts.reads >= reads + POLLS)
    }
    const finished = (id: string): Promise<void> => stage.until(`${id} is done`, () => done.has(id))
    await worker.start()
    try {
      // The claim that a start begins with.
      await idle()
      const { writes } = counts
      await idle()
      assert.equal(counts.writes, writes)
      // None of these wakes it: the stage does not know of it.
      await finished(await stage.enqueue(tenantId))
      const later = await stage.enqueue(tenantId, { notBefore: stage.clock() + 60_000 })
      await idle()
      assert.equal(done.has(later), false)
      stage.advance(60_000)
      await finished(later)
      await worker.stop(0)
      const lost = await stage.enqueue(tenantId)
      assert.equal((await stage.claim('dead', 1)).length, 1)
      await worker.start()
      await idle()
      assert.equal(done.has(lost), false)
      stage.advance(60_000)
      await finished(lost)
    } finally {
      await worker.stop(0)
    }
  })
})
