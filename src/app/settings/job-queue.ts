// Which engine carries the tickets of jobs, as REDIS_URL and JOB_QUEUE_URL say it, and the key that secrets are kept under.

import type { DatabaseSetting } from './parse-text.ts'
import type { Secret } from './secret.ts'
import { secret } from './secret.ts'

export type JobQueueSetting =
  /** The jobs table alone: workers ask the database. */
  | { readonly engine: 'database' }
  | { readonly engine: 'memory' }
  | { readonly engine: 'pg-boss' }
  | { readonly engine: 'bullmq'; readonly redisUrl: Secret }
  | SqsSetting

export interface SqsSetting {
  readonly engine: 'sqs'
  readonly queueUrl: string
  /** Where the SDK would not look by itself: a server that is not Amazon's. */
  readonly endpoint: string | undefined
  /** As the address of the queue tells it. */
  readonly region: string | undefined
}

/** Of AWS, by the SDK's own names. Absent, the SDK looks for itself: a profile, the role of the machine. */
export interface AwsSetting {
  readonly region: string | undefined
  readonly credentials:
    | {
        readonly accessKeyId: string
        readonly secretAccessKey: Secret
        readonly sessionToken: Secret | undefined
      }
    | undefined
}

export const JOB_QUEUE_FORMS =
  'https://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE, sqs://host:port/account/queue, pg-boss: (on the Postgres of DATABASE_URL) or memory:'
export const SECRET_KEY_BYTES_MIN = 32

const SQS_PATH = /^\/[\w-]{1,64}\/[\w-]{1,80}(\.fifo)?$/
const AWS_HOST = /^sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$/

/** `redis://…` or `rediss://…`, perhaps with a user, a password and the number of a database. */
export function parseRedisUrl(text: string): Secret | undefined {
  const url = URL.parse(text)
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '') return undefined
  return /^(\/\d{0,4})?$/.test(url.pathname) && url.hash === '' ? secret(text) : undefined
}

/** What JOB_QUEUE_URL names. */
export function parseJobQueueUrl(text: string): Exclude<JobQueueSetting, { engine: 'bullmq' }> | undefined {
  if (text === 'memory:') return { engine: 'memory' }
  if (text === 'pg-boss:') return { engine: 'pg-boss' }
  // Read as https, since addresses of other kinds are not taken apart alike.
  const local = text.startsWith('sqs://')
  const url = URL.parse(local ? text.replace('sqs:', 'http:') : text)
  if (url === null || (!local && url.protocol !== 'https:')) return undefined
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return undefined
  if (!SQS_PATH.test(url.pathname)) return undefined
  const [, region] = AWS_HOST.exec(url.hostname) ?? []
  const endpoint = region === undefined ? url.origin : undefined
  return { engine: 'sqs', queueUrl: url.href, endpoint, region }
}

/** JOB_QUEUE_URL where it is given, else REDIS_URL, else the database. */
export function jobQueueOf(
  named: Exclude<JobQueueSetting, { engine: 'bullmq' }> | undefined,
  redisUrl: Secret | undefined,
): JobQueueSetting {
  if (named !== undefined) return named
  return redisUrl === undefined ? { engine: 'database' } : { engine: 'bullmq', redisUrl }
}

/** The line that says why the two do not go together, or undefined. */
export function engineProblem(queue: JobQueueSetting, database: DatabaseSetting): string | undefined {
  if (queue.engine !== 'pg-boss' || database.engine === 'postgres') return undefined
  return 'JOB_QUEUE_URL="pg-boss:" needs a Postgres: set DATABASE_URL=postgres://…, or unset JOB_QUEUE_URL.'
}

/** A key of at least 32 bytes in hex or base64; the text stays as it was given. */
export function parseSecretKey(text: string): Secret | undefined {
  return secretKeyBytes(text) === undefined ? undefined : secret(text)
}

/** The bytes of a key's text; undefined where it is neither hex nor base64, or too short. */
export function secretKeyBytes(text: string): Uint8Array | undefined {
  const isHex = /^[0-9a-f]+$/i.test(text) && text.length % 2 === 0
  const isBase64 = /^[A-Za-z0-9+/_-]+={0,2}$/.test(text)
  if (!isHex && !isBase64) return undefined
  const bytes = new Uint8Array(Buffer.from(text, isHex ? 'hex' : 'base64'))
  return bytes.length >= SECRET_KEY_BYTES_MIN ? bytes : undefined
}
