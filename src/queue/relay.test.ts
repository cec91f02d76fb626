import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { faultyTransport } from '../../test/support/engines.ts'
import { type JobId, newId, type TenantId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import { systemClock } from '../base/time.ts'
import type { Database } from '../storage/database.ts'
import { systemStatement } from '../storage/statement.ts'
import { claimTickets } from './claim.ts'
import { createMemoryTransport } from './engines/memory.ts'
import { enqueueJob, type NewJob } from './enqueue.ts'
import { settleJob } from './job-store.ts'
import { createRelay, type RelayDeps, TICKET_TTL_MS, WINDOW_MS } from './relay.ts'
import type { Ticket } from './transport.ts'

const LEASE_MS = 1_000
const ALL = 'a test looks at everything'
const addTenant = systemStatement(
  'test.add-tenant',
  ALL,
  (db, p: { id: TenantId; maxConcurrentJobs: number | null }) =>
    db.insertInto('tenants').values({
      id: p.id,
      name: 'test',
      status: 'active',
      capturePolicy: 'full',
      maxConcurrentJobs: p.maxConcurrentJobs,
      createdAt: 1,
      updatedAt: 1,
    }),
)
const addWorker = systemStatement(
  'test.add-worker',
  ALL,
  (db, p: { id: string; concurrency: number; heartbeatAt: number }) =>
    db.insertInto('workers').values({
      id: p.id,
      version: '1',
      engine: 'memory',
      kinds: '[]',
      codeTools: '[]',
      concurrency: p.concurrency,
      active: 0,
      startedAt: 1,
      heartbeatAt: p.heartbeatAt,
      drainingAt: null,
    }),
)

/** A database, a clock that stands still, and an engine that keeps what was sent. */
function openScene(db: Database) {
  let at: EpochMs = 1_000_000
  const sent: Ticket[] = []
  let broken = false
  const transport = {
    send: async (tickets: readonly Ticket[]): Promise<void> => {
      if (broken) throw new Error('the engine is down')
      sent.push(...tickets)
    },
  }
  const relay = (more: Partial<RelayDeps> = {}) => createRelay({ db, clock: () => at, transport, ...more })
  const tenant = async (maxConcurrentJobs: number | null = null): Promise<TenantId> => {
    const id = newId('tenant')
    await db.system.write((tx) => tx.run(addTenant, { id, maxConcurrentJobs }))
    return id
  }
  const enqueue = async (id: TenantId, count: number, more: Partial<NewJob> = {}): Promise<JobId[]> => {
    const ids = Array.from({ length: count }, () => newId('job'))
    await db.tenant(id).write(async (tx) => {
      for (const [n, job] of ids.entries())
        await enqueueJob(tx, { id: job, kind: 'agent', at: at - 1_000 + n, ...more })
    })
    return ids
  }
  const claim = (tickets: readonly Ticket[]) =>
    db.system.write((tx) =>
      claimTickets(tx, { owner: 'w', at, leaseMs: LEASE_MS, kinds: ['agent'], tickets }),
    )
  return {
    sent,
    relay,
    tenant,
    enqueue,
    claim,
    pass: (ms: number) => {
      at += ms
    },
    now: () => at,
    setBroken: (value: boolean) => {
      broken = value
    },
    take: () => sent.splice(0),
  }
}

function countBy(tickets: readonly Ticket[], tenantId: TenantId): number {
  return tickets.filter((ticket) => ticket.tenantId === tenantId).length
}

forEachDatabase((_name, open) => {
  describe('the relay', () => {
    it('gives each job one ticket, in the order of its rank', async () => {
      await using db = await open()
      const scene = openScene(db)
      const tenant = await scene.tenant()
      const ids = await scene.enqueue(tenant, 5)
      const [urgent] = await scene.enqueue(tenant, 1, { priority: 0, at: scene.now() - 60_000 })
      const relay = scene.relay()
      assert.equal(await relay.pass(), 6)
      assert.deepEqual(
        scene.take().map(({ jobId }) => jobId),
        [urgent, ...ids],
      )
      assert.equal(await relay.pass(), 0)
      assert.equal(relay.lastPassAt(), scene.now())
    })

    it('lets tenants take turns, whoever has most jobs', async () => {
      await using db = await open()
      const scene = openScene(db)
      const [a, b, c] = [await scene.tenant(), await scene.tenant(), await scene.tenant()]
      await scene.enqueue(a, 200)
      await scene.enqueue(b, 5)
      await scene.enqueue(c, 5)
      const relay = scene.relay({ window: 12 })
      assert.equal(await relay.pass(), 12)
      const sent = scene.take()
      assert.deepEqual(
        [a, b, c].map((tenant) => countBy(sent, tenant)),
        [4, 4, 4],
      )
      assert.equal(new Set(sent.slice(0, 3).map(({ tenantId }) => tenantId)).size, 3)
      await scene.claim(sent)
      await relay.pass()
      const more = scene.take()
      assert.deepEqual([countBy(more, b), countBy(more, c), countBy(more, a)], [1, 1, 10])
    })

    it('serves every tenant in turn where the window is smaller than their number', async () => {
      await using db = await open()
      const scene = openScene(db)
      const tenants: TenantId[] = []
      for (let n = 0; n < 7; n++) tenants.push(await scene.tenant())
      for (const tenant of tenants) await scene.enqueue(tenant, 9)
      const relay = scene.relay({ window: 3 })
      const served: Ticket[] = []
      for (let n = 0; n < 7; n++) {
        await relay.pass()
        served.push(...scene.sent)
        await scene.claim(scene.take())
      }
      assert.deepEqual(
        tenants.map((tenant) => countBy(served, tenant)),
        tenants.map(() => 3),
      )
    })

    it('leaves a backlog in the database: no more tickets are out than the workers can take soon', async () => {
      await using db = await open()
      const scene = openScene(db)
      await scene.enqueue(await scene.tenant(), 150)
      const relay = scene.relay()
      assert.equal(await relay.pass(), 16)
      await db.system.write(async (tx) => {
        await tx.run(addWorker, { id: 'alive', concurrency: 40, heartbeatAt: scene.now() })
        await tx.run(addWorker, { id: 'dead', concurrency: 900, heartbeatAt: scene.now() - 600_000 })
      })
      const other = scene.relay()
      assert.equal(await other.pass(), 24)
      assert.equal(await other.pass(), 0)
      // It was emptied at once: there may be more.
      await scene.claim(scene.take())
      await other.pass()
      await scene.claim(scene.take())
      assert.ok((await other.pass()) > 0)
    })

    it('lets no more lie in the engine than is used soon: who comes behind a backlog waits for that only', async () => {
      await using db = await open()
      const scene = openScene(db)
      const backlog = await scene.tenant()
      await scene.enqueue(backlog, 400)
      const relay = scene.relay()
      const stepMs = 5
      const perStep = 10
      const engine: Ticket[] = []
      const step = async (): Promise<readonly Ticket[]> => {
        await relay.pass()
        engine.push(...scene.take())
        const taken = engine.splice(0, perStep)
        for (const job of await scene.claim(taken))
          await db.tenant(job.tenantId).write((tx) => settleJob(tx, job, 'done', scene.now()))
        scene.pass(stepMs)
        return taken
      }
      let most = 0
      for (let n = 0; n < 15; n++) {
        assert.equal((await step()).length, perStep, 'no worker waits for the relay')
        most = Math.max(most, engine.length)
      }
      assert.ok(most + perStep <= (WINDOW_MS / stepMs) * perStep, `${most} lay in the engine`)
      assert.ok(most > 16, `${most} were sent ahead`)
      const other = await scene.tenant()
      await scene.enqueue(other, 1)
      let waited = 0
      for (; waited < 400; waited++) if (countBy(await step(), other) > 0) break
      assert.ok(waited * stepMs <= WINDOW_MS, `it waited for ${waited * stepMs} ms`)
    })

    it('never gives a tenant more than its cap, counting what is leased and what is ticketed', async () => {
      await using db = await open()
      const scene = openScene(db)
      const [capped, usual] = [await scene.tenant(3), await scene.tenant()]
      await scene.enqueue(capped, 10)
      await scene.enqueue(usual, 10)
      const relay = scene.relay({ tenantCap: 5, window: 100 })
      await relay.pass()
      const first = scene.take()
      assert.deepEqual([countBy(first, capped), countBy(first, usual)], [3, 5])
      const [job] = await scene.claim(first)
      assert.ok(job)
      await relay.pass()
      assert.deepEqual(scene.take(), [])
      await db.tenant(job.tenantId).write((tx) => settleJob(tx, job, 'done', scene.now()))
      await relay.pass()
      assert.equal(scene.take().length, 1)
    })

    it('never gives a definition more than its cap, and goes on with other jobs of the tenant', async () => {
      await using db = await open()
      const scene = openScene(db)
      const tenant = await scene.tenant()
      const slow = await scene.enqueue(tenant, 10, { definitionId: 'slow', definitionCap: 2 })
      const free = await scene.enqueue(tenant, 3, { at: scene.now() })
      const relay = scene.relay({ window: 100 })
      await relay.pass()
      const sent = scene.take().map(({ jobId }) => jobId)
      assert.deepEqual(new Set(sent), new Set([...slow.slice(0, 2), ...free]))
      await relay.pass()
      assert.deepEqual(scene.take(), [])
    })

    it('issues a lost ticket again, and one that was claimed never', async () => {
      await using db = await open()
      const scene = openScene(db)
      await scene.enqueue(await scene.tenant(), 3)
      const relay = scene.relay()
      await relay.pass()
      const [first, ...lost] = scene.take()
      assert.ok(first)
      const [claimed] = await scene.claim([first])
      assert.ok(claimed)
      scene.pass(TICKET_TTL_MS)
      await db.tenant(claimed.tenantId).write((tx) => settleJob(tx, claimed, 'done', scene.now()))
      await relay.pass()
      assert.deepEqual(scene.take(), [])
      scene.pass(1)
      await relay.pass()
      assert.deepEqual(
        new Set(scene.take().map(({ jobId }) => jobId)),
        new Set(lost.map(({ jobId }) => jobId)),
      )
    })

    it('a job that comes due, or whose worker died, gets a ticket', async () => {
      await using db = await open()
      const scene = openScene(db)
      const tenant = await scene.tenant()
      const [later] = await scene.enqueue(tenant, 1, { at: scene.now(), notBefore: scene.now() + 500 })
      const [held] = await scene.enqueue(tenant, 1)
      const relay = scene.relay()
      await relay.pass()
      const [job] = await scene.claim(scene.take())
      assert.equal(job?.jobId, held)
      scene.pass(500)
      await relay.pass()
      assert.deepEqual(
        scene.take().map(({ jobId }) => jobId),
        [later],
      )
      scene.pass(LEASE_MS)
      await relay.pass()
      const again = scene.take()
      assert.deepEqual(
        again.map(({ jobId }) => jobId),
        [held],
      )
      const [second] = await scene.claim(again)
      assert.ok(job && second && second.fence > job.fence)
      assert.equal(await db.tenant(tenant).write((tx) => settleJob(tx, job, 'done', scene.now())), false)
    })

    it('two relays at once never give one job two tickets', async () => {
      await using db = await open()
      const scene = openScene(db)
      for (let n = 0; n < 3; n++) await scene.enqueue(await scene.tenant(), 30)
      const relays = Array.from({ length: 4 }, () => scene.relay({ window: 60 }))
      await Promise.all(relays.flatMap((relay) => [relay.pass(), relay.pass()]))
      const sent = scene.take().map(({ jobId }) => jobId)
      assert.equal(sent.length, 60)
      assert.equal(new Set(sent).size, 60)
    })

    it('what could not be sent is sent by the next pass', async () => {
      await using db = await open()
      const scene = openScene(db)
      const tenant = await scene.tenant()
      await scene.enqueue(tenant, 4)
      const relay = scene.relay()
      scene.setBroken(true)
      await assert.rejects(relay.pass(), /the engine is down/)
      scene.setBroken(false)
      assert.equal(await relay.pass(), 4)
      assert.equal(scene.take().length, 4)
    })

    it('sends in the transaction where the engine can: a failure leaves no mark', async () => {
      await using db = await open()
      const scene = openScene(db)
      await scene.enqueue(await scene.tenant(), 4)
      const never = { send: () => Promise.reject(new Error('not this way')) }
      const failing = { ...never, sendIn: () => Promise.reject(new Error('the engine is down')) }
      await assert.rejects(scene.relay({ transport: failing }).pass(), /the engine is down/)
      const sent: Ticket[] = []
      const sendIn = async (_: unknown, tickets: readonly Ticket[]): Promise<void> =>
        void sent.push(...tickets)
      await scene.relay({ transport: { ...never, sendIn } }).pass()
      assert.equal(sent.length, 4)
    })

    it('started, makes passes by itself, tells of errors and goes on', async () => {
      await using db = await open()
      const scene = openScene(db)
      const failures: unknown[] = []
      const failed = Promise.withResolvers<void>()
      const passed = Promise.withResolvers<void>()
      scene.setBroken(true)
      await scene.enqueue(await scene.tenant(), 1)
      const relay = scene.relay({
        observer: {
          failed: (error) => {
            failures.push(error)
            scene.setBroken(false)
            failed.resolve()
          },
          passed: (tickets) => tickets > 0 && passed.resolve(),
        },
      })
      relay.start()
      await failed.promise
      relay.kick()
      relay.kick()
      await passed.promise
      await relay.stop()
      assert.equal(failures.length, 1)
      assert.equal(scene.take().length, 1)
    })

    it('brings every job to a claim over an engine that loses, doubles and shuffles', async () => {
      await using db = await open()
      const scene = openScene(db)
      const tenant = await scene.tenant()
      const ids = new Set(await scene.enqueue(tenant, 40))
      let seed = 7
      const random = (): number => {
        seed = (seed * 16_807) % 2_147_483_647
        return seed / 2_147_483_647
      }
      const memory = createMemoryTransport({ clock: systemClock, onError: () => undefined })
      await using transport = faultyTransport(memory, { drop: 0.4, duplicate: 0.4, reorder: 0.5, random })
      const claimed: JobId[] = []
      let busy = 0
      const consumer = await transport.consume(
        async (tickets) => {
          busy += 1
          for (const job of await scene.claim(tickets)) {
            claimed.push(job.jobId)
            await db.tenant(tenant).write((tx) => settleJob(tx, job, 'done', scene.now()))
          }
          busy -= 1
        },
        { concurrency: 3 },
      )
      const relay = scene.relay({ transport, window: 40 })
      for (let n = 0; n < 200 && claimed.length < ids.size; n++) {
        await relay.pass()
        // The engine lives in this process: what was sent is in hand after a few turns, and is done before the clock goes on.
        for (let turn = 0; turn < 10 || busy > 0; turn++)
          await new Promise((resolve) => setImmediate(resolve))
        scene.pass(TICKET_TTL_MS + 1)
      }
      await consumer.stop()
      assert.equal(claimed.length, ids.size)
      assert.deepEqual(new Set(claimed), ids)
    })
  })
})
