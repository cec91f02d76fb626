// Inserts under the tenant guard: every new row is the scope's, and a conflict never changes another tenant's row.

import type {
  AliasNode,
  CastNode,
  InsertQueryNode,
  OnConflictNode,
  OperationNode,
  PrimitiveValueListNode,
  RawNode,
  SelectQueryNode,
  ValueListNode,
  ValuesNode,
} from 'kysely'
import {
  bindToTenant,
  columnNameOf,
  type Guard,
  isTenantValue,
  openScope,
  refuse,
  type Scope,
  type Source,
  tableNameOf,
  tenantReference,
  whereParts,
} from './tenant-scope.ts'

/** Checks the rows and the conflict clause; answers what the clauses after them see. */
export function checkInsert(guard: Guard, node: InsertQueryNode, outer: Scope | undefined): Scope {
  const table = (node.into === undefined ? undefined : tableNameOf(guard, node.into)) ?? ''
  if (node.replace === true || node.orAction !== undefined || node.onDuplicateKey !== undefined) {
    refuse(guard, `replaces rows of "${table}": a row of another tenant could be one of them`)
  }
  const at = (node.columns ?? []).findIndex((column) => columnNameOf(column) === 'tenant_id')
  if (at < 0) refuse(guard, `adds to "${table}" without setting tenantId`)
  if (!setsTenant(guard, node.values, at, outer))
    refuse(guard, `adds to "${table}" with a tenantId that is not the scope's`)
  const target: Source = { alias: table, table, kind: 'tenant', bound: false }
  const excluded: Source = { alias: 'excluded', table: 'excluded', kind: 'derived', bound: false }
  const conditions = whereParts(guard, node.onConflict?.updateWhere).map((part) => ({
    node: part,
    only: undefined,
  }))
  const scope: Scope = { sources: [target, excluded], outer, conditions }
  checkConflict(guard, node.onConflict, scope)
  return scope
}

function setsTenant(
  guard: Guard,
  values: OperationNode | undefined,
  at: number,
  outer: Scope | undefined,
): boolean {
  if (values?.kind === 'ValuesNode') {
    return (values as ValuesNode).values.every((row) => rowSetsTenant(guard, row, at))
  }
  if (values?.kind !== 'SelectQueryNode') return false
  const select = values as SelectQueryNode
  if (select.setOperations !== undefined)
    refuse(guard, 'adds what a union selects: insert each part by itself')
  const selected = select.selections?.[at]?.selection
  if (selected === undefined || select.selections?.some(({ selection }) => isAll(selection))) return false
  const value = selected.kind === 'AliasNode' ? (selected as AliasNode).node : selected
  if (isTenantExpression(guard, value)) return true
  return tenantReference(bindToTenant(guard, openScope(guard, select, outer)), value)?.bound === true
}

function rowSetsTenant(guard: Guard, row: ValueListNode | PrimitiveValueListNode, at: number): boolean {
  if (row.kind === 'PrimitiveValueListNode') return guard.isTenant(row.values[at])
  const value = row.values[at]
  return value !== undefined && isTenantExpression(guard, value)
}

/** The tenant as a value: itself, cast, or alone in a raw fragment. */
function isTenantExpression(guard: Guard, node: OperationNode): boolean {
  if (node.kind === 'CastNode') return isTenantExpression(guard, (node as CastNode).expression)
  if (node.kind !== 'RawNode') return isTenantValue(guard, node)
  const { sqlFragments, parameters } = node as RawNode
  const [value] = parameters
  return (
    sqlFragments.join('') === '' &&
    parameters.length === 1 &&
    value !== undefined &&
    isTenantExpression(guard, value)
  )
}

function isAll(node: OperationNode): boolean {
  if (node.kind === 'SelectAllNode') return true
  return (
    node.kind === 'ReferenceNode' &&
    (node as unknown as { column: OperationNode }).column.kind === 'SelectAllNode'
  )
}

function checkConflict(guard: Guard, conflict: OnConflictNode | undefined, scope: Scope): void {
  if (conflict?.updates === undefined) return
  for (const { column } of conflict.updates) checkUpdatedColumn(guard, column)
  // A key that holds the tenant can only meet a row of the same tenant; any other needs the condition.
  if (conflict.columns?.some((column) => columnNameOf(column) === 'tenant_id')) return
  bindToTenant(guard, scope)
}

/** A column that is set: named plainly, and not the tenant. */
export function checkUpdatedColumn(guard: Guard, node: OperationNode): void {
  const column = columnNameOf(node)
  if (column === undefined) refuse(guard, 'sets something that is not plainly a column')
  if (column === 'tenant_id') refuse(guard, 'sets tenantId: a row never changes its tenant')
}
