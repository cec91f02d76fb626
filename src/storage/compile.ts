// Compiles statements: build the tree once per database, check it, write its SQL. It executes nothing.

import {
  type CompiledQuery,
  type DatabaseConnection,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  type QueryCompiler,
  type RootOperationNode,
  SqliteAdapter,
} from 'kysely'
import type { TenantId } from '../base/ids.ts'
import { Marker, markers } from './marker.ts'
import { queryText, type Slot } from './query-text.ts'
import type { Dialect } from './schema/dialect.ts'
import type { Query, Statement, SystemStatement, Tables } from './statement.ts'
import { checkSystem, checkTenant } from './tenant-guard.ts'

/** A statement as a database takes it. */
export interface Compiled {
  readonly name: string
  readonly sql: string
  readonly slots: readonly Slot[]
  /** Whether it changes rows: then only a transaction may run it. */
  readonly writes: boolean
}

/** What can be bound. */
export type Value = string | number | bigint | null

export interface Compiler {
  readonly dialect: Dialect
  /** Throws where the statement is of the other kind, leaves its tenant, or shares its name with another one. */
  tenant<P, R>(statement: Statement<P, R>): Compiled
  system<P, R>(statement: SystemStatement<P, R>): Compiled
  query<R>(build: Query<R>, tenantId: TenantId): Compiled
}

/** Compiles for one database. Callers keep the results: compiling costs as much as executing ten times. */
export function createCompiler(dialect: Dialect): Compiler {
  const db = createBuilder(dialect)
  const named = new Map<string, object>()
  const claim = (statement: { readonly name: string; readonly kind: string }, kind: string): void => {
    if (statement.kind !== kind) {
      throw new Error(
        `The statement "${statement.name}" is a ${statement.kind} statement; a ${kind} scope cannot run it.`,
      )
    }
    const other = named.get(statement.name)
    if (other !== undefined && other !== statement)
      throw new Error(`Two statements have the name "${statement.name}".`)
    named.set(statement.name, statement)
  }
  return {
    dialect,
    tenant: (statement) => {
      claim(statement, 'tenant')
      const { query, queryId } = treeOf(statement.name, () => statement.build(db, markers(), dialect))
      checkTenant(statement.name, query, (value) => value instanceof Marker && value.name === 'tenantId')
      return { name: statement.name, writes: writes(query), ...queryText(dialect, query, queryId, true) }
    },
    system: (statement) => {
      claim(statement, 'system')
      const { query, queryId } = treeOf(statement.name, () => statement.build(db, markers(), dialect))
      checkSystem(statement.name, statement.reason, query)
      return { name: statement.name, writes: writes(query), ...queryText(dialect, query, queryId, true) }
    },
    query: (build, tenantId) => {
      const { query, queryId } = treeOf('a query', () => build(db, tenantId))
      checkTenant('a query', query, (value) => value === tenantId)
      return { name: '', writes: writes(query), ...queryText(dialect, query, queryId, false) }
    },
  }
}

/**
 * The values of a statement's places, in order. `tenantId` is the scope's, whatever the parameters say; a value
 * that is not given, or that a database does not take (a boolean, a date, an object), is a mistake of the caller.
 */
export function bindValues(compiled: Compiled, params: unknown, tenantId: TenantId | undefined): Value[] {
  const { slots } = compiled
  const values = new Array<Value>(slots.length)
  const given = params as Readonly<Record<string, unknown>>
  for (let i = 0; i < values.length; i++) {
    const slot = slots[i] as Slot
    let value: unknown
    if ('constant' in slot) value = slot.constant
    else value = slot.param === 'tenantId' && tenantId !== undefined ? tenantId : given[slot.param]
    if (!isValue(value)) throw unbindable(compiled, slot, value)
    values[i] = value
  }
  return values
}

/** Throws where a statement that changes rows is given to a reader. */
export function checkReads(compiled: Compiled): void {
  if (compiled.writes) {
    throw new Error(`The statement "${compiled.name || 'a query'}" changes rows: only a transaction runs it.`)
  }
}

function isValue(value: unknown): value is Value {
  const type = typeof value
  if (type === 'number') return Number.isFinite(value)
  return type === 'string' || type === 'bigint' || value === null
}

function unbindable(compiled: Compiled, slot: Slot, value: unknown): Error {
  const place = 'param' in slot ? `"${slot.param}"` : 'a constant'
  const what = Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : String(value)
  const name = compiled.name || 'a query'
  if (value === undefined)
    return new Error(`The statement "${name}" has no value for ${place}: null is said, not left out.`)
  return new Error(
    `The statement "${name}" cannot bind ${what} to ${place}: a text, a number, a bigint or null can be.`,
  )
}

/** Kysely as a builder only: its compiler keeps the tree, and nothing can be executed through it. */
function createBuilder(dialect: Dialect): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => (dialect === 'sqlite' ? new SqliteAdapter() : new PostgresAdapter()),
      createDriver: () => new RefusingDriver(),
      createQueryCompiler: () => keepTree,
      createIntrospector: () => {
        throw new Error('The query builder has no database.')
      },
    },
  })
}

const keepTree: QueryCompiler = {
  compileQuery: (query, queryId) => ({ query, queryId, sql: '', parameters: [] }),
}

class RefusingDriver extends DummyDriver {
  override acquireConnection(): Promise<DatabaseConnection> {
    return Promise.reject(
      new Error('A statement is built, not executed: give it to a reader or a transaction.'),
    )
  }
}

function treeOf(name: string, build: () => { compile(): CompiledQuery<unknown> }): CompiledQuery<unknown> {
  const compiled = build().compile()
  if (compiled?.query === undefined) throw new Error(`The statement "${name}" does not build a query.`)
  return compiled
}

function writes(root: RootOperationNode): boolean {
  if (root.kind !== 'SelectQueryNode') return true
  return root.with?.expressions.some(({ expression }) => expression.kind !== 'SelectQueryNode') ?? false
}
