// The tables that a query sees, and the proof that each of a tenant is bound to it: `tenant_id = <the tenant>`
// as a condition that must hold, or equal to the tenant_id of a table of which that was proved.

import type {
  AliasNode,
  BinaryOperationNode,
  ColumnNode,
  DeleteQueryNode,
  IdentifierNode,
  JoinNode,
  OperationNode,
  OperatorNode,
  ReferenceNode,
  SelectQueryNode,
  TableNode,
  UpdateQueryNode,
  ValueNode,
  WhereNode,
} from 'kysely'
import { snakeCase } from './identifiers.ts'
import { PLATFORM_TABLES, TENANT_TABLES } from './tenant-tables.ts'

/** What is being checked. */
export interface Guard {
  readonly name: string
  /** Whether a value is the scope's tenant: its marker, or in a query built on the spot its id. */
  readonly isTenant: (value: unknown) => boolean
  /** Names of common tables met so far. */
  readonly ctes: Set<string>
}

export interface Source {
  readonly alias: string
  readonly table: string
  /** A platform table has no tenantId; a subquery or a common table may have a column of that name. */
  readonly kind: 'tenant' | 'platform' | 'derived'
  bound: boolean
}

export interface Scope {
  readonly sources: readonly Source[]
  readonly outer: Scope | undefined
  readonly conditions: readonly Condition[]
}

/** A condition that must hold; that of a left join only restricts the table that is joined. */
export interface Condition {
  readonly node: OperationNode
  readonly only: Source | undefined
}

type Tables = SelectQueryNode | UpdateQueryNode | DeleteQueryNode

export function refuse(guard: Guard, what: string): never {
  throw new Error(`The statement "${guard.name}" ${what}.`)
}

/** The tables of a query and its conditions. */
export function openScope(guard: Guard, node: Tables, outer: Scope | undefined): Scope {
  const sources: Source[] = []
  const conditions: Condition[] = []
  for (const table of listed(node)) sources.push(sourceOf(guard, table))
  for (const join of node.joins ?? []) {
    const source = sourceOf(guard, join.table)
    sources.push(source)
    const reach = reachOf(join)
    if (join.on === undefined || reach === 'nothing') continue
    const only = reach === 'joined' ? source : undefined
    for (const part of conjuncts(guard, join.on.on)) conditions.push({ node: part, only })
  }
  for (const part of whereParts(guard, node.where)) conditions.push({ node: part, only: undefined })
  return { sources, outer, conditions }
}

/** Marks what is bound until nothing more follows; refuses the query where a table of tenants is left over. */
export function bindToTenant(guard: Guard, scope: Scope): Scope {
  for (let changed = true; changed; ) {
    changed = false
    for (const condition of scope.conditions) changed = bindOne(guard, scope, condition) || changed
  }
  const loose = scope.sources.find((source) => source.kind === 'tenant' && !source.bound)
  if (loose !== undefined) {
    refuse(
      guard,
      `reaches the table "${loose.table}" without tenantId = the tenant as a condition that must hold`,
    )
  }
  return scope
}

/** The table that a reference to `tenantId` means, where that is plain. */
export function tenantReference(scope: Scope, node: OperationNode): Source | undefined {
  if (node.kind !== 'ReferenceNode') return undefined
  const { column, table } = node as ReferenceNode
  if (column.kind !== 'ColumnNode' || snakeCase((column as ColumnNode).column.name) !== 'tenant_id')
    return undefined
  if (table?.table.schema !== undefined) return undefined
  const alias = table === undefined ? undefined : snakeCase(table.table.identifier.name)
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    const found = at.sources.filter((s) => (alias === undefined ? s.kind !== 'platform' : s.alias === alias))
    if (found.length > 0) return found.length === 1 && found[0]?.kind === 'tenant' ? found[0] : undefined
  }
  return undefined
}

/** Whether the node stands for the scope's tenant. */
export function isTenantValue(guard: Guard, node: OperationNode): boolean {
  return node.kind === 'ValueNode' && guard.isTenant((node as ValueNode).value)
}

export function whereParts(guard: Guard, where: WhereNode | undefined): OperationNode[] {
  return where === undefined ? [] : conjuncts(guard, where.where)
}

/** The table's name in the database, where the node is a table; refuses a schema in front of it. */
export function tableNameOf(guard: Guard, node: OperationNode): string | undefined {
  if (node.kind === 'AliasNode') return tableNameOf(guard, (node as AliasNode).node)
  if (node.kind !== 'TableNode') return undefined
  const { schema, identifier } = (node as TableNode).table
  if (schema !== undefined)
    refuse(guard, `names "${schema.name}.${identifier.name}"; tables are named without a schema`)
  return snakeCase(identifier.name)
}

export function columnNameOf(node: OperationNode): string | undefined {
  if (node.kind === 'ReferenceNode') return columnNameOf((node as ReferenceNode).column)
  return node.kind === 'ColumnNode' ? snakeCase((node as ColumnNode).column.name) : undefined
}

/** The nodes right below a node, with the property that holds them. */
export function* childrenOf(node: OperationNode): Generator<readonly [string, OperationNode]> {
  for (const [key, value] of Object.entries(node)) {
    for (const item of Array.isArray(value) ? value.flat() : [value]) if (isNode(item)) yield [key, item]
  }
}

function isNode(value: unknown): value is OperationNode {
  return typeof value === 'object' && value !== null && typeof (value as { kind?: unknown }).kind === 'string'
}

function listed(node: Tables): OperationNode[] {
  const first = node.kind === 'UpdateQueryNode' && node.table !== undefined ? [node.table] : []
  const using = node.kind === 'DeleteQueryNode' ? (node.using?.tables ?? []) : []
  return [...first, ...(node.from?.froms ?? []), ...using]
}

function sourceOf(guard: Guard, node: OperationNode): Source {
  const table = tableNameOf(guard, node)
  const alias = aliasOf(node) ?? table ?? ''
  if (table === undefined || guard.ctes.has(table))
    return { alias, table: table ?? alias, kind: 'derived', bound: false }
  if (TENANT_TABLES.has(table)) return { alias, table, kind: 'tenant', bound: false }
  if (PLATFORM_TABLES.has(table)) return { alias, table, kind: 'platform', bound: false }
  return refuse(guard, `reads "${table}", which is not a table of the schema`)
}

function aliasOf(node: OperationNode): string | undefined {
  if (node.kind !== 'AliasNode') return undefined
  const { alias } = node as AliasNode
  return alias.kind === 'IdentifierNode' ? snakeCase((alias as IdentifierNode).name) : undefined
}

/** Which tables the condition of a join restricts. */
function reachOf(join: JoinNode): 'all' | 'joined' | 'nothing' {
  switch (join.joinType) {
    case 'LeftJoin':
    case 'LateralLeftJoin':
      return 'joined'
    case 'RightJoin':
    case 'FullJoin':
    case 'OuterApply':
      return 'nothing'
    default:
      return 'all'
  }
}

/** The parts of a condition that must all hold. */
function conjuncts(guard: Guard, node: OperationNode): OperationNode[] {
  switch (node.kind) {
    case 'AndNode': {
      const { left, right } = node as unknown as { left: OperationNode; right: OperationNode }
      return [...conjuncts(guard, left), ...conjuncts(guard, right)]
    }
    case 'ParensNode': {
      const inner = (node as unknown as { node: OperationNode }).node
      return inner.kind === 'OrNode' ? [node] : conjuncts(guard, inner)
    }
    case 'OrNode':
      return refuse(guard, 'has an "or" without parentheses around it')
    default:
      return [node]
  }
}

function bindOne(guard: Guard, scope: Scope, { node, only }: Condition): boolean {
  if (node.kind !== 'BinaryOperationNode') return false
  const { leftOperand, operator, rightOperand } = node as BinaryOperationNode
  if ((operator as OperatorNode).operator !== '=') return false
  const forth = bindSide(guard, scope, leftOperand, rightOperand, only)
  return bindSide(guard, scope, rightOperand, leftOperand, only) || forth
}

function bindSide(
  guard: Guard,
  scope: Scope,
  side: OperationNode,
  to: OperationNode,
  only: Source | undefined,
): boolean {
  const source = tenantReference(scope, side)
  if (source === undefined || source.bound || !scope.sources.includes(source)) return false
  if (only !== undefined && only !== source) return false
  source.bound = isTenantValue(guard, to) || tenantReference(scope, to)?.bound === true
  return source.bound
}
