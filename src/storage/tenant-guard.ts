// The tenant guard: no statement of a tenant compiles unless every tenant table in it is bound to the scope's tenant.
// It reads the query tree, never the text; what it cannot prove, it refuses. The compiler calls it.

import type {
  AggregateFunctionNode,
  DeleteQueryNode,
  FunctionNode,
  InsertQueryNode,
  JoinNode,
  OperationNode,
  RawNode,
  RootOperationNode,
  SelectQueryNode,
  UpdateQueryNode,
} from 'kysely'
import { snakeCase } from './identifiers.ts'
import { checkRawSql } from './raw-sql.ts'
import { checkInsert, checkUpdatedColumn } from './tenant-inserts.ts'
import {
  bindToTenant,
  childrenOf,
  type Guard,
  openScope,
  refuse,
  type Scope,
  tableNameOf,
} from './tenant-scope.ts'
import { PLATFORM_TABLES, TENANT_TABLES } from './tenant-tables.ts'

/** Throws, naming the statement and the table, where a tenant's statement could reach beyond the tenant. */
export function checkTenant(
  name: string,
  root: RootOperationNode,
  isTenant: (value: unknown) => boolean,
): void {
  checkQuery({ name, isTenant, ctes: new Set() }, root, undefined)
}

/** A system statement may cross tenants; it says why, and it is a query. */
export function checkSystem(name: string, reason: string, root: RootOperationNode): void {
  if (reason.trim() === '')
    throw new Error(`The system statement "${name}" gives no reason for crossing tenants.`)
  if (!QUERIES.has(root.kind) && root.kind !== 'RawNode')
    throw new Error(`The statement "${name}" is not a query.`)
}

const QUERIES: ReadonlySet<string> = new Set([
  'SelectQueryNode',
  'InsertQueryNode',
  'UpdateQueryNode',
  'DeleteQueryNode',
])

type QueryNode = SelectQueryNode | InsertQueryNode | UpdateQueryNode | DeleteQueryNode

function isQuery(node: OperationNode): node is QueryNode {
  return QUERIES.has(node.kind)
}

function checkQuery(guard: Guard, node: OperationNode, outer: Scope | undefined): void {
  if (!isQuery(node)) refuse(guard, `is not a select, insert, update or delete (${node.kind})`)
  checkCommonTables(guard, node, outer)
  checkParts(guard, node, scopeOf(guard, node, outer), outer)
}

/** Checks what the query itself reads and changes; answers the tables that its clauses see. */
function scopeOf(guard: Guard, node: QueryNode, outer: Scope | undefined): Scope {
  switch (node.kind) {
    case 'SelectQueryNode':
      break
    case 'UpdateQueryNode':
      checkTarget(guard, node.table)
      for (const { column } of node.updates ?? []) checkUpdatedColumn(guard, column)
      break
    case 'DeleteQueryNode':
      for (const from of node.from.froms) checkTarget(guard, from)
      break
    case 'InsertQueryNode':
      checkTarget(guard, node.into)
      return checkInsert(guard, node, outer)
    default:
      node satisfies never
  }
  return bindToTenant(guard, openScope(guard, node, outer))
}

function checkCommonTables(guard: Guard, node: QueryNode, outer: Scope | undefined): void {
  for (const { name, expression } of node.with?.expressions ?? []) {
    const cte = snakeCase(name.table.table.identifier.name)
    if (TENANT_TABLES.has(cte) || PLATFORM_TABLES.has(cte))
      refuse(guard, `names a common table like the table "${cte}"`)
    guard.ctes.add(cte)
    checkQuery(guard, expression, outer)
  }
}

/** A tenant may change its own tables only; whether the rows are its own is checked elsewhere. */
function checkTarget(guard: Guard, node: OperationNode | undefined): void {
  const table = node === undefined ? undefined : tableNameOf(guard, node)
  if (table === undefined) refuse(guard, 'does not say plainly which table it changes')
  if (!TENANT_TABLES.has(table)) refuse(guard, `changes "${table}", which is not a table of tenants`)
}

/** Queries inside a query: those in its clauses see its tables, a joined, united or selected one does not. */
function checkParts(guard: Guard, node: QueryNode, scope: Scope, outer: Scope | undefined): void {
  for (const [key, child] of childrenOf(node)) {
    if (key === 'joins') checkJoin(guard, child as JoinNode, scope, outer)
    else if (key !== 'with') checkPart(guard, child, APART.has(key) ? outer : scope)
  }
}

const APART: ReadonlySet<string> = new Set(['from', 'using', 'values', 'setOperations'])

function checkJoin(guard: Guard, join: JoinNode, scope: Scope, outer: Scope | undefined): void {
  checkPart(guard, join.table, join.joinType.startsWith('Lateral') ? scope : outer)
  if (join.on !== undefined) checkPart(guard, join.on, scope)
}

function checkPart(guard: Guard, node: OperationNode, scope: Scope | undefined): void {
  if (isQuery(node)) checkQuery(guard, node, scope)
  else if (node.kind === 'MergeQueryNode') refuse(guard, 'merges: use an insert with onConflict')
  else if (node.kind === 'RawNode')
    checkRawSql(guard, node as RawNode, (part) => checkPart(guard, part, scope))
  else {
    if (node.kind === 'FunctionNode' || node.kind === 'AggregateFunctionNode') checkFunctionName(guard, node)
    for (const [, child] of childrenOf(node)) checkPart(guard, child, scope)
  }
}

/** Kysely writes the name of a function into the text as it is. */
function checkFunctionName(guard: Guard, node: OperationNode): void {
  const { func } = node as FunctionNode | AggregateFunctionNode
  if (!/^[a-z_][a-z0-9_]*$/i.test(func)) refuse(guard, `calls "${func}", which is not the name of a function`)
}
