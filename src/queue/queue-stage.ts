// What the cases of the queue's contract play on: an engine, a clock that they move, workers, and the relay where the
// engine carries tickets. Nothing here waits for a real time: a case moves the clock.

import { setTimeout as sleep } from 'node:timers/promises'
import { type JobId, newId, type TenantId } from '../base/ids.ts'
import type { Clock, EpochMs } from '../base/time.ts'
import type { Database } from '../storage/database.ts'
import { systemStatement } from '../storage/statement.ts'
import { type Claimed, claimJobs, FIRST_TENANT } from './claim.ts'
import { enqueueJob, type NewJob } from './enqueue.ts'
import type { JobControl, JobEnd, JobHandler } from './handler.ts'
import type { ClaimedJob } from './job.ts'
import { type JobRow, jobById } from './job-store.ts'
import { createRelay, type Relay } from './relay.ts'
import type { Transport } from './transport.ts'
import { createJobWorker, type JobWorker, type JobWorkerOptions } from './worker.ts'

/** An engine as a case gets it: with an empty database. */
export interface ContractEngine {
  readonly db: Database
  /** Undefined: workers ask the database itself. */
  readonly transport: Transport | undefined
  /** The engine forgets every ticket. */
  flush(): Promise<void>
  /** The same transport, which loses, doubles and shuffles what is sent. */
  faulty(faults: { drop: number; duplicate: number; reorder: number; random: () => number }): Transport
}

/** A kind of job that most cases use. */
export const KIND = 'noop'
export const LEASE = 15_000
/** How long a case may wait for what must happen. */
const PATIENCE_MS = 20_000

export type Work = (job: ClaimedJob, control: JobControl) => Promise<JobEnd> | JobEnd

export interface WorkerPlan extends Partial<Omit<JobWorkerOptions, 'name'>> {
  readonly work?: Work
  /** Instead of one of `KIND`. */
  readonly handlers?: ReadonlyMap<string, JobHandler>
  readonly clock?: Clock
  readonly random?: () => number
}

export interface Stage extends AsyncDisposable {
  readonly db: Database
  readonly clock: Clock
  /** Moves the clock. */
  advance(ms: number): void
  /** A worker that is started. */
  worker(plan?: WorkerPlan): Promise<JobWorker>
  /** The relay begins to send tickets; with a worker it does by itself. */
  relay(transport?: Transport): Relay | undefined
  tenant(maxConcurrentJobs?: number): Promise<TenantId>
  enqueue(tenantId: TenantId, job?: Partial<NewJob>): Promise<JobId>
  enqueueMany(tenantId: TenantId, count: number, job?: Partial<NewJob>): Promise<readonly JobId[]>
  /** Claims as a worker does that dies right afterwards. */
  claim(owner: string, limit: number, at?: EpochMs): Promise<readonly ClaimedJob[]>
  job(tenantId: TenantId, id: JobId): Promise<JobRow>
  jobs(): Promise<readonly JobRow[]>
  /** Waits until the condition holds; throws where it never does. */
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void>
}

export const DONE: JobEnd = { status: 'done' }

export function openStage(engine: ContractEngine): Stage {
  const { db } = engine
  const workers: JobWorker[] = []
  let now = Date.now()
  let relay: Relay | undefined
  let sending = engine.transport
  const clock = (): number => now
  const told = (): void => {
    relay?.kick()
    for (const worker of workers) worker.wake()
  }
  const startRelay = (transport = sending): Relay | undefined => {
    if (transport === undefined || relay !== undefined) return relay
    sending = transport
    relay = createRelay({ db, clock, transport })
    relay.start()
    return relay
  }
  const stage: Stage = {
    db,
    clock,
    advance(ms) {
      now += ms
      told()
    },
    async worker(plan = {}) {
      const { work = () => DONE, handlers, clock: own = clock, random = () => 0, ...options } = plan
      const noop: JobHandler = { run: async (job, _adopted, control) => work(job, control) }
      startRelay()
      const worker = createJobWorker(
        {
          db,
          clock: own,
          random,
          handlers: handlers ?? new Map([[KIND, noop]]),
          transport: sending,
          queued: () => relay?.kick(),
          trouble: () => undefined,
        },
        { name: `contract/${workers.length}`, concurrency: 4, leaseMs: LEASE, ...options },
      )
      workers.push(worker)
      await worker.start()
      return worker
    },
    relay: startRelay,
    async tenant(maxConcurrentJobs) {
      const id = newId('tenant')
      await db.system.write((tx) => tx.run(insertTenant, { id, cap: maxConcurrentJobs ?? null, at: now }))
      return id
    },
    async enqueue(tenantId, job) {
      const [id] = await stage.enqueueMany(tenantId, 1, job)
      if (id === undefined) throw new Error('Nothing was put in the queue.')
      return id
    },
    async enqueueMany(tenantId, count, job) {
      const ids = await db.tenant(tenantId).write(async (tx) => {
        const made: JobId[] = []
        for (let n = 0; n < count; n++)
          made.push(await enqueueJob(tx, { id: newId('job'), kind: KIND, at: now, ...job }))
        return made
      })
      told()
      return ids
    },
    async claim(owner, limit, at = now) {
      const terms = { owner, at, leaseMs: LEASE, kinds: [KIND], limit, lapsed: true, after: FIRST_TENANT }
      const claimed: Claimed = await db.system.write((tx) => claimJobs(tx, terms))
      return claimed.jobs
    },
    async job(tenantId, id) {
      const row = await db.tenant(tenantId).read((reader) => reader.first(jobById, { id }))
      if (row === undefined) throw new Error(`There is no job ${id}.`)
      return row
    },
    jobs: () => db.system.read((reader) => reader.all(everyJob, {})),
    async until(what, condition) {
      const end = performance.now() + PATIENCE_MS
      while (!(await condition())) {
        if (performance.now() > end) throw new Error(`It did not come to this: ${what}.`)
        told()
        await sleep(10)
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.stop(0)))
      await relay?.stop()
    },
  }
  return stage
}

const insertTenant = systemStatement(
  'contract.tenant',
  'a case makes its tenants',
  (db, p: { readonly id: TenantId; readonly cap: number | null; readonly at: EpochMs }) =>
    db.insertInto('tenants').values({
      id: p.id,
      name: 'contract',
      status: 'active',
      capturePolicy: 'full',
      maxConcurrentJobs: p.cap,
      createdAt: p.at,
      updatedAt: p.at,
    }),
)

const everyJob = systemStatement('contract.jobs', 'a case looks at the whole queue', (db) =>
  db.selectFrom('jobs').selectAll().orderBy('id'),
)
