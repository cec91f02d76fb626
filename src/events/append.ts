// The event log: appended in the transaction of the change that the event tells of. It derives nothing.

import type { TenantId } from '../base/ids.ts'
import type { JsonObject } from '../base/json.ts'
import type { EpochMs } from '../base/time.ts'
import type { AuditEventType, RunEventType } from '../contract/event.ts'
import { AUDITED_RUN_EVENTS } from '../contract/event.ts'
import type { TenantTransaction } from '../storage/database.ts'
import { currentTransactionId } from '../storage/dialect.ts'
import type { Bind } from '../storage/statement.ts'
import { statement } from '../storage/statement.ts'

export interface NewRunEvent {
  readonly type: RunEventType
  readonly runId: string
  /** The place in the run: the caller holds the run's row and counts. */
  readonly runSeq: number
  readonly actor: string
  readonly data: JsonObject
  readonly requestId?: string | undefined
  readonly at: EpochMs
}

/** A change or a denial: who, what, about what. `data` holds before and after without secrets. */
export interface AuditFact {
  readonly type: AuditEventType
  readonly actor: string
  /** The id of what was changed. */
  readonly subject: string
  readonly data: JsonObject
  readonly requestId?: string | undefined
  readonly at: EpochMs
}

export async function appendRunEvent(tx: TenantTransaction, event: NewRunEvent): Promise<void> {
  await tx.run(insertEvent, {
    type: event.type,
    runId: event.runId,
    runSeq: event.runSeq,
    actor: event.actor,
    subject: event.runId,
    audit: AUDITED_RUN_EVENTS.has(event.type) ? 1 : 0,
    data: JSON.stringify(event.data),
    requestId: event.requestId ?? null,
    occurredAt: event.at,
  })
}

export async function appendAudit(tx: TenantTransaction, fact: AuditFact): Promise<void> {
  await tx.run(insertEvent, {
    type: fact.type,
    runId: null,
    runSeq: null,
    actor: fact.actor,
    subject: fact.subject,
    audit: 1,
    data: JSON.stringify(fact.data),
    requestId: fact.requestId ?? null,
    occurredAt: fact.at,
  })
}

interface EventValues {
  readonly type: string
  readonly runId: string | null
  readonly runSeq: number | null
  readonly actor: string
  readonly subject: string
  readonly audit: number
  readonly data: string
  readonly requestId: string | null
  readonly occurredAt: EpochMs
}

const insertEvent = statement('events.append', (db, p: Bind<EventValues>, dialect) =>
  db.insertInto('events').values({
    txId: currentTransactionId(dialect),
    tenantId: p.tenantId as TenantId,
    type: p.type,
    runId: p.runId,
    runSeq: p.runSeq,
    actor: p.actor,
    subject: p.subject,
    audit: p.audit,
    data: p.data,
    requestId: p.requestId,
    occurredAt: p.occurredAt,
  }),
)
