// The port to an engine that carries tickets. A ticket says that a job may be claimed, nothing more: it may be lost,
// doubled, late or out of order, and the job's row decides. What is not ticketed in time is ticketed again.

import type { JobId, TenantId } from '../base/ids.ts'
import type { SystemTransaction } from '../storage/database.ts'

export const ENGINES = ['database', 'memory', 'pg-boss', 'bullmq', 'sqs'] as const
/** `database`: no tickets; workers ask the jobs table itself, on SQLite or Postgres. */
export type EngineName = (typeof ENGINES)[number]

export interface Ticket {
  readonly tenantId: TenantId
  readonly jobId: JobId
}

/**
 * Takes the tickets of one message. Resolves once each was claimed, or found to be of no use: the message is then
 * acknowledged. Rejects where nothing could be looked at: it is delivered again. It may take long (the worker is full):
 * the engine must keep the message hidden meanwhile.
 */
export type TransportHandler = (tickets: readonly Ticket[]) => Promise<void>

export interface Consumer {
  /** When the engine last answered a request for messages, with some or with none. */
  lastPollAt(): number
  /** Takes no more messages; resolves when those in hand were handled or given back. */
  stop(): Promise<void>
}

/** What an operator should know of an engine, for `worker doctor`. */
export interface EngineFinding {
  readonly name: string
  readonly status: 'ok' | 'warning' | 'failed'
  readonly message: string
}

export interface Transport extends AsyncDisposable {
  readonly engine: Exclude<EngineName, 'database'>
  /** Sends each ticket at least once, or throws. May put several tickets in one message. */
  send(tickets: readonly Ticket[]): Promise<void>
  /**
   * Sends within the transaction that marks the jobs as ticketed: there only where the engine lives in that database.
   * `send` is not called then.
   */
  readonly sendIn?: (tx: SystemTransaction, tickets: readonly Ticket[]) => Promise<void>
  /** Begins to take messages, at most `concurrency` of them at a time. */
  consume(handler: TransportHandler, options: { readonly concurrency: number }): Promise<Consumer>
  check(): Promise<readonly EngineFinding[]>
}
