// What the two databases say differently, as small functions for statements: everything else is one SQL text.

import { type Expression, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import type { Dialect } from './schema/dialect.ts'
import type { Tables } from './statement.ts'

/** The number of the writing transaction, for `events.txId`. SQLite has one writer, so there it is 0. */
export function currentTransactionId(dialect: Dialect): Expression<number> {
  return dialect === 'sqlite' ? sql<number>`0` : sql<number>`(pg_current_xact_id()::text::bigint)`
}

/**
 * The condition that an event may be read by a cursor: its transaction is older than every one that still runs.
 * Postgres gives out `seq` before the commit, so that without it a reader would step over a row that commits late.
 */
export function visibleEvents(dialect: Dialect): Expression<SqlBool> {
  return dialect === 'sqlite'
    ? sql<SqlBool>`(1 = 1)`
    : sql<SqlBool>`("tx_id" < pg_snapshot_xmin(pg_current_snapshot())::text::bigint)`
}

/** Locks the rows that a select finds and skips those that others hold. SQLite has one writer and needs no lock. */
export function forUpdateSkipLocked(
  dialect: Dialect,
): <T extends keyof Tables, O>(query: SelectQueryBuilder<Tables, T, O>) => SelectQueryBuilder<Tables, T, O> {
  return (query) => (dialect === 'sqlite' ? query : query.forUpdate().skipLocked())
}

/** Locks the rows that a select finds until the transaction ends. SQLite has one writer and needs no lock. */
export function forUpdate(
  dialect: Dialect,
): <T extends keyof Tables, O>(query: SelectQueryBuilder<Tables, T, O>) => SelectQueryBuilder<Tables, T, O> {
  return (query) => (dialect === 'sqlite' ? query : query.forUpdate())
}
