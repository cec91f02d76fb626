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
/** After so long without an answer a request is given up, and Redis is connected to anew: BullMQ may wait for ever. */
const RECEIVE_MS_MAX = 8_000
/** A wait that found nothing and was shorter was none: BullMQ’s own connection for it is closed, and it keeps that to itself. */
const WAIT_MS_MIN = (BLOCK_SECONDS * 1_000) / 2
/** So many of them in a row, and Redis is connected to anew. One now and then is a job that another process took first. */
const HASTY_MAX = 10
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
      // Whatever ended it: who sends wants it to be there.
      if (sending.status === 'end') await sending.connect()
      const opts = { attempts: 1, removeOnComplete: true, removeOnFail: true }
      await queue.addBulk(bundle(tickets).map((some) => ({ name: 'tickets', data: messageOf(some), opts })))
    },
    consume: async (handler, { concurrency }) => {
      const receive = async (): Promise<Receiver> => {
        const redis = await connect({ maxRetriesPerRequest: null })
        const worker = new bullmq.Worker(QUEUE, null, {
          connection: redis,
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
        return { worker, redis, hasty: 0 }
      }
      const source = createSource(await receive(), receive)
      const consumer = consumeFrom(source, handler, { ...options, concurrency })
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

/** A worker of BullMQ, and the connection that it was given. */
interface Receiver {
  readonly worker: Worker
  readonly redis: Redis
  /** Waits in a row that were none. */
  hasty: number
}

function createSource(first: Receiver, open: () => Promise<Receiver>): MessageSource<Job> {
  const token = randomUUID()
  let receiver: Receiver | undefined = first
  const each = async (jobs: readonly Job[], work: (job: Job) => Promise<unknown>): Promise<void> => {
    const settled = await Promise.allSettled(jobs.map(work))
    const failed = settled.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
  return {
    receive: async (most) => {
      receiver ??= await open()
      const asked = nextJobs(receiver, token, most)
      const jobs = await within(RECEIVE_MS_MAX, asked)
      if (jobs !== undefined && receiver.hasty < HASTY_MAX) return jobs
      // What it still answers is delivered again when its lock has lapsed.
      asked.catch(() => undefined)
      leave(receiver)
      receiver = undefined
      if (jobs !== undefined && jobs.length > 0) return jobs
      throw new Error('BullMQ cannot wait for messages any more; Redis is connected to anew.')
    },
    bodyOf: ({ data }) => data,
    acknowledge: (jobs) => each(jobs, (job) => job.moveToCompleted(null, token, false)),
    release: (jobs) => each(jobs, (job) => job.moveToWait(token)),
    refuse: async (job) => void (await job.moveToFailed(new Error('no tickets in it'), token, false)),
    keep: {
      everyMs: LOCK_RENEW_MS,
      extend: async (jobs) => {
        const ids = jobs.flatMap(({ id }) => id ?? [])
        await receiver?.worker.extendJobLocks(
          ids,
          ids.map(() => token),
          LOCK_MS,
        )
      },
    },
    close: async () => {
      await receiver?.worker.close(true)
      receiver?.redis.disconnect()
    },
  }
}

async function nextJobs(receiver: Receiver, token: string, most: number): Promise<readonly Job[]> {
  const { worker, redis } = receiver
  const jobs: Job[] = []
  for (let block = true; jobs.length < most; block = false) {
    const askedAt = performance.now()
    let job = await worker.getNextJob(token, { block })
    if (job === undefined && block) {
      // BullMQ keeps to itself that the connection broke while it waited: only an answer is an answer.
      await redis.ping()
      const hasty = performance.now() - askedAt < WAIT_MS_MIN
      receiver.hasty = hasty ? receiver.hasty + 1 : 0
      if (hasty) job = await worker.getNextJob(token, { block: false })
    } else if (block) receiver.hasty = 0
    if (job === undefined) break
    jobs.push(job)
  }
  return jobs
}

/** Nobody waits for one that does not answer. */
function leave({ worker, redis }: Receiver): void {
  worker.close(true).catch(() => undefined)
  redis.disconnect()
}

/** Undefined where it takes longer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), ms)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
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
