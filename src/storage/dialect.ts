// What the two databases say differently, as small functions for statements: everything else is one SQL text.

import {
  type AliasableExpression,
  type Expression,
  type RawBuilder,
  type SelectQueryBuilder,
  type SqlBool,
  sql,
} from 'kysely'
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

/**
 * Makes those who lock the same text stand in line until the transaction ends: for what two transactions must not miss
 * of each other while neither has a row to lock. SQLite has one writer and needs no lock.
 */
export function lockText(dialect: Dialect, text: string): AliasableExpression<string | null> {
  return dialect === 'sqlite'
    ? sql<string | null>`null`
    : sql<string | null>`(pg_advisory_xact_lock(hashtextextended(${text}::text, 0))::text)`
}

/** Locks the rows that a select finds against other lockers, not against who refers to them; skips those that others hold. */
export function forNoKeyUpdateSkipLocked(
  dialect: Dialect,
): <T extends keyof Tables, O>(query: SelectQueryBuilder<Tables, T, O>) => SelectQueryBuilder<Tables, T, O> {
  return (query) => (dialect === 'sqlite' ? query : query.forNoKeyUpdate().skipLocked())
}

/** Like `forNoKeyUpdateSkipLocked`, but waits for who holds them. */
export function forNoKeyUpdate(
  dialect: Dialect,
): <T extends keyof Tables, O>(query: SelectQueryBuilder<Tables, T, O>) => SelectQueryBuilder<Tables, T, O> {
  return (query) => (dialect === 'sqlite' ? query : query.forNoKeyUpdate())
}

/** The texts of a JSON array, bound as one value or in a column, for `where('id', 'in', …)`. */
export function textsOf<T extends string>(
  dialect: Dialect,
  array: string | Expression<string>,
): Expression<T> {
  return dialect === 'sqlite'
    ? sql<T>`(select value from json_each(${array}))`
    : sql<T>`(select jsonb_array_elements_text(${array}::jsonb))`
}

/**
 * The condition that a column is one of the texts of a JSON array. It is a filter, never a join: the order of the index
 * that finds the rows stays, and a limit stops early.
 */
export function isOneOf(dialect: Dialect, column: Expression<string>, array: string): Expression<SqlBool> {
  return dialect === 'sqlite'
    ? sql<SqlBool>`(${column} in (select value from json_each(${array})))`
    : sql<SqlBool>`(${column} = any (array(select jsonb_array_elements_text(${array}::jsonb))))`
}

/** The elements of a JSON array that is bound as one value, each in the column `value`. */
export function elementsOf(dialect: Dialect, array: string): RawBuilder<{ value: string }> {
  return dialect === 'sqlite'
    ? sql<{ value: string }>`json_each(${array})`
    : sql<{ value: string }>`jsonb_array_elements(${array}::jsonb)`
}
