// Reads one TypeScript file for the architecture rules: what it imports and which constructs it uses.
// Never decides what is allowed; architecture-rules.ts does.
import { posix } from 'node:path'
import { parseSync } from 'oxc-parser'

/** What the rules know of a file. `path` is relative to the root of the repository, with forward slashes. */
export type SourceFile = {
  readonly path: string
  readonly lineCount: number
  readonly imports: readonly Import[]
  readonly constructs: readonly Construct[]
  /** True when the file has statements and all of them pass on what other files export. */
  readonly onlyPassesOn: boolean
}

/** `target` is a path like `SourceFile.path` for a relative import, or the specifier as written. */
export type Import = { readonly target: string; readonly relative: boolean; readonly line: number }

/** Something that a rule may refuse, and where it is. */
export type Construct = {
  readonly kind: 'any' | 'enum' | 'namespace' | 'export *' | 'environment'
  readonly line: number
}

/**
 * Parses `text`. Static, dynamic and type imports and re-exports all count as imports.
 * @throws Error when the text is not TypeScript.
 */
export function readSourceFile(path: string, text: string): SourceFile {
  const { program, errors } = parseSync(path, text)
  const [error] = errors
  if (error) throw new Error(`${path} cannot be parsed: ${error.message}`)
  const imports: Import[] = []
  const constructs: Construct[] = []
  visit(program, (node) => {
    const line = text.slice(0, node.start).split('\n').length
    const specifier = specifierOf(node)
    if (specifier !== undefined) imports.push({ ...resolve(path, specifier), line })
    const kind = constructOf(node)
    if (kind !== undefined) constructs.push({ kind, line })
  })
  const onlyPassesOn =
    program.body.length > 0 && program.body.every((node) => isNode(node) && isPassedOn(node))
  return { path, lineCount: text.trimEnd().split('\n').length, imports, constructs, onlyPassesOn }
}

type Node = { readonly type: string; readonly start: number } & Readonly<Record<string, unknown>>

function visit(value: unknown, see: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) visit(item, see)
  else if (isNode(value)) {
    see(value)
    for (const child of Object.values(value)) if (typeof child === 'object') visit(child, see)
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}

const WITH_SPECIFIER = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
])

function specifierOf(node: Node): string | undefined {
  if (!WITH_SPECIFIER.has(node.type) || !isNode(node.source)) return undefined
  return typeof node.source.value === 'string' ? node.source.value : undefined
}

function resolve(from: string, specifier: string): Omit<Import, 'line'> {
  if (!specifier.startsWith('.')) return { target: specifier, relative: false }
  return { target: posix.join(posix.dirname(from), specifier), relative: true }
}

function constructOf(node: Node): Construct['kind'] | undefined {
  switch (node.type) {
    case 'TSAnyKeyword':
      return 'any'
    case 'TSEnumDeclaration':
      return 'enum'
    case 'TSModuleDeclaration':
      return node.kind === 'namespace' ? 'namespace' : undefined
    case 'ExportAllDeclaration':
      return 'export *'
    case 'MemberExpression':
      return isNamed(node.object, 'process') && isNamed(node.property, 'env') ? 'environment' : undefined
    case 'ImportSpecifier':
      return isNamed(node.imported, 'env') ? 'environment' : undefined
    case 'VariableDeclarator':
      return isNamed(node.init, 'process') ? 'environment' : undefined
    default:
      return undefined
  }
}

function isNamed(node: unknown, name: string): boolean {
  return isNode(node) && (node.name === name || node.value === name)
}

function isPassedOn(node: Node): boolean {
  return (
    node.type === 'ExportAllDeclaration' || (node.type === 'ExportNamedDeclaration' && isNode(node.source))
  )
}
