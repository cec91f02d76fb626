// Executes compiled statements on a Postgres connection, prepared by name where the pooler allows it.

import { createHash } from 'node:crypto'
import type { ClientBase, Pool, QueryArrayConfig, QueryArrayResult } from 'pg'
import type { TenantId } from '../../base/ids.ts'
import { bindValues, type Compiled, type Compiler } from '../compile.ts'
import type { Statement, SystemStatement } from '../statement.ts'
import { postgresError } from './postgres-errors.ts'
import { type Cell, type RowShape, rowShape, TEXT_TYPES, toRow } from './rows.ts'

/** Postgres cuts names at 63 bytes. */
const NAME_CHARS_MAX = 62
const HASH_CHARS = 10

/** A statement ready for Postgres. */
interface Ready {
  readonly compiled: Compiled
  /** What Postgres prepares it as; undefined where it is not prepared. */
  readonly name: string | undefined
  shape: RowShape | undefined
}

export interface Statements {
  tenant<P, R>(statement: Statement<P, R>): Ready
  system<P, R>(statement: SystemStatement<P, R>): Ready
  /** A statement that is executed once. */
  once(compiled: Compiled): Ready
}

export type PostgresStatement = Ready
export type Target = Pool | ClientBase

/** Keeps what was compiled. `prepared` is off behind a pooler that gives each transaction another connection. */
export function createStatements(compiler: Compiler, prepared: boolean): Statements {
  const kept = new Map<object, Ready>()
  const keep = (statement: object, compile: () => Compiled): Ready => {
    const found = kept.get(statement)
    if (found !== undefined) return found
    const compiled = compile()
    const ready: Ready = { compiled, name: prepared ? preparedName(compiled) : undefined, shape: undefined }
    kept.set(statement, ready)
    return ready
  }
  return {
    tenant: (statement) => {
      if (statement.kind !== 'tenant') compiler.tenant(statement)
      return keep(statement, () => compiler.tenant(statement))
    },
    system: (statement) => {
      if (statement.kind !== 'system') compiler.system(statement)
      return keep(statement, () => compiler.system(statement))
    },
    once: (compiled) => ({ compiled, name: undefined, shape: undefined }),
  }
}

export async function allRows(
  target: Target,
  ready: Ready,
  params: unknown,
  tenantId: TenantId | undefined,
): Promise<Record<string, Cell>[]> {
  const { rows, fields } = await send(target, ready, params, tenantId)
  ready.shape ??= rowShape(fields)
  const shape = ready.shape
  return rows.map((cells) => toRow(shape, cells))
}

export async function changedRows(
  target: Target,
  ready: Ready,
  params: unknown,
  tenantId: TenantId | undefined,
): Promise<number> {
  return (await send(target, ready, params, tenantId)).rowCount ?? 0
}

/** Another program's SQL, with the types that `pg` gives: see `plain-sql.ts`. */
export async function plainRows(
  target: Target,
  text: string,
  values: readonly unknown[],
): Promise<{ rows: unknown[] }> {
  try {
    return await target.query(text, [...values])
  } catch (error) {
    throw postgresError('plain SQL', error)
  }
}

async function send(
  target: Target,
  { compiled, name }: Ready,
  params: unknown,
  tenantId: TenantId | undefined,
): Promise<QueryArrayResult<(string | null)[]>> {
  const values = bindValues(compiled, params, tenantId)
  const config: QueryArrayConfig = { text: compiled.sql, values, rowMode: 'array', types: TEXT_TYPES }
  if (name !== undefined) config.name = name
  try {
    return await target.query<(string | null)[]>(config)
  } catch (error) {
    throw postgresError(compiled.name, error)
  }
}

/** The statement's name and a hash of its text, so that two versions of the program share a pooler in peace. */
function preparedName({ name, sql }: Compiled): string {
  const hash = createHash('sha256').update(sql).digest('hex').slice(0, HASH_CHARS)
  return `${name.slice(0, NAME_CHARS_MAX - HASH_CHARS - 1)}_${hash}`
}
