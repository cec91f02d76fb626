// What `work` receives on Postgres: readers on the pool, transactions on one client, closed when the work ends.

import type { TenantId } from '../../base/ids.ts'
import { type Compiler, checkReads } from '../compile.ts'
import type { SystemReader, SystemTransaction, TenantReader, TenantTransaction } from '../database.ts'
import { registerPlainSql } from '../plain-sql.ts'
import type { Query, Statement, SystemStatement } from '../statement.ts'
import {
  allRows,
  changedRows,
  type PostgresStatement,
  plainRows,
  type Statements,
  type Target,
} from './execute.ts'

export interface Execution {
  readonly compiler: Compiler
  readonly statements: Statements
  readonly target: Target
}

/** The state of a transaction: why it takes no more statements, once one failed or it is over. */
export interface Unit extends Execution {
  refusal: unknown
}

export function createTenantReader(execution: Execution, tenantId: TenantId): TenantReader {
  const { compiler, statements, target } = execution
  const rows = async (statement: PostgresStatement, params: unknown): Promise<readonly unknown[]> => {
    checkReads(statement.compiled)
    return allRows(target, statement, params, tenantId)
  }
  return {
    tenantId,
    all: async <P, R>(statement: Statement<P, R>, params: P) =>
      (await rows(statements.tenant(statement), params)) as readonly R[],
    first: async <P, R>(statement: Statement<P, R>, params: P) =>
      (await rows(statements.tenant(statement), params))[0] as R | undefined,
    query: async <R>(build: Query<R>) =>
      (await rows(statements.once(compiler.query(build, tenantId)), undefined)) as readonly R[],
  }
}

export function createSystemReader({ statements, target }: Execution): SystemReader {
  const rows = async (statement: PostgresStatement, params: unknown): Promise<readonly unknown[]> => {
    checkReads(statement.compiled)
    return allRows(target, statement, params, undefined)
  }
  return {
    all: async <P, R>(statement: SystemStatement<P, R>, params: P) =>
      (await rows(statements.system(statement), params)) as readonly R[],
    first: async <P, R>(statement: SystemStatement<P, R>, params: P) =>
      (await rows(statements.system(statement), params))[0] as R | undefined,
  }
}

export function createTenantTransaction(unit: Unit, tenantId: TenantId): TenantTransaction {
  const { compiler, statements, target } = unit
  const rows = <R>(find: () => PostgresStatement, params: unknown): Promise<readonly R[]> =>
    inUnit(unit, async () => (await allRows(target, find(), params, tenantId)) as unknown as readonly R[])
  return {
    tenantId,
    run: (statement, params) =>
      inUnit(unit, () => changedRows(target, statements.tenant(statement), params, tenantId)),
    all: (statement, params) => rows(() => statements.tenant(statement), params),
    first: async <P, R>(statement: Statement<P, R>, params: P) =>
      (await rows<R>(() => statements.tenant(statement), params))[0],
    query: (build) => rows(() => statements.once(compiler.query(build, tenantId)), undefined),
  }
}

export function createSystemTransaction(unit: Unit): SystemTransaction {
  const { statements, target } = unit
  const rows = <R>(find: () => PostgresStatement, params: unknown): Promise<readonly R[]> =>
    inUnit(unit, async () => (await allRows(target, find(), params, undefined)) as unknown as readonly R[])
  const tx: SystemTransaction = {
    run: (statement, params) =>
      inUnit(unit, () => changedRows(target, statements.system(statement), params, undefined)),
    all: (statement, params) => rows(() => statements.system(statement), params),
    first: async <P, R>(statement: SystemStatement<P, R>, params: P) =>
      (await rows<R>(() => statements.system(statement), params))[0],
    forTenant: (tenantId) => createTenantTransaction(unit, tenantId),
  }
  registerPlainSql(tx, (text, values = []) => inUnit(unit, () => plainRows(target, text, values)))
  return tx
}

/** The first failure fails the transaction, also where `work` catches it: Postgres takes nothing after it. */
async function inUnit<T>(unit: Unit, work: () => Promise<T>): Promise<T> {
  if (unit.refusal !== undefined) throw unit.refusal
  try {
    return await work()
  } catch (error) {
    unit.refusal ??= error
    throw error
  }
}
