// The contract of the queue, as named cases: every engine plays each of them. A table of what is covered is made from it.

import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { newId } from '../base/ids.ts'
import type { JobEnd, JobHandler } from './handler.ts'
import { PRIORITY_CLASS } from './job.ts'
import { cancelJob, redriveJob } from './job-changes.ts'
import { buryJob, enqueueJob, extendLease, failJob, settleJob, setUnroutable, wakeJob } from './job-store.ts'
import { type ContractEngine, DONE, KIND, LEASE, openStage, type Stage } from './queue-stage.ts'
import { listWorkers } from './registry.ts'
import { sweepQueue, UNROUTABLE_AFTER_MS } from './sweep.ts'

/** A case that an engine plays, or one that another file's test covers for all engines. */
export type QueueCase =
  | { readonly name: string; run(engine: ContractEngine): Promise<void> }
  | { readonly name: string; readonly coveredBy: string }

const LONG_MS = 3_600_000
const DAY_MS = 86_400_000
const SKEW_MS = 300_000
/** Longer than any engine and the relay wait before a ticket counts as lost. */
const TICKETS_LOST_MS = 120_000
/** B's jobs are among so many of the first, however many A has. */
const FAIR_CLAIMS = 200

const failed = (retryable: boolean, retryAfterMs?: number): JobEnd => ({
  status: 'failed',
  error: { code: 'job.failed', message: 'It failed.' },
  retryable,
  retryAfterMs,
})

async function allDone(stage: Stage): Promise<void> {
  await stage.until('every job is done', async () =>
    (await stage.jobs()).every(({ state }) => state === 'done'),
  )
}

/** A case that plays on a stage, which is cleared away after it. */
function play(
  name: string,
  work: (stage: Stage, engine: ContractEngine) => Promise<void>,
): QueueCase & { run(engine: ContractEngine): Promise<void> } {
  return {
    name,
    async run(engine) {
      await using stage = openStage(engine)
      await work(stage, engine)
    },
  }
}

export const QUEUE_CASES: readonly QueueCase[] = [
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
      await stage.worker()
      await stage.until(
        'the other worker has done it',
        async () => (await stage.job(tenantId, id)).state === 'done',
      )
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
    for (let n = 0; n < 20; n++) {
      stage.advance(10_000)
      await stage.enqueueMany(tenantId, 2, { priority: PRIORITY_CLASS.high })
      const [next] = await stage.claim('worker', 1)
      order.push(next?.jobId ?? '')
    }
    const place = order.indexOf(low)
    assert.ok(place > 0, 'The high class goes first.')
    while (!order.includes(low) && order.length < 30)
      for (const { jobId } of await stage.claim('worker', 1)) order.push(jobId)
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

  play('the engine forgets its tickets (flush)', async (stage, engine) => {
    const tenantId = await stage.tenant()
    await stage.enqueueMany(tenantId, 12)
    await stage.relay()?.pass()
    await engine.flush()
    await stage.worker({ leaseMs: LONG_MS })
    stage.advance(TICKETS_LOST_MS)
    await allDone(stage)
  }),

  ...(['duplicate', 'drop', 'reorder'] as const).map((fault) =>
    play(`tickets are delivered with faults: ${fault}`, async (stage, engine) => {
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
    }),
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

  play('a poison payload is given up, and costs no other job', async (stage) => {
    const tenantId = await stage.tenant()
    const poison = await stage.enqueue(tenantId, { payload: '"poison"', maxAttempts: 3 })
    for (let n = 0; n < 3; n++) {
      assert.equal((await stage.claim(`doomed-${n}`, 1)).length, 1)
      stage.advance(LEASE + 1)
    }
    const buried: string[] = []
    const handler: JobHandler = {
      run: async ({ payload }) => {
        assert.equal(payload, null)
        return DONE
      },
      bury: async ({ jobId }) => ({
        write: async () => void buried.push(jobId),
        written: () => undefined,
      }),
    }
    const others = await stage.enqueueMany(tenantId, 5)
    await stage.worker({ handlers: new Map([[KIND, handler]]) })
    await stage.until('each has ended', async () =>
      (await stage.jobs()).every(({ finishedAt }) => finishedAt !== null),
    )
    assert.equal((await stage.job(tenantId, poison)).state, 'dead')
    assert.ok(buried.includes(poison))
    for (const id of others) assert.equal((await stage.job(tenantId, id)).state, 'done')
  }),

  play('a drain releases without burning an attempt', async (stage) => {
    const tenantId = await stage.tenant()
    const kind = { gentle: 0, stubborn: 0 }
    const worker = await stage.worker({
      concurrency: 2,
      work: async ({ payload }, { draining, signal }) => {
        const gentle = payload === '"gentle"'
        kind[gentle ? 'gentle' : 'stubborn'] += 1
        const wait = gentle ? draining : signal
        await new Promise<void>((done) => wait.addEventListener('abort', () => done()))
        return gentle ? { status: 'released' } : failed(true)
      },
    })
    await stage.enqueue(tenantId, { payload: '"gentle"' })
    await stage.enqueue(tenantId, { payload: '"stubborn"' })
    await stage.until('both are held', () => kind.gentle === 1 && kind.stubborn === 1)
    await worker.stop(20)
    const states = (await stage.jobs()).map(({ state, attempt }) => ({ state, attempt }))
    assert.deepEqual(states, Array(2).fill({ state: 'queued', attempt: 0 }))
  }),

  play('a retry honours Retry-After and full jitter', async (stage) => {
    const tenantId = await stage.tenant()
    await stage.worker({
      random: () => 0.5,
      work: ({ payload }) => failed(true, payload === null ? undefined : 40_000),
    })
    const asked = await stage.enqueue(tenantId, { payload: '"asked"' })
    const plain = await stage.enqueue(tenantId, { maxAttempts: 3 })
    const scheduled = async (attempt: number) =>
      stage.until(`attempt ${attempt} has failed`, async () => {
        const row = await stage.job(tenantId, plain)
        return row.state === 'scheduled' && row.attempt === attempt
      })
    await scheduled(1)
    await stage.until(
      'so has the other',
      async () => (await stage.job(tenantId, asked)).state === 'scheduled',
    )
    assert.equal((await stage.job(tenantId, asked)).notBefore, stage.clock() + 40_000)
    assert.equal((await stage.job(tenantId, plain)).notBefore, stage.clock() + 500)
    stage.advance(500)
    await scheduled(2)
    assert.equal((await stage.job(tenantId, plain)).notBefore, stage.clock() + 1_000)
    stage.advance(1_000)
    await stage.until('it is given up', async () => (await stage.job(tenantId, plain)).state === 'dead')
    assert.equal((await stage.job(tenantId, plain)).attempt, 3)
  }),

  play(
    'an error that no retry mends: dead at once; redriven, it has all its attempts again',
    async (stage) => {
      const tenantId = await stage.tenant()
      let mended = false
      await stage.worker({ work: () => (mended ? DONE : failed(false)) })
      const id = await stage.enqueue(tenantId)
      await stage.until('it is dead', async () => (await stage.job(tenantId, id)).state === 'dead')
      const dead = await stage.job(tenantId, id)
      assert.deepEqual([dead.attempt, dead.errorCode, dead.errorMessage], [1, 'job.failed', 'It failed.'])
      mended = true
      const redrive = () => stage.db.tenant(tenantId).write((tx) => redriveJob(tx, id, stage.clock()))
      assert.equal(await redrive(), true)
      assert.equal(await redrive(), false)
      await allDone(stage)
      assert.equal((await stage.job(tenantId, id)).attempt, 1)
    },
  ),

  play('a dedup key: one open job has it', async (stage) => {
    const tenantId = await stage.tenant()
    const dedupKey = 'once'
    const first = await stage.enqueue(tenantId, { dedupKey })
    assert.equal(await stage.enqueue(tenantId, { dedupKey }), first)
    const both = await Promise.all([
      stage.enqueue(tenantId, { dedupKey }),
      stage.enqueue(tenantId, { dedupKey }),
    ])
    assert.deepEqual(both, [first, first])
    const elsewhere = await stage.enqueue(await stage.tenant(), { dedupKey })
    assert.notEqual(elsewhere, first)
    await stage.worker()
    await allDone(stage)
    assert.notEqual(await stage.enqueue(tenantId, { dedupKey }), first)
    await allDone(stage)
  }),

  play('the trace context crosses the queue', async (stage) => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const seen: (string | null)[] = []
    await stage.worker({
      work: (job) => {
        seen.push(job.traceparent)
        return DONE
      },
    })
    await stage.enqueue(await stage.tenant(), { traceparent })
    await allDone(stage)
    assert.deepEqual(seen, [traceparent])
  }),

  play('what a lost worker held is recovered', async (stage) => {
    const tenantId = await stage.tenant()
    await stage.enqueueMany(tenantId, 6)
    assert.equal((await stage.claim('doomed', 6)).length, 6)
    await stage.worker()
    stage.advance(LEASE + 1)
    await allDone(stage)
    assert.ok((await stage.jobs()).every(({ attempt, fence }) => attempt === 2 && fence === 2))
  }),

  play('a job that no worker can do is unroutable, visibly, and goes on when one can', async (stage) => {
    const tenantId = await stage.tenant()
    const done: JobHandler = { run: async () => DONE }
    await stage.worker({ heartbeatMs: 10 })
    const id = await stage.enqueue(tenantId, { kind: 'rare' })
    const sweep = () => sweepQueue({ db: stage.db }, stage.clock())
    assert.equal((await sweep()).setAside, 0)
    stage.advance(UNROUTABLE_AFTER_MS + 1)
    const live = async () => {
      const workers = await stage.db.system.read((reader) => listWorkers(reader, stage.clock()))
      return workers.some(({ state }) => state === 'live')
    }
    await stage.until('the worker is seen to live', live)
    assert.equal((await sweep()).setAside, 1)
    const row = await stage.job(tenantId, id)
    assert.deepEqual([row.state, row.errorCode], ['unroutable', 'job.unroutable'])
    assert.match(row.errorMessage ?? '', /rare/)
    assert.equal((await sweep()).putBack, 0)
    const lacking: JobHandler = {
      run: async () => ({ status: 'unroutable', error: { code: 'tool.unregistered', message: 'No tool.' } }),
    }
    await stage.worker({ handlers: new Map([['rare', lacking]]), heartbeatMs: 10 })
    const declared = async () => (await stage.job(tenantId, id)).errorCode === 'tool.unregistered'
    await stage.until('a worker lacks something for it', declared)
    // That worker lives and takes the kind; it lacks the tool as before.
    assert.equal((await sweep()).putBack, 0)
    await stage.worker({ handlers: new Map([['rare', done]]) })
    await stage.until('it is done', async () => {
      const { state } = await stage.job(tenantId, id)
      if (state === 'unroutable') await stage.worker({ handlers: new Map([['rare', done]]) })
      return state === 'done'
    })
    assert.equal((await stage.job(tenantId, id)).attempt, 1)
  }),

  play('a timer: a job sleeps until its time, and burns no attempt', async (stage) => {
    const tenantId = await stage.tenant()
    const attempts: number[] = []
    const due = stage.clock() + DAY_MS
    await stage.worker({
      work: async (job) => {
        attempts.push(job.attempt)
        if (attempts.length > 1) return DONE
        await stage.db
          .tenant(tenantId)
          .write((tx) => settleJob(tx, job, 'scheduled', stage.clock(), { notBefore: due }))
        return { status: 'settled' }
      },
    })
    const id = await stage.enqueue(tenantId)
    await stage.until('it sleeps', async () => (await stage.job(tenantId, id)).state === 'scheduled')
    stage.advance(DAY_MS - 1)
    const other = await stage.enqueue(tenantId)
    await stage.until('another is done', async () => (await stage.job(tenantId, other)).state === 'done')
    assert.equal((await stage.job(tenantId, id)).state, 'scheduled')
    stage.advance(1)
    await allDone(stage)
    assert.deepEqual(attempts, [1, 1, 1])
  }),

  play('a scheduled job is woken early', async (stage) => {
    const tenantId = await stage.tenant()
    const runId = newId('run')
    await stage.worker()
    await stage.enqueue(tenantId, { runId, notBefore: stage.clock() + DAY_MS })
    const wake = () => stage.db.tenant(tenantId).write((tx) => wakeJob(tx, runId, stage.clock()))
    assert.deepEqual([await wake(), await wake()], [true, false])
    await allDone(stage)
  }),

  {
    name: 'cron: a tick fires once with three schedulers',
    coveredBy: 'src/runtime/triggers/schedules.test.ts',
  },
  { name: 'an approval that comes early is kept', coveredBy: 'src/runtime/approvals/approvals.test.ts' },
]

/** Numbers that look random and are the same each time (mulberry32). */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
