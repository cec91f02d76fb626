// Tickets by BullMQ on Redis. It is used as a plain queue: its jobs are taken by hand, in one loop, so that it is known
// when Redis last answered; no retries, delays or schedules of its own.

import { randomUUID } from 'node:crypto'
import type { Job, Queue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { EngineFinding, Ticket, Transport } from '../transport.ts'
import { consumeFrom, type MessageSource } from './consume.ts'
import { type EngineOptions, loadPackage, reasonOf, unreachable } from './engine-options.ts'
import { bundle, messageOf } from './ticket-message.ts'

const QUEUE = 'tickets'
const PREFIX = 'agent-factory'
/** How long one request waits for a message. */
const BLOCK_SECONDS = 1
/** How long a message is kept for a process that no longer says it lives. */
const LOCK_MS = 30_000
const LOCK_RENEW_MS = 10_000
/** What dead processes held is delivered again, however often that happens. */
const STALLED_MAX = 1_000_000
const RECONNECT_MS_MAX = 1_000
/** How long to wait after a request that failed. */
const RETRY_MS = 200
const CONNECT_MS_MAX = 5_000
/** BullMQ writes a stream of events that nobody reads here. */
const EVENTS_KEPT = 100
/** The oldest Redis that BullMQ is made for. */
const REDIS_MAJOR_MIN = 5

interface BullmqOptions extends EngineOptions {
  readonly redisUrl: string
  /** Before the names of all keys. Default `agent-factory`. */
  readonly prefix?: string | undefined
}

/** Connects to Redis. Throws `engine.unavailable`. */
export async function openBullmq(options: BullmqOptions): Promise<Transport> {
  const { prefix = PREFIX, onError } = options
  const bullmq = await loadPackage('bullmq', () => import('bullmq'))
  const connect = await connector(options)
  // What cannot be sent now fails at once: the relay issues it again.
  const sending = await connect({ enableOfflineQueue: false, maxRetriesPerRequest: 0 })
  const queue: Queue = new bullmq.Queue(QUEUE, {
    connection: sending,
    prefix,
    streams: { events: { maxLen: EVENTS_KEPT } },
  })
  queue.on('error', onError)
  const consumers = new Set<{ stop(): Promise<void> }>()
  return {
    engine: 'bullmq',
    send: async (tickets: readonly Ticket[]) => {
      const opts = { attempts: 1, removeOnComplete: true, removeOnFail: true }
      await queue.addBulk(bundle(tickets).map((some) => ({ name: 'tickets', data: messageOf(some), opts })))
    },
    consume: async (handler, { concurrency }) => {
      const receiving = await connect({ maxRetriesPerRequest: null })
      const worker = new bullmq.Worker(QUEUE, null, {
        connection: receiving,
        prefix,
        autorun: false,
        concurrency,
        drainDelay: BLOCK_SECONDS,
        lockDuration: LOCK_MS,
        stalledInterval: LOCK_MS,
        maxStalledCount: STALLED_MAX,
        runRetryDelay: RETRY_MS,
      })
      worker.on('error', onError)
      await worker.startStalledCheckTimer()
      const consumer = consumeFrom(createSource(worker, receiving), handler, { ...options, concurrency })
      consumers.add(consumer)
      return consumer
    },
    check: () => check(sending),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...consumers].map((consumer) => consumer.stop()))
      await queue.close().catch(onError)
      sending.disconnect()
    },
  }
}

interface ConnectionLimits {
  readonly enableOfflineQueue?: boolean
  readonly maxRetriesPerRequest: number | null
}

async function connector({ redisUrl, onError }: BullmqOptions) {
  const { Redis } = await loadPackage('ioredis', () => import('ioredis'))
  return async (limits: ConnectionLimits): Promise<Redis> => {
    const redis = new Redis(redisUrl, {
      ...limits,
      lazyConnect: true,
      connectTimeout: CONNECT_MS_MAX,
      keepAlive: CONNECT_MS_MAX,
      retryStrategy: (tries) => Math.min(tries * 50, RECONNECT_MS_MAX),
    })
    // Without a listener, each attempt that fails is printed.
    redis.on('error', onError)
    try {
      await redis.connect()
      await redis.ping()
    } catch (error) {
      redis.disconnect()
      throw unreachable('Redis', 'REDIS_URL', error)
    }
    return redis
  }
}

function createSource(worker: Worker, redis: Redis): MessageSource<Job> {
  const token = randomUUID()
  const each = async (jobs: readonly Job[], work: (job: Job) => Promise<unknown>): Promise<void> => {
    const settled = await Promise.allSettled(jobs.map(work))
    const failed = settled.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
  return {
    receive: async (most) => {
      const jobs: Job[] = []
      for (let block = true; jobs.length < most; block = false) {
        const job = await worker.getNextJob(token, { block })
        if (job === undefined && block) {
          // BullMQ keeps to itself that the connection broke while it waited: only an answer is an answer.
          await redis.ping()
        }
        if (job === undefined) break
        jobs.push(job)
      }
      return jobs
    },
    bodyOf: ({ data }) => data,
    acknowledge: (jobs) => each(jobs, (job) => job.moveToCompleted(null, token, false)),
    release: (jobs) => each(jobs, (job) => job.moveToWait(token)),
    refuse: async (job) => void (await job.moveToFailed(new Error('no tickets in it'), token, false)),
    keep: {
      everyMs: LOCK_RENEW_MS,
      extend: async (jobs) => {
        const ids = jobs.flatMap(({ id }) => id ?? [])
        await worker.extendJobLocks(
          ids,
          ids.map(() => token),
          LOCK_MS,
        )
      },
    },
    close: async () => {
      await worker.close(true)
      redis.disconnect()
    },
  }
}

async function check(redis: Redis): Promise<readonly EngineFinding[]> {
  try {
    return findings(await redis.info())
  } catch (error) {
    return [{ name: 'redis', status: 'failed', message: `Redis does not answer: ${reasonOf(error)}.` }]
  }
}

function findings(info: string): readonly EngineFinding[] {
  const values = new Map(
    info.split(/\r?\n/).map((line) => line.split(':', 2) as [string, string | undefined]),
  )
  const version = values.get('redis_version') ?? 'unknown'
  const policy = values.get('maxmemory_policy') ?? 'unknown'
  const old = Number.parseInt(version, 10) < REDIS_MAJOR_MIN
  return [
    {
      name: 'redis version',
      status: old ? 'warning' : 'ok',
      message: old
        ? `Redis ${version} is older than BullMQ supports: use 6.2 or later.`
        : `Redis ${version}.`,
    },
    policy === 'noeviction'
      ? { name: 'redis eviction', status: 'ok', message: 'maxmemory-policy is noeviction.' }
      : {
          name: 'redis eviction',
          status: 'warning',
          message: `maxmemory-policy is ${policy}: when memory is full, Redis throws away tickets, and jobs wait until those are issued again. Set maxmemory-policy noeviction.`,
        },
    values.get('aof_enabled') === '1'
      ? { name: 'redis persistence', status: 'ok', message: 'The append-only file is on.' }
      : {
          name: 'redis persistence',
          status: 'warning',
          message:
            'The append-only file is off: a restart of Redis forgets tickets, and jobs wait until those are issued again. Set appendonly yes.',
        },
  ]
}
