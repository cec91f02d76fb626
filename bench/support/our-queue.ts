// Our queue as a process of the product has it: the jobs table, a worker, and the relay where an engine carries tickets.

import { randomBytes } from 'node:crypto'
import { newId, type TenantId } from '../../src/base/ids.ts'
import { systemClock } from '../../src/base/time.ts'
import { enqueueJob } from '../../src/queue/enqueue.ts'
import type { JobHandler } from '../../src/queue/handler.ts'
import { openTransport, type TransportConfig } from '../../src/queue/open-transport.ts'
import { createRelay, type Relay } from '../../src/queue/relay.ts'
import { createJobWorker } from '../../src/queue/worker.ts'
import { workerName } from '../../src/queue/worker-owner.ts'
import type { Database } from '../../src/storage/database.ts'
import { migrate } from '../../src/storage/migrations/migrate.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { systemStatement } from '../../src/storage/statement.ts'

export interface OurQueueInput {
  readonly databaseUrl: string
  /** The engine that carries tickets; undefined: workers ask the database. */
  readonly transport?: TransportConfig
}

export interface OurQueue {
  tenant(): Promise<TenantId>
  /** One job in a transaction of its own; answers its id. */
  enqueue(tenantId: TenantId): Promise<string>
  /** Many jobs in few transactions. */
  fill(tenantId: TenantId, jobs: number): Promise<void>
  close(): Promise<void>
}

const KIND = 'noop'
const FILL_GROUP = 1_000

export async function openOurQueue(
  input: OurQueueInput,
  concurrency: number,
  run: JobHandler['run'],
): Promise<OurQueue> {
  await using opened = new AsyncDisposableStack()
  const db = opened.use(await openDatabase(input.databaseUrl))
  await migrate(db)
  const clock = systemClock
  const onError = (error: unknown): void => console.error(error)
  const transport = input.transport && opened.use(await openTransport(input.transport, { clock, onError }))
  const relay = transport && createRelay({ db, clock, transport, observer: { failed: onError } })
  const worker = createJobWorker(
    {
      db,
      clock,
      random: Math.random,
      handlers: new Map([[KIND, { run }]]),
      transport,
      queued: () => relay?.kick(),
      trouble: (message, facts) => console.error(message, facts),
    },
    { name: workerName(), concurrency },
  )
  startRelay(relay, opened)
  opened.defer(() => worker.stop(0))
  await worker.start()
  const told = (): void => {
    worker.wake()
    relay?.kick()
  }
  const stack = opened.move()
  return {
    tenant: () => insertTenant(db),
    enqueue: async (tenantId) => {
      const job = { id: newId('job'), kind: KIND, at: clock() }
      await db.tenant(tenantId).write((tx) => enqueueJob(tx, job))
      told()
      return job.id
    },
    fill: async (tenantId, jobs) => {
      for (let left = jobs; left > 0; left -= FILL_GROUP) {
        await db.tenant(tenantId).write(async (tx) => {
          for (let n = Math.min(left, FILL_GROUP); n > 0; n--)
            await enqueueJob(tx, { id: newId('job'), kind: KIND, at: clock() })
        })
        told()
      }
    },
    close: () => stack.disposeAsync(),
  }
}

function startRelay(relay: Relay | undefined, opened: AsyncDisposableStack): void {
  if (relay === undefined) return
  opened.defer(() => relay.stop())
  relay.start()
}

async function insertTenant(db: Database): Promise<TenantId> {
  const id = newId('tenant')
  await db.system.write((tx) => tx.run(newTenant, { id, name: `bench-${randomBytes(4).toString('hex')}` }))
  return id
}

const newTenant = systemStatement(
  'bench.tenant',
  'a bench makes its tenants',
  (db, p: { readonly id: TenantId; readonly name: string }) =>
    db.insertInto('tenants').values({
      id: p.id,
      name: p.name,
      status: 'active',
      capturePolicy: 'full',
      maxConcurrentJobs: null,
      createdAt: 0,
      updatedAt: 0,
    }),
)
