// What an operator should know of an SQS queue.

import type { SQSClient } from '@aws-sdk/client-sqs'
import type { EngineFinding } from '../transport.ts'
import { reasonOf } from './engine-options.ts'

const DLQ_HINT =
  'a message that cannot be read comes back until it is too old. Give the queue a redrive policy (maxReceiveCount 10 or more).'
/** A consumer dies now and then with a message in hand: fewer deliveries than this send good messages away. */
const RECEIVES_MIN = 5

export async function checkQueue(queue: {
  readonly sdk: typeof import('@aws-sdk/client-sqs')
  readonly client: SQSClient
  readonly url: string
}): Promise<readonly EngineFinding[]> {
  const { sdk, client, url } = queue
  try {
    const command = new sdk.GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] })
    const { Attributes = {} } = await client.send(command)
    return findings(Attributes)
  } catch (error) {
    return [{ name: 'sqs queue', status: 'failed', message: `SQS does not answer: ${reasonOf(error)}.` }]
  }
}

function findings(attributes: Readonly<Partial<Record<string, string>>>): readonly EngineFinding[] {
  const type = attributes.FifoQueue === 'true' ? 'FIFO' : 'standard'
  const delay = Number(attributes.DelaySeconds ?? 0)
  return [
    { name: 'sqs queue', status: 'ok', message: `A ${type} queue; the tenant is the message group.` },
    deadLetters(attributes.RedrivePolicy),
    {
      name: 'sqs visibility timeout',
      status: 'ok',
      message: `${attributes.VisibilityTimeout ?? '30'} s in the queue; workers ask for their own and extend it.`,
    },
    delay > 0
      ? {
          name: 'sqs delay',
          status: 'warning',
          message: `Every job starts ${delay} s late: set DelaySeconds to 0.`,
        }
      : { name: 'sqs delay', status: 'ok', message: 'No delay.' },
  ]
}

function deadLetters(policy: string | undefined): EngineFinding {
  const name = 'sqs dead-letter queue'
  if (policy === undefined || policy === '')
    return { name, status: 'warning', message: `None is configured: ${DLQ_HINT}` }
  const most = receivesOf(policy)
  if (most < RECEIVES_MIN)
    return {
      name,
      status: 'warning',
      message: `maxReceiveCount is ${most}: messages whose worker died go there unread. Set it to 10 or more.`,
    }
  return { name, status: 'ok', message: `Configured, after ${most} deliveries.` }
}

function receivesOf(policy: string): number {
  try {
    return Number(JSON.parse(policy).maxReceiveCount)
  } catch {
    return Number.NaN
  }
}
