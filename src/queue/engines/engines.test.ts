import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { Redis } from 'ioredis'
import { forEachEngine } from '../../../test/support/engines.ts'
import { startRedis } from '../../../test/support/redis.ts'
import { sharedSqs } from '../../../test/support/sqs.ts'
import { isAppError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import { systemClock } from '../../base/time.ts'
import { adminOf } from '../../storage/admin.ts'
import { openTransport } from '../open-transport.ts'
import type { Ticket, Transport, TransportHandler } from '../transport.ts'
import { openSqs } from './sqs.ts'
import { bundle, parseMessage, TICKETS_PER_MESSAGE } from './ticket-message.ts'

const WAIT_MS = 20_000
/** On a busy machine each try to connect may take its whole time; a quick one waits no longer for this. */
const RESTART_MS_MAX = 60_000
const RESTARTS = 3
const DOWN_MS = 1_500

function tickets(count: number, tenantId = newId('tenant')): Ticket[] {
  return Array.from({ length: count }, () => ({ tenantId, jobId: newId('job') }))
}

/** Handles what it is given, and tells when it has seen so many different tickets. */
function gatherer() {
  const seen = new Map<string, number>()
  const wakes = new Set<() => void>()
  const handler: TransportHandler = async (some) => {
    for (const { jobId } of some) seen.set(jobId, (seen.get(jobId) ?? 0) + 1)
    for (const wake of wakes) wake()
  }
  const until = (count: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${seen.size} of ${count} came`)), WAIT_MS)
      const wake = (): void => {
        if (seen.size < count) return
        clearTimeout(timer)
        wakes.delete(wake)
        resolve()
      }
      wakes.add(wake)
      wake()
    })
  return { seen, handler, until }
}

async function waitFor(check: () => boolean | Promise<boolean>, withinMs = WAIT_MS): Promise<void> {
  const end = Date.now() + withinMs
  while (!(await check())) {
    if (Date.now() > end) throw new Error('it did not happen')
    await sleep(10)
  }
}

forEachEngine(({ name, open }) => {
  if (name === 'sqlite' || name === 'postgres') return
  describe(`tickets by ${name}`, () => {
    const use = async (
      work: (transport: Transport, engine: Awaited<ReturnType<typeof open>>) => Promise<void>,
    ) => {
      await using engine = await open()
      assert.ok(engine.transport)
      await work(engine.transport, engine)
    }

    it('delivers each ticket, many in one message', () =>
      use(async (transport) => {
        const { seen, handler, until } = gatherer()
        const sent = [...tickets(300), ...tickets(7)]
        await transport.send(sent)
        const consumer = await transport.consume(handler, { concurrency: 5 })
        await until(sent.length)
        assert.deepEqual(new Set(seen.keys()), new Set(sent.map(({ jobId }) => jobId)))
        assert.ok(consumer.lastPollAt() > Date.now() - WAIT_MS)
        await consumer.stop()
      }))

    it('shares messages between consumers, each taking no more at a time than it can do', () =>
      use(async (transport) => {
        const gate = Promise.withResolvers<void>()
        const all = gatherer()
        const inHand = [0, 0]
        const consumers = await Promise.all(
          [0, 1].map((n) =>
            transport.consume(
              async (some) => {
                inHand[n] = (inHand[n] ?? 0) + 1
                await gate.promise
                await all.handler(some)
              },
              { concurrency: 2 },
            ),
          ),
        )
        await transport.send(tickets(8))
        await waitFor(() => inHand[0] === 2 && inHand[1] === 2)
        // It has its hands full, and that is not silence.
        assert.ok(consumers.every((consumer) => consumer.lastPollAt() > Date.now() - 100))
        gate.resolve()
        await all.until(8)
        await Promise.all(consumers.map((consumer) => consumer.stop()))
      }))

    it('delivers again what a handler could not look at, and what was in hand when it stopped', () =>
      use(async (transport) => {
        await transport.send(tickets(1))
        let tries = 0
        const first = await transport.consume(
          () => {
            tries += 1
            return tries === 1 ? Promise.reject(new Error('not now')) : new Promise(() => undefined)
          },
          { concurrency: 1 },
        )
        await waitFor(() => tries === 2)
        await first.stop()
        const { handler, until } = gatherer()
        const second = await transport.consume(handler, { concurrency: 1 })
        await until(1)
        await second.stop()
      }))

    it('forgets tickets in a flush, and takes new ones', () =>
      use(async (transport, engine) => {
        await transport.send(tickets(5))
        await engine.flush()
        const { seen, handler, until } = gatherer()
        const consumer = await transport.consume(handler, { concurrency: 2 })
        const [later] = tickets(1)
        assert.ok(later)
        await transport.send([later])
        await until(1)
        assert.deepEqual([...seen.keys()], [later.jobId])
        await consumer.stop()
      }))

    it('finds nothing wrong that stops it', () =>
      use(async (transport) => {
        const findings = await transport.check()
        assert.ok(findings.length > 0)
        assert.deepEqual(
          findings.filter(({ status }) => status === 'failed'),
          [],
        )
      }))

    if (name === 'pg-boss') {
      it('sets a poisoned message aside', () =>
        use(async (transport, { db }) => {
          const text =
            "insert into pgboss.job (name, data, retry_limit) values ('agent-factory-tickets', '{\"tickets\": 7}', 0)"
          await adminOf(db).session((session) => session.script(text))
          const { handler, until } = gatherer()
          const consumer = await transport.consume(handler, { concurrency: 1 })
          await transport.send(tickets(1))
          await until(1)
          await consumer.stop()
          const left = await adminOf(db).session((session) =>
            session.rows("select state::text as state from pgboss.job where data->>'tickets' = '7'"),
          )
          assert.deepEqual(left, [{ state: 'failed' }])
        }))

      it('sends in the transaction that marks the jobs, or not at all', () =>
        use(async (transport, { db }) => {
          const { seen, handler, until } = gatherer()
          const consumer = await transport.consume(handler, { concurrency: 2 })
          const lost = db.system.write(async (tx) => {
            await transport.sendIn?.(tx, tickets(3))
            throw new Error('rolled back')
          })
          await assert.rejects(lost, /rolled back/)
          const kept = tickets(2)
          await db.system.write(async (tx) => transport.sendIn?.(tx, kept))
          await until(2)
          assert.deepEqual(new Set(seen.keys()), new Set(kept.map(({ jobId }) => jobId)))
          await consumer.stop()
        }))
    }
  })
})

describe('tickets by BullMQ on a Redis of its own', () => {
  const open = (redisUrl: string) => openTransport({ engine: 'bullmq', redisUrl })

  it('goes on after a restart of Redis; meanwhile sending fails and the last poll grows old', async () => {
    await using redis = await startRedis()
    await using transport = await open(redis.url)
    const { seen, handler, until } = gatherer()
    const consumer = await transport.consume(handler, { concurrency: 2 })
    await transport.send(tickets(1))
    await until(1)
    await redis.kill()
    await assert.rejects(transport.send(tickets(1)))
    const silent = consumer.lastPollAt()
    await sleep(DOWN_MS)
    assert.ok(consumer.lastPollAt() <= silent + 200, 'nobody answered')
    await redis.start()
    // As the relay does: a ticket that was lost while connections came back is followed by another.
    await waitFor(async () => {
      await transport.send(tickets(1)).catch(() => undefined)
      return seen.size > 1
    }, RESTART_MS_MAX)
    assert.ok(consumer.lastPollAt() > silent)
    // Again and again: BullMQ sometimes never waits on its closed connection any more, and says nothing.
    for (let round = 0; round < RESTARTS; round++) {
      await redis.kill()
      await assert.rejects(transport.send(tickets(1)))
      await sleep(DOWN_MS)
      await redis.start()
      const before = seen.size
      await waitFor(async () => {
        await transport.send(tickets(1)).catch(() => undefined)
        return seen.size > before
      }, RESTART_MS_MAX)
    }
    await consumer.stop()
  })

  it('takes messages again after a flush under its hands', async () => {
    await using redis = await startRedis()
    await using transport = await open(redis.url)
    const gate = Promise.withResolvers<void>()
    const { handler, until } = gatherer()
    const begun = Promise.withResolvers<void>()
    const consumer = await transport.consume(
      async (some) => {
        begun.resolve()
        await gate.promise
        await handler(some)
      },
      { concurrency: 1 },
    )
    await transport.send(tickets(1))
    await begun.promise
    await redis.flush()
    gate.resolve()
    await until(1)
    await transport.send(tickets(1))
    await until(2)
    await consumer.stop()
  })

  it('lets a poisoned message fall', async () => {
    await using redis = await startRedis()
    const errors: unknown[] = []
    await using transport = await openTransport(
      { engine: 'bullmq', redisUrl: redis.url },
      { onError: (error) => errors.push(error) },
    )
    const { Queue } = await import('bullmq')
    const connection = new Redis(redis.url, { maxRetriesPerRequest: null })
    const queue = new Queue('tickets', { connection, prefix: 'agent-factory' })
    await queue.add('tickets', { tickets: [['no tenant', 7]] })
    const { seen, handler, until } = gatherer()
    const consumer = await transport.consume(handler, { concurrency: 1 })
    await transport.send(tickets(1))
    await until(1)
    assert.equal(seen.size, 1)
    assert.match(String(errors[0]), /holds no tickets/)
    await consumer.stop()
    await queue.close()
    connection.disconnect()
  })

  it('says what a wrong eviction policy and a missing append-only file would do', async () => {
    await using redis = await startRedis(['--maxmemory-policy', 'allkeys-lru'])
    await using transport = await open(redis.url)
    const findings = new Map((await transport.check()).map((finding) => [finding.name, finding]))
    assert.equal(findings.get('redis version')?.status, 'ok')
    assert.equal(findings.get('redis eviction')?.status, 'warning')
    assert.match(findings.get('redis eviction')?.message ?? '', /allkeys-lru.*throws away tickets/)
    assert.equal(findings.get('redis persistence')?.status, 'warning')
  })
})

describe('tickets by SQS', () => {
  it('sends again what a batch was not taken of, and gives up in the end', async () => {
    const server = await sharedSqs()
    const { url, name } = server.createQueue()
    const real = SQSClient.prototype.send
    let refused = 0
    let refuse = 2
    // The real client and server: only the answer to a batch is changed, as SQS gives it under load.
    SQSClient.prototype.send = async function (
      this: SQSClient,
      command: SendMessageBatchCommand,
      ...rest: never[]
    ) {
      if (!(command instanceof SendMessageBatchCommand) || refuse-- <= 0)
        return Reflect.apply(real, this, [command, ...rest])
      const [first, ...others] = command.input.Entries ?? []
      refused += 1
      const input = { ...command.input, Entries: others }
      if (others.length > 0) await Reflect.apply(real, this, [new SendMessageBatchCommand(input)])
      return { Failed: [{ Id: first?.Id, Code: 'ServiceUnavailable', SenderFault: false }] }
    } as typeof real
    try {
      await using transport = await openTransport({ engine: 'sqs', queueUrl: url, ...server })
      await transport.send(tickets(12))
      assert.equal(refused, 2)
      const ready = server.inside.inspectQueue(name)?.messages.ready ?? []
      const bodies = ready.flatMap(({ body }) => parseMessage(body) ?? [])
      assert.equal(new Set(bodies.map(({ jobId }) => jobId)).size, 12)
      refuse = 1_000
      await assert.rejects(transport.send(tickets(1)), /refused/)
    } finally {
      SQSClient.prototype.send = real
    }
  })

  it('keeps a message hidden for as long as its handler waits', async () => {
    const server = await sharedSqs()
    const { url } = server.createQueue()
    const options = { clock: systemClock, onError: () => undefined, visibilitySeconds: 1, extendMs: 200 }
    await using transport = await openSqs({ ...options, ...server, queueUrl: url })
    let begun = 0
    const gate = Promise.withResolvers<void>()
    const handler: TransportHandler = async () => {
      begun += 1
      await gate.promise
    }
    const consumers = [
      await transport.consume(handler, { concurrency: 1 }),
      await transport.consume(handler, { concurrency: 1 }),
    ]
    await transport.send(tickets(1))
    await waitFor(() => begun === 1)
    await sleep(1_800)
    assert.equal(begun, 1)
    gate.resolve()
    await Promise.all(consumers.map((consumer) => consumer.stop()))
  })

  it('names the tenant as the message group, and leaves what it cannot read to the dead-letter queue', async () => {
    const server = await sharedSqs()
    const dead = server.createQueue()
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: '2' })
    const queue = server.createQueue({ RedrivePolicy })
    const errors: unknown[] = []
    const options = {
      clock: systemClock,
      onError: (error: unknown) => errors.push(error),
      visibilitySeconds: 1,
    }
    await using transport = await openSqs({ ...options, ...server, queueUrl: queue.url })
    const [one] = tickets(1)
    const [other] = tickets(1)
    assert.ok(one && other)
    // The server of the tests forgets the group on a standard queue, so it is read from the request.
    const groups = new Map<string | undefined, readonly Ticket[] | undefined>()
    const real = SQSClient.prototype.send
    SQSClient.prototype.send = function (
      this: SQSClient,
      command: SendMessageBatchCommand,
      ...rest: never[]
    ) {
      for (const { MessageGroupId, MessageBody } of command.input.Entries ?? [])
        groups.set(MessageGroupId, parseMessage(MessageBody))
      return Reflect.apply(real, this, [command, ...rest])
    } as typeof real
    await transport.send([one, other]).finally(() => {
      SQSClient.prototype.send = real
    })
    assert.deepEqual(
      groups,
      new Map([
        [one.tenantId, [one]],
        [other.tenantId, [other]],
      ]),
    )
    server.inside.sendMessage(queue.name, 'poison')
    const { handler, until } = gatherer()
    const consumer = await transport.consume(handler, { concurrency: 3 })
    await until(2)
    await waitFor(() => server.inside.inspectQueue(dead.name)?.messages.ready.length === 1)
    assert.match(String(errors[0]), /holds no tickets/)
    await consumer.stop()
    const findings = new Map((await transport.check()).map((finding) => [finding.name, finding]))
    assert.match(findings.get('sqs dead-letter queue')?.message ?? '', /maxReceiveCount is 2/)
  })

  it('a ticket that is issued again comes again, on a FIFO queue as well', async () => {
    const server = await sharedSqs()
    const { url } = server.createQueue({ FifoQueue: 'true' })
    await using transport = await openTransport({ engine: 'sqs', queueUrl: url, ...server })
    const { seen, handler } = gatherer()
    const consumer = await transport.consume(handler, { concurrency: 2 })
    const sent = tickets(3)
    await transport.send(sent)
    await waitFor(() => seen.size === 3)
    await transport.send(sent)
    await waitFor(() => [...seen.values()].every((times) => times === 2))
    await consumer.stop()
    const findings = new Map((await transport.check()).map((finding) => [finding.name, finding]))
    assert.match(findings.get('sqs queue')?.message ?? '', /FIFO/)
    assert.equal(findings.get('sqs dead-letter queue')?.status, 'warning')
  })
})

describe('engines that cannot be used', () => {
  const unavailable = (error: unknown): boolean =>
    isAppError(error, 'engine.unavailable') && !/\n|secret/.test(error.message)

  it('say what to do', async () => {
    const redis = openTransport({ engine: 'bullmq', redisUrl: 'redis://:secret@127.0.0.1:1' })
    await assert.rejects(redis, unavailable)
    const url = 'http://127.0.0.1:1/000000000000/none'
    const credentials = { accessKeyId: 'a', secretAccessKey: 'secret' }
    const sqs = openTransport({
      engine: 'sqs',
      queueUrl: url,
      endpoint: 'http://127.0.0.1:1',
      region: 'us-east-1',
      credentials,
    })
    await assert.rejects(sqs, unavailable)
    const boss = openTransport({ engine: 'pg-boss', databaseUrl: 'postgres://me:secret@127.0.0.1:1/none' })
    await assert.rejects(boss, unavailable)
  })
})

describe('messages of tickets', () => {
  it('are few for a backlog and many for a handful', () => {
    assert.equal(bundle(tickets(3)).length, 3)
    assert.equal(bundle(tickets(64)).length, 16)
    assert.ok(bundle(tickets(1_000)).every((some) => some.length <= TICKETS_PER_MESSAGE))
    assert.equal(bundle(tickets(1_000)).flat().length, 1_000)
    assert.deepEqual(bundle([]), [])
  })

  it('are read with suspicion', () => {
    const [ticket] = tickets(1)
    const good = { tickets: [[ticket?.tenantId, ticket?.jobId]] }
    assert.deepEqual(parseMessage(good), [ticket])
    assert.deepEqual(parseMessage(JSON.stringify(good)), [ticket])
    const bad = [
      undefined,
      null,
      7,
      '',
      '{',
      '[]',
      '{}',
      { tickets: 'x' },
      { tickets: [['a', 'b']] },
      { tickets: [[1]] },
    ]
    for (const body of [...bad, { tickets: [[ticket?.jobId, ticket?.tenantId]] }, 'x'.repeat(1_000_000)])
      assert.equal(parseMessage(body), undefined)
  })
})
