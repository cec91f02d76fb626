// The tests' SQS: fauxqs in this process, spoken to over HTTP by the real AWS SDK.

import { randomBytes } from 'node:crypto'
import { DeleteQueueCommand, PurgeQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { type FauxqsServer, startFauxqs } from 'fauxqs'
import { startedOnce } from './shared-services.ts'

const REGION = 'us-east-1'
const ACCOUNT = '000000000000'
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' }

export interface SqsServer extends AsyncDisposable {
  readonly endpoint: string
  readonly region: string
  readonly credentials: typeof CREDENTIALS
  /** The server itself, to look into queues and to put messages there. */
  readonly inside: FauxqsServer
  /** Makes a queue of a random name, with `.fifo` at its end where it is one; answers its URL. */
  createQueue(attributes?: Readonly<Record<string, string>>): SqsQueue
  stop(): Promise<void>
}

export interface SqsQueue {
  readonly name: string
  readonly url: string
  readonly arn: string
}

/** The one that tests share; each makes queues of its own. */
export const sharedSqs = startedOnce(
  () => startSqs(),
  (server) => server.stop(),
)

export async function startSqs(): Promise<SqsServer> {
  const inside = await startFauxqs({ port: 0, logger: false, defaultRegion: REGION })
  const endpoint = `http://127.0.0.1:${inside.port}`
  const stop = (): Promise<void> => inside.stop()
  return {
    endpoint,
    region: REGION,
    credentials: CREDENTIALS,
    inside,
    createQueue: (attributes = {}) => {
      const fifo = attributes.FifoQueue === 'true'
      const name = `tickets-${randomBytes(6).toString('hex')}${fifo ? '.fifo' : ''}`
      const { queueArn } = inside.createQueue(name, { attributes: { ...attributes } })
      return { name, url: `${endpoint}/${ACCOUNT}/${name}`, arn: queueArn }
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Forgets what is in a queue. */
export function purgeQueue(server: SqsServer, url: string): Promise<void> {
  return ask(server, (client) => client.send(new PurgeQueueCommand({ QueueUrl: url })))
}

export function deleteQueue(server: SqsServer, url: string): Promise<void> {
  return ask(server, (client) => client.send(new DeleteQueueCommand({ QueueUrl: url })))
}

async function ask(server: SqsServer, request: (client: SQSClient) => Promise<unknown>): Promise<void> {
  const { endpoint, region, credentials } = server
  const client = new SQSClient({ endpoint, region, credentials })
  try {
    await request(client)
  } finally {
    client.destroy()
  }
}
