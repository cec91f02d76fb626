// Tickets by Amazon SQS, or a server that speaks like it. The tenant is the message group: a standard queue is then fair
// among tenants, a FIFO queue keeps each tenant's order. Nothing is ever delayed there.

import { randomUUID } from 'node:crypto'
import type { Message, SQSClient } from '@aws-sdk/client-sqs'
import { waitBefore } from '../../storage/backoff.ts'
import type { Ticket, Transport } from '../transport.ts'
import { consumeFrom, type MessageSource } from './consume.ts'
import { type EngineOptions, loadPackage, unreachable } from './engine-options.ts'
import { checkQueue } from './sqs-checks.ts'
import { bundle, messageOf } from './ticket-message.ts'

/** SQS takes and gives so many messages in one request. */
const BATCH_MAX = 10
/** How long one request waits for a message. */
const WAIT_SECONDS = 5
/** How long a message stays hidden from others; it is extended while its handler waits. */
const VISIBILITY_SECONDS = 60
const EXTEND_MS = 20_000
const TRIES_MAX = 4
const BACKOFF = { firstMs: 50, mostMs: 1_000 }
const REQUESTS_AT_ONCE = 4

export interface SqsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export interface SqsOptions extends EngineOptions {
  readonly queueUrl: string
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
  /** Absent, the SDK looks for itself: a profile, the role of the machine. */
  readonly credentials?: SqsCredentials | undefined
  readonly visibilitySeconds?: number | undefined
  readonly extendMs?: number | undefined
}

type Sdk = typeof import('@aws-sdk/client-sqs')

interface Queue {
  readonly sdk: Sdk
  readonly client: SQSClient
  readonly url: string
  readonly fifo: boolean
}

/** Connects to the queue, which exists. Throws `engine.unavailable`. */
export async function openSqs(options: SqsOptions): Promise<Transport> {
  const queue = await connect(options)
  const consumers = new Set<{ stop(): Promise<void> }>()
  return {
    engine: 'sqs',
    send: (tickets) => send(queue, tickets),
    consume: async (handler, { concurrency }) => {
      const consumer = consumeFrom(createSource(queue, options), handler, { ...options, concurrency })
      consumers.add(consumer)
      return consumer
    },
    check: () => checkQueue(queue),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...consumers].map((consumer) => consumer.stop()))
      queue.client.destroy()
    },
  }
}

async function connect({ queueUrl, region, endpoint, credentials }: SqsOptions): Promise<Queue> {
  const sdk = await loadPackage('@aws-sdk/client-sqs', () => import('@aws-sdk/client-sqs'))
  const client = new sdk.SQSClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && {
      credentials: {
        accessKeyId: credentials.accessKeyId,
        secretAccessKey: credentials.secretAccessKey,
        ...(credentials.sessionToken !== undefined && { sessionToken: credentials.sessionToken }),
      },
    }),
  })
  try {
    await client.send(new sdk.GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }))
  } catch (error) {
    client.destroy()
    throw unreachable(`The SQS queue ${queueUrl}`, 'JOB_QUEUE_URL or the AWS settings', error)
  }
  return { sdk, client, url: queueUrl, fifo: queueUrl.endsWith('.fifo') }
}

/** One message group per tenant, so tenants never share a message. */
async function send({ sdk, client, url, fifo }: Queue, tickets: readonly Ticket[]): Promise<void> {
  const groups = [...Map.groupBy(tickets, ({ tenantId }) => tenantId)]
  const messages = groups.flatMap(([tenantId, some]) =>
    // A FIFO queue gives out one message of a group at a time: there nothing is won by spreading.
    bundle(some, fifo ? 1 : undefined).map((together) => ({
      MessageBody: JSON.stringify(messageOf(together)),
      MessageGroupId: tenantId,
      // Random: a ticket that is issued again is not the same message.
      ...(fifo && { MessageDeduplicationId: randomUUID() }),
    })),
  )
  await inBatches(messages, async (Entries) => {
    const { Failed = [] } = await client.send(new sdk.SendMessageBatchCommand({ QueueUrl: url, Entries }))
    return Failed
  })
}

function createSource(queue: Queue, options: SqsOptions): MessageSource<Message> {
  const { sdk, client, url } = queue
  const visibility = options.visibilitySeconds ?? VISIBILITY_SECONDS
  const receive = async (most: number, abortSignal: AbortSignal): Promise<Message[]> => {
    const command = new sdk.ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: Math.min(most, BATCH_MAX),
      WaitTimeSeconds: WAIT_SECONDS,
      VisibilityTimeout: visibility,
    })
    return (await client.send(command, { abortSignal })).Messages ?? []
  }
  const hide = (messages: readonly Message[], seconds: number): Promise<void> =>
    inBatches(handlesOf(messages), async (some) => {
      const Entries = some.map((entry) => ({ ...entry, VisibilityTimeout: seconds }))
      const command = new sdk.ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries })
      return (await client.send(command)).Failed ?? []
    })
  return {
    receive,
    bodyOf: ({ Body }) => Body,
    acknowledge: (messages) =>
      inBatches(handlesOf(messages), async (Entries) => {
        const command = new sdk.DeleteMessageBatchCommand({ QueueUrl: url, Entries })
        return (await client.send(command)).Failed ?? []
      }),
    release: (messages) => hide(messages, 0),
    keep: { everyMs: options.extendMs ?? EXTEND_MS, extend: (messages) => hide(messages, visibility) },
    // It comes again when its time is over, and the queue's redrive policy moves it to the dead-letter queue.
    refuse: async () => undefined,
    close: async () => undefined,
  }
}

function handlesOf(messages: readonly Message[]): { ReceiptHandle: string }[] {
  return messages.map(({ ReceiptHandle = '' }) => ({ ReceiptHandle }))
}

interface Failure {
  readonly Id: string | undefined
  readonly Code: string | undefined
  readonly Message?: string | undefined
  readonly SenderFault: boolean | undefined
}

/** Sends entries ten at a time; what SQS did not take of a batch is sent again. Throws where something is left. */
async function inBatches<E>(
  entries: readonly E[],
  request: (batch: (E & { Id: string })[]) => Promise<readonly Failure[]>,
): Promise<void> {
  const numbered = entries.map((entry, n) => ({ ...entry, Id: String(n) }))
  const batches: (typeof numbered)[] = []
  for (let from = 0; from < numbered.length; from += BATCH_MAX)
    batches.push(numbered.slice(from, from + BATCH_MAX))
  const work = async (): Promise<void> => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift())
      await untilTaken(batch, request)
  }
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, work))
}

async function untilTaken<E extends { Id: string }>(
  batch: readonly E[],
  request: (batch: E[]) => Promise<readonly Failure[]>,
): Promise<void> {
  let left = [...batch]
  for (let attempt = 1; left.length > 0; attempt++) {
    const failed = await request(left)
    const [first] = failed
    if (first === undefined) return
    const ids = new Set(failed.map(({ Id }) => Id))
    left = left.filter(({ Id }) => ids.has(Id))
    if (attempt === TRIES_MAX || failed.every(({ SenderFault }) => SenderFault === true))
      throw new Error(`SQS refused ${left.length} messages of a batch: ${first.Code} ${first.Message ?? ''}`)
    await waitBefore(attempt, BACKOFF)
  }
}
