// Statements: SQL written once with Kysely, compiled once per database, executed prepared, checked for its tenant.

import type { Compilable, Generated, Kysely } from 'kysely'
import type { TenantId } from '../base/ids.ts'
import type { Dialect } from './schema/dialect.ts'
import type { GeneratedColumn } from './schema/table.ts'
import type { RowOf, TABLES, TableName } from './schema/tables.ts'

/** What Kysely sees: camelCase tables and columns; the database has them in snake_case. */
export type Tables = {
  readonly [N in TableName]: {
    readonly [C in keyof RowOf<N>]: C extends keyof (typeof TABLES)[N]['columns']
      ? (typeof TABLES)[N]['columns'][C] extends GeneratedColumn
        ? Generated<RowOf<N>[C]>
        : RowOf<N>[C]
      : never
  }
}

/** Stands for the values while a statement is built: `p.id` is the place where the id will be bound. */
export type Bind<P> = { readonly [K in keyof P]: P[K] } & { readonly tenantId: TenantId }
export type SystemBind<P> = { readonly [K in keyof P]: P[K] }

/** A query built on the spot, within a tenant. */
export type Query<R> = (db: Kysely<Tables>, tenantId: TenantId) => Compilable<R>

/** A statement of one tenant: every tenant table in it is bound to the scope's tenant, or it does not compile. */
export interface Statement<P, R> {
  readonly kind: 'tenant'
  readonly name: string
  readonly build: (db: Kysely<Tables>, bind: Bind<P>, dialect: Dialect) => Compilable<R>
}

/** A statement across tenants, with the reason why it may be. */
export interface SystemStatement<P, R> {
  readonly kind: 'system'
  readonly name: string
  readonly reason: string
  readonly build: (db: Kysely<Tables>, bind: SystemBind<P>, dialect: Dialect) => Compilable<R>
}

/**
 * Declares a statement: `statement('runs.get', (db, p: Bind<{ id: RunId }>) => db.selectFrom('runs')
 * .selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id))`. The name is unique: Postgres prepares by it.
 */
export function statement<P, R>(name: string, build: Statement<P, R>['build']): Statement<P, R> {
  return { kind: 'tenant', name, build }
}

/** Declares a statement that crosses tenants; `reason` says in a few words why that is right. */
export function systemStatement<P, R>(
  name: string,
  reason: string,
  build: SystemStatement<P, R>['build'],
): SystemStatement<P, R> {
  return { kind: 'system', name, reason, build }
}
