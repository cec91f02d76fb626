// Cases of the queue's contract: how a job ends, waits or goes on.

import assert from 'node:assert/strict'
import { newId } from '../base/ids.ts'
import type { JobHandler } from './handler.ts'
import { redriveJob, wakeJob } from './job-changes.ts'
import { settleJob } from './job-store.ts'
import { allDone, DAY_MS, failed, LONG_MS, play, type QueueCase } from './queue-play.ts'
import { DONE, KIND, LEASE } from './queue-stage.ts'
import { listWorkers } from './registry.ts'
import { sweepQueue, UNROUTABLE_AFTER_MS } from './sweep.ts'

export const ENDING_CASES: readonly QueueCase[] = [
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
    const first = await stage.worker({ heartbeatMs: 10 })
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
    await first.stop(0)
    const second = await stage.worker({
      handlers: new Map([['rare', lacking]]),
      heartbeatMs: 10,
      leaseMs: LONG_MS,
    })
    const declared = async () => {
      // A message that the first worker took is delivered again in time.
      stage.advance(1_000)
      return (await stage.job(tenantId, id)).errorCode === 'tool.unregistered'
    }
    await stage.until('a worker lacks something for it', declared)
    // That worker lives and takes the kind; it lacks the tool as before.
    assert.equal((await sweep()).putBack, 0)
    await second.stop(0)
    await stage.worker({ handlers: new Map([['rare', done]]), leaseMs: LONG_MS })
    await stage.until('it is done', async () => {
      stage.advance(1_000)
      return (await stage.job(tenantId, id)).state === 'done'
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
]
