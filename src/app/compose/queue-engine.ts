// The engine that carries tickets, as the settings name it, and the relay that sends them. Its package is loaded only then.

import type { Clock } from '../../base/time.ts'
import type { Logger } from '../../operations/logging/logger.ts'
import type { TransportConfig } from '../../queue/open-transport.ts'
import { createRelay, type Relay } from '../../queue/relay.ts'
import type { Transport } from '../../queue/transport.ts'
import type { Database } from '../../storage/database.ts'
import { databaseUrl } from '../database-url.ts'
import type { Settings } from '../settings.ts'

/** What the settings say of the engine; undefined where workers ask the database. */
export function transportConfig({ jobQueue, database, aws }: Settings): TransportConfig | undefined {
  switch (jobQueue.engine) {
    case 'database':
      return undefined
    case 'memory':
      return { engine: 'memory' }
    case 'pg-boss':
      return { engine: 'pg-boss', databaseUrl: databaseUrl(database) }
    case 'bullmq':
      return { engine: 'bullmq', redisUrl: jobQueue.redisUrl.reveal() }
    case 'sqs': {
      const { credentials } = aws
      return {
        engine: 'sqs',
        queueUrl: jobQueue.queueUrl,
        region: jobQueue.region ?? aws.region,
        endpoint: jobQueue.endpoint,
        credentials: credentials && {
          accessKeyId: credentials.accessKeyId,
          secretAccessKey: credentials.secretAccessKey.reveal(),
          sessionToken: credentials.sessionToken?.reveal(),
        },
      }
    }
    default:
      return jobQueue satisfies never
  }
}

/** Opens the engine. Throws `engine.unavailable` with one line where it cannot be used. */
export async function openEngine(
  settings: Settings,
  { clock, log }: { readonly clock: Clock; readonly log: Pick<Logger, 'warn'> },
): Promise<Transport | undefined> {
  const config = transportConfig(settings)
  if (config === undefined) return undefined
  if (config.engine === 'memory') warnOfMemory(settings, log)
  const { openTransport } = await import('../../queue/open-transport.ts')
  const onError = (error: unknown): void => log.warn('the queue engine', { engine: config.engine, error })
  return openTransport(config, { clock, onError })
}

/** The relay of this process; undefined where no engine carries tickets. */
export function openRelay(
  transport: Transport | undefined,
  { db, clock, log, settings, ticketTtlMs }: RelayParts,
): Relay | undefined {
  // What is sent in memory reaches this process only: without a worker in it nobody would take the tickets.
  if (transport === undefined || !sends(settings)) return undefined
  const tenantCap = settings.tenantConcurrency
  const failed = (error: unknown): void => log.error('tickets could not be sent', { error })
  return createRelay({ db, clock, transport, tenantCap, ticketTtlMs, observer: { failed } })
}

interface RelayParts {
  readonly db: Database
  readonly clock: Clock
  readonly log: Logger
  readonly settings: Settings
  readonly ticketTtlMs?: number | undefined
}

function sends({ jobQueue, workerConcurrency }: Settings): boolean {
  return jobQueue.engine !== 'memory' || workerConcurrency > 0
}

function warnOfMemory({ profile }: Settings, log: Pick<Logger, 'warn'>): void {
  if (!profile.needsDatabaseUrl) return
  log.warn('JOB_QUEUE_URL=memory: reaches one process only: unset it, or use Redis, SQS or pg-boss', {
    profile: profile.name,
  })
}
