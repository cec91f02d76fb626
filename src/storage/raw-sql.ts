// Raw fragments under the tenant guard: the guard cannot read them, so they may hold an expression and nothing
// that names a table of tenants, loosens a condition around it, or hides the text that follows.

import type { ColumnNode, IdentifierNode, OperationNode, RawNode, ReferenceNode } from 'kysely'
import { snakeCase } from './identifiers.ts'
import { childrenOf, type Guard, refuse } from './tenant-scope.ts'
import { TENANT_TABLES } from './tenant-tables.ts'

/** Checks a fragment and the names in it; queries and other parts inside it are given to `checkPart`. */
export function checkRawSql(guard: Guard, raw: RawNode, checkPart: (node: OperationNode) => void): void {
  checkText(guard, flatten(raw))
  checkNames(guard, raw, checkPart)
}

const WORDS = new RegExp(`(?<![a-z0-9_])(${[...TENANT_TABLES].join('|')})(?![a-z0-9_])`, 'i')
const LOOSENING = /(?<![a-z0-9_])(or|union|intersect|except)(?![a-z0-9_])/i
/** Comments, statement ends, Postgres's dollar quotes and escaped identifiers: nothing that an expression needs. */
const HIDING = /--|\/\*|;|\$\w*\$|(?<![a-z0-9_])(u&|e)['"]/i
const QUOTED = /'[^']*'|"[^"]*"/g
const INNERMOST = /\([^()]*\)/g

function checkText(guard: Guard, text: string): void {
  const word = WORDS.exec(text)?.[1]
  if (word !== undefined)
    refuse(guard, `names the table "${word}" in raw SQL: build the query with the query builder`)
  if (HIDING.test(text)) refuse(guard, 'has a comment, a semicolon or an escape in raw SQL')
  let rest = text.replaceAll(QUOTED, 'x')
  if (/['"]/.test(rest)) refuse(guard, 'has a quote in raw SQL that is not closed')
  while (INNERMOST.test(rest)) rest = rest.replaceAll(INNERMOST, ' x ')
  if (/[()]/.test(rest)) refuse(guard, 'has a parenthesis in raw SQL without its partner')
  const loosening = LOOSENING.exec(rest)?.[1]
  if (loosening !== undefined) refuse(guard, `has "${loosening}" in raw SQL without parentheses around it`)
}

/** The text with nested fragments in their places; other parts are one word. */
function flatten({ sqlFragments, parameters }: RawNode): string {
  let text = ''
  for (const [i, fragment] of sqlFragments.entries()) {
    const part = parameters[i]
    text += fragment
    if (part !== undefined) text += part.kind === 'RawNode' ? flatten(part as RawNode) : ' x '
  }
  return text
}

/** Inside a fragment any name could stand where a table does, also one that was meant as a column. */
function checkNames(guard: Guard, node: OperationNode, checkPart: (node: OperationNode) => void): void {
  for (const [, child] of childrenOf(node)) {
    if (child.kind === 'ReferenceNode') checkName(guard, (child as ReferenceNode).column)
    else if (child.kind.endsWith('QueryNode')) checkPart(child)
    else {
      checkName(guard, child)
      checkNames(guard, child, checkPart)
    }
  }
}

function checkName(guard: Guard, node: OperationNode): void {
  const name = node.kind === 'ColumnNode' ? (node as ColumnNode).column.name : (node as IdentifierNode).name
  if (typeof name === 'string' && TENANT_TABLES.has(snakeCase(name))) {
    refuse(guard, `names the table "${snakeCase(name)}" in raw SQL: build the query with the query builder`)
  }
}
