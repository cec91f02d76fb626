// One unit of work inside the writer's transaction, and what its `work` receives: the transaction, closed
// again when the unit ends. The methods answer with settled promises, since SQLite is done when it returns.

import type { TenantId } from '../../base/ids.ts'
import type { SystemTransaction, TenantTransaction } from '../database.ts'
import type { Query, Statement, SystemStatement } from '../statement.ts'
import type { SqliteConnection } from './connection.ts'

/** The state that a unit's transactions (the system's and those narrowed to a tenant) share. */
export class Unit {
  readonly connection: SqliteConnection
  /** Why no more statements are taken: one failed, as on Postgres, or the unit is over. */
  refusal: unknown

  constructor(connection: SqliteConnection) {
    this.connection = connection
  }

  /** The first failure fails the unit, also where `work` catches it. */
  fail(error: unknown): Promise<never> {
    this.refusal ??= error
    return Promise.reject(error)
  }
}

export class SqliteTenantTransaction implements TenantTransaction {
  readonly tenantId: TenantId
  readonly #unit: Unit

  constructor(unit: Unit, tenantId: TenantId) {
    this.#unit = unit
    this.tenantId = tenantId
  }

  run<P>(statement: Statement<P, unknown>, params: P): Promise<number> {
    const unit = this.#unit
    if (unit.refusal !== undefined) return Promise.reject(unit.refusal)
    try {
      return Promise.resolve(unit.connection.tenant(statement).run(params, this.tenantId))
    } catch (error) {
      return unit.fail(error)
    }
  }

  all<P, R>(statement: Statement<P, R>, params: P): Promise<readonly R[]> {
    const unit = this.#unit
    if (unit.refusal !== undefined) return Promise.reject(unit.refusal)
    try {
      return Promise.resolve(unit.connection.tenant(statement).all(params, this.tenantId) as R[])
    } catch (error) {
      return unit.fail(error)
    }
  }

  first<P, R>(statement: Statement<P, R>, params: P): Promise<R | undefined> {
    const unit = this.#unit
    if (unit.refusal !== undefined) return Promise.reject(unit.refusal)
    try {
      return Promise.resolve(unit.connection.tenant(statement).first(params, this.tenantId) as R | undefined)
    } catch (error) {
      return unit.fail(error)
    }
  }

  query<R>(build: Query<R>): Promise<readonly R[]> {
    const unit = this.#unit
    if (unit.refusal !== undefined) return Promise.reject(unit.refusal)
    try {
      return Promise.resolve(unit.connection.query(build, this.tenantId, true))
    } catch (error) {
      return unit.fail(error)
    }
  }
}

export class SqliteSystemTransaction implements SystemTransaction {
  readonly #unit: Unit

  constructor(unit: Unit) {
    this.#unit = unit
  }

  run<P>(statement: SystemStatement<P, unknown>, params: P): Promise<number> {
    const unit = this.#unit
    if (unit.refusal !== undefined) return Promise.reject(unit.refusal)
    try {
      return Promise.resolve(unit.connection.system(statement).run(params, undefined))
    } catch (error) {
      return unit.fail(error)
    }
  }

  all<P, R>(statement: SystemStatement<P, R>, params: P): Promise<readonly R[]> {
    const unit = this.#unit
    if (unit.refusal !== undefined) return Promise.reject(unit.refusal)
    try {
      return Promise.resolve(unit.connection.system(statement).all(params, undefined) as R[])
    } catch (error) {
      return unit.fail(error)
    }
  }

  first<P, R>(statement: SystemStatement<P, R>, params: P): Promise<R | undefined> {
    const unit = this.#unit
    if (unit.refusal !== undefined) return Promise.reject(unit.refusal)
    try {
      return Promise.resolve(unit.connection.system(statement).first(params, undefined) as R | undefined)
    } catch (error) {
      return unit.fail(error)
    }
  }

  forTenant(tenantId: TenantId): TenantTransaction {
    return new SqliteTenantTransaction(this.#unit, tenantId)
  }
}
