// Cases of the queue's contract: who gets a job, and when.

import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { newId } from '../base/ids.ts'
import { enqueueJob } from './enqueue.ts'
import type { JobHandler } from './handler.ts'
import { PRIORITY_CLASS } from './job.ts'
import { cancelJob } from './job-changes.ts'
import { buryJob, extendLease, failJob, settleJob, setUnroutable } from './job-store.ts'
import {
  allDone,
  DAY_MS,
  type Deviations,
  FAIR_CLAIMS,
  failed,
  LONG_MS,
  play,
  type QueueCase,
  SKEW_MS,
  sequence,
  TICKETS_LOST_MS,
} from './queue-play.ts'
import { DONE, KIND, LEASE } from './queue-stage.ts'

/** On the database engines workers ask the jobs table itself. */
function withoutTickets(why: string): Deviations {
  return { sqlite: why, postgres: why }
}

export const CLAIM_CASES: readonly QueueCase[] = [
  play('claims are exclusive under 30 workers', async (stage) => {
    const times = new Map<string, number>()
    const work = async ({ jobId }: { jobId: string }) => {
      times.set(jobId, (times.get(jobId) ?? 0) + 1)
      await nextTurn()
      return DONE
    }
    for (let n = 0; n < 3; n++) await stage.enqueueMany(await stage.tenant(), 40)
    await Promise.all(Array.from({ length: 30 }, () => stage.worker({ concurrency: 2, work })))
    await allDone(stage)
    assert.equal(times.size, 120)
    assert.ok([...times.values()].every((count) => count === 1))
  }),

  play('a transaction that is rolled back leaves nothing', async (stage) => {
    const tenantId = await stage.tenant()
    const seen: string[] = []
    await stage.worker({
      work: ({ jobId }) => {
        seen.push(jobId)
        return DONE
      },
    })
    const undone = stage.db.tenant(tenantId).write(async (tx) => {
      await enqueueJob(tx, { id: newId('job'), kind: KIND, at: stage.clock() })
      throw new Error('undone')
    })
    await assert.rejects(undone, /undone/)
    const id = await stage.enqueue(tenantId)
    await stage.until('the other job is done', async () => (await stage.job(tenantId, id)).state === 'done')
    assert.deepEqual(seen, [id])
    assert.equal((await stage.jobs()).length, 1)
  }),

  play('a delay beyond the engine’s longest', async (stage) => {
    const tenantId = await stage.tenant()
    await stage.worker()
    const late = await stage.enqueue(tenantId, { notBefore: stage.clock() + 30 * DAY_MS })
    const soon = await stage.enqueue(tenantId)
    await stage.until('what is due is done', async () => (await stage.job(tenantId, soon)).state === 'done')
    stage.advance(29 * DAY_MS)
    const next = await stage.enqueue(tenantId)
    await stage.until('what is due is done', async () => (await stage.job(tenantId, next)).state === 'done')
    assert.equal((await stage.job(tenantId, late)).state, 'scheduled')
    stage.advance(DAY_MS)
    await allDone(stage)
  }),

  play('a stale token is refused on complete, heartbeat and write', async (stage) => {
    const tenantId = await stage.tenant()
    await stage.enqueue(tenantId)
    const [first] = await stage.claim('first', 1)
    stage.advance(LEASE + 1)
    const [second] = await stage.claim('second', 1)
    assert.ok(first !== undefined && second !== undefined && second.fence > first.fence)
    const at = stage.clock()
    const error = { code: 'job.failed', message: 'Late.' }
    const write = stage.db.tenant(tenantId).write.bind(stage.db.tenant(tenantId))
    for (const state of ['done', 'parked', 'queued', 'scheduled', 'cancelled'] as const)
      assert.equal(await write((tx) => settleJob(tx, first, state, at)), false, state)
    assert.equal(await write((tx) => extendLease(tx, first, at + LEASE)), 'lost')
    assert.equal(await write((tx) => failJob(tx, first, error, at, at)), false)
    assert.equal(await write((tx) => setUnroutable(tx, first, error, at)), false)
    assert.equal(await write((tx) => buryJob(tx, first, error, at)), false)
    assert.equal(await write((tx) => settleJob(tx, second, 'done', at)), true)
    assert.equal(await write((tx) => settleJob(tx, second, 'queued', at)), false)
  }),

  play(
    'a pause longer than the lease (SIGSTOP): another takes the job, the late end is refused',
    async (stage) => {
      const tenantId = await stage.tenant()
      const gate = Promise.withResolvers<void>()
      const entered = Promise.withResolvers<void>()
      const stopped = { heartbeatMs: LONG_MS, pollMs: LONG_MS, concurrency: 1 }
      const paused = await stage.worker({
        ...stopped,
        work: async () => {
          entered.resolve()
          await gate.promise
          return failed(false)
        },
      })
      const id = await stage.enqueue(tenantId)
      await entered.promise
      stage.advance(LEASE + 1)
      await stage.worker({ leaseMs: LONG_MS })
      await stage.until('the other worker has done it', async () => {
        // A message that the paused process took is delivered again in time.
        stage.advance(LEASE)
        return (await stage.job(tenantId, id)).state === 'done'
      })
      const before = await stage.job(tenantId, id)
      gate.resolve()
      await stage.until('the paused one let go', () => paused.active() === 0)
      assert.deepEqual(await stage.job(tenantId, id), before)
      assert.equal(before.attempt, 2)
    },
  ),

  play('fairness: one tenant’s thousands do not keep another’s few waiting', async (stage) => {
    const [a, b] = [await stage.tenant(), await stage.tenant()]
    const order: string[] = []
    await stage.enqueueMany(a, 3_000)
    const worker = await stage.worker({
      work: async ({ tenantId }) => {
        order.push(tenantId)
        await nextTurn()
        return DONE
      },
    })
    await stage.until('A is being served', () => order.length > 20)
    const before = order.length
    await stage.enqueueMany(b, 10)
    await stage.until('B is done', () => order.filter((tenant) => tenant === b).length === 10)
    const waited = order.lastIndexOf(b) - before
    await worker.stop(1_000)
    assert.ok(waited <= FAIR_CLAIMS, `B waited for ${waited} claims`)
  }),

  play('hard caps of a tenant and of a definition hold under load', async (stage) => {
    const capped = await stage.tenant(3)
    const defined = await stage.tenant()
    const most = { tenant: 0, definition: 0 }
    const handler: JobHandler = {
      async adopt(tx, job) {
        const definition = job.tenantId === defined ? 'agent-1' : null
        const held = await tx.forTenant(job.tenantId).query((db, tenantId) => {
          const query = db.selectFrom('jobs').select('id').where('tenantId', '=', tenantId)
          const leased = query.where('state', '=', 'leased')
          return definition === null ? leased : leased.where('definitionId', '=', definition)
        })
        const which = definition === null ? 'tenant' : 'definition'
        most[which] = Math.max(most[which], held.length)
        return true
      },
      async run() {
        await nextTurn()
        return DONE
      },
    }
    await stage.enqueueMany(capped, 40)
    await stage.enqueueMany(defined, 40, { definitionId: 'agent-1', definitionCap: 2 })
    const free = await stage.enqueueMany(defined, 5, { definitionId: 'agent-2' })
    const handlers = new Map([[KIND, handler]])
    await Promise.all(Array.from({ length: 6 }, () => stage.worker({ handlers })))
    await allDone(stage)
    assert.ok(free.length === 5 && most.tenant <= 3 && most.tenant > 0, `${most.tenant} of the tenant`)
    // Those of the definition without a cap are not counted.
    assert.ok(most.definition <= 2 && most.definition > 0, `${most.definition} of the definition`)
  }),

  play('a job at its definition’s cap does not block others behind it', async (stage) => {
    const tenantId = await stage.tenant(10)
    await stage.enqueueMany(tenantId, 20, { definitionId: 'agent-1', definitionCap: 1 })
    stage.advance(10)
    const [other] = await stage.enqueueMany(tenantId, 1, { definitionId: 'agent-2', definitionCap: 1 })
    const claimed = await stage.claim('worker', 5)
    assert.equal(claimed.length, 2)
    assert.ok(claimed.some(({ jobId }) => jobId === other))
    assert.deepEqual(await stage.claim('worker', 5), [])
  }),

  play('ageing: a job of a low class is not starved', async (stage) => {
    const tenantId = await stage.tenant()
    const low = await stage.enqueue(tenantId, { priority: PRIORITY_CLASS.low })
    const order: string[] = []
    const next = async (): Promise<void> => {
      const [job] = await stage.claim('worker', 1)
      assert.ok(job)
      order.push(job.jobId)
      await stage.db.tenant(tenantId).write((tx) => settleJob(tx, job, 'done', stage.clock()))
    }
    for (let n = 0; n < 20; n++) {
      stage.advance(10_000)
      await stage.enqueueMany(tenantId, 2, { priority: PRIORITY_CLASS.high })
      await next()
    }
    assert.notEqual(order[0], low)
    while (!order.includes(low) && order.length < 30) await next()
    assert.ok(order.includes(low), 'It is served though jobs of the high class wait.')
  }),

  play('cancel against complete: one wins, and there is one final state', async (stage) => {
    const tenantId = await stage.tenant()
    const ids = await stage.enqueueMany(tenantId, 24)
    let n = 0
    await stage.worker({
      heartbeatMs: 10,
      work: async (_job, { signal }) => {
        n += 1
        // Every other one goes on until it is cancelled.
        if (n % 2 === 0) await new Promise<void>((done) => signal.addEventListener('abort', () => done()))
        else await nextTurn()
        return n % 3 === 0 ? failed(true) : DONE
      },
    })
    const cancel = (id: (typeof ids)[number]) =>
      stage.db.tenant(tenantId).write((tx) => cancelJob(tx, id, stage.clock()))
    await Promise.all(ids.map(cancel))
    const ended = async () =>
      (await stage.jobs()).every(({ state }) => state === 'done' || state === 'cancelled')
    await stage.until('each has ended', ended)
    const rows = await stage.jobs()
    for (const id of ids) assert.equal(await cancel(id), false)
    assert.deepEqual(await stage.jobs(), rows)
    assert.ok(rows.every(({ finishedAt, leaseOwner }) => finishedAt !== null && leaseOwner === null))
  }),

  play(
    'the engine forgets its tickets (flush)',
    async (stage, engine) => {
      const tenantId = await stage.tenant()
      await stage.enqueueMany(tenantId, 12)
      await stage.relay()?.pass()
      await engine.flush()
      await stage.worker({ leaseMs: LONG_MS })
      stage.advance(TICKETS_LOST_MS)
      await allDone(stage)
    },
    withoutTickets('no tickets, so nothing to forget'),
  ),

  ...(['duplicate', 'drop', 'reorder'] as const).map((fault) =>
    play(
      `tickets are delivered with faults: ${fault}`,
      async (stage, engine) => {
        const faults = { drop: 0, duplicate: 0, reorder: 0, random: sequence(7), [fault]: 0.5 }
        if (engine.transport !== undefined) stage.relay(engine.faulty(faults))
        const times = new Map<string, number>()
        await stage.worker({
          leaseMs: LONG_MS * 24,
          work: ({ jobId }) => {
            times.set(jobId, (times.get(jobId) ?? 0) + 1)
            return DONE
          },
        })
        await stage.enqueueMany(await stage.tenant(), 30)
        await stage.until('every job is done', async () => {
          if (fault === 'drop') stage.advance(TICKETS_LOST_MS / 20)
          return (await stage.jobs()).every(({ state }) => state === 'done')
        })
        assert.equal(times.size, 30)
        assert.ok([...times.values()].every((count) => count === 1))
      },
      withoutTickets('no tickets that could be lost, doubled or shuffled'),
    ),
  ),

  play('clocks of two workers that differ by ten minutes', async (stage) => {
    const tenantId = await stage.tenant()
    await stage.worker({ clock: () => stage.clock() - SKEW_MS, concurrency: 2 })
    await stage.worker({ clock: () => stage.clock() + SKEW_MS, concurrency: 2 })
    await stage.enqueueMany(tenantId, 30)
    await allDone(stage)
    assert.ok(
      (await stage.jobs()).every(({ finishedAt, leaseOwner }) => finishedAt !== null && leaseOwner === null),
    )
  }),
]
