import type { TenantId } from '../../base/ids.ts'
import { counter, integer, integerOrNull, json, table, text, textOrNull } from './table.ts'

/**
 * The log. A reader's cursor is (txId, seq): on Postgres numbers are handed out before the commit, so a reader
 * takes only rows of transactions that all later ones come after; on SQLite, with one writer, txId is 0.
 */
export const events = table('events', {
  tenant: true,
  columns: {
    seq: counter(),
    txId: integer(),
    tenantId: text<TenantId>(),
    type: text(),
    runId: textOrNull(),
    /** The place of the event in its run, from 1, without a gap. */
    runSeq: integerOrNull(),
    /** Who did it: a user or key id, `system`, or a worker. */
    actor: text(),
    /** What it is about: the id of the run, agent, key … */
    subject: text(),
    /** 1 where the event is an audit fact: a change or a denial that somebody answers for. */
    audit: integer(),
    data: json(),
    requestId: textOrNull(),
    occurredAt: integer(),
  },
  primaryKey: ['seq'],
  indexes: [
    {
      name: 'events_by_run',
      columns: ['tenantId', 'runId', 'runSeq'],
      unique: true,
      where: 'run_id is not null',
    },
    { name: 'events_by_audit', columns: ['tenantId', 'seq'], where: 'audit = 1' },
    // The history of one thing.
    { name: 'events_by_subject', columns: ['tenantId', 'subject', 'seq'], where: 'audit = 1' },
  ],
})

export const idempotencyKeys = table('idempotency_keys', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    /** Who sent it and for which route: keys of two users never meet. */
    scope: text(),
    key: text(),
    /** SHA-256 of the request, so that a reused key with another body is refused. */
    fingerprint: text(),
    status: integer(),
    /** What was made; its answer is read afresh. */
    resourceId: text(),
    createdAt: integer(),
    expiresAt: integer(),
  },
  primaryKey: ['tenantId', 'scope', 'key'],
  indexes: [{ name: 'idempotency_keys_by_expiry', columns: ['expiresAt'] }],
  retained: 'expiresAt',
})
