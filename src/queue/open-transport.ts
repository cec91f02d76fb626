// Opens the engine that carries tickets. Each is loaded only when it is asked for.

import { type Clock, systemClock } from '../base/time.ts'
import { openBullmq } from './engines/bullmq.ts'
import { createMemoryTransport } from './engines/memory.ts'
import { openPgBoss } from './engines/pg-boss.ts'
import { openSqs, type SqsCredentials } from './engines/sqs.ts'
import type { Transport } from './transport.ts'

export type TransportConfig =
  | { readonly engine: 'memory' }
  | { readonly engine: 'pg-boss'; readonly databaseUrl: string }
  | { readonly engine: 'bullmq'; readonly redisUrl: string; readonly prefix?: string | undefined }
  | {
      readonly engine: 'sqs'
      readonly queueUrl: string
      readonly region?: string | undefined
      readonly endpoint?: string | undefined
      readonly credentials?: SqsCredentials | undefined
    }

export interface TransportOptions {
  readonly clock?: Clock
  /** Told of what went wrong with an engine that goes on: for the log. */
  readonly onError?: (error: unknown) => void
}

/** Throws `engine.unavailable`, with what to do, where a package is missing or the server cannot be reached. */
export async function openTransport(
  config: TransportConfig,
  { clock = systemClock, onError = () => undefined }: TransportOptions = {},
): Promise<Transport> {
  const options = { ...config, clock, onError }
  switch (options.engine) {
    case 'memory':
      return createMemoryTransport(options)
    case 'pg-boss':
      return openPgBoss(options)
    case 'bullmq':
      return openBullmq(options)
    case 'sqs':
      return openSqs(options)
    default:
      return options satisfies never
  }
}
