// Which fields of a variable an expression reads: `nodes.a.b + nodes["c"]` reads `a` and `c` of `nodes`.

interface Node {
  readonly op: string
  readonly args: unknown
}

/** Stands for all of them, where the variable is read whole or by a name that is only known when running. */
export const ANY_FIELD = '*'

/** The fields that the syntax tree names, each once. */
export function fieldsRead(root: unknown, variable: string): readonly string[] {
  const fields = new Set<string>()
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const inner of value) visit(inner)
      return
    }
    if (!isNode(value)) return
    const field = fieldOf(value, variable)
    if (field !== undefined) fields.add(field)
    else if (value.op === 'id' && value.args === variable) fields.add(ANY_FIELD)
    else if (binds(value, variable)) visit((value.args as readonly unknown[])[1])
    else visit(value.args)
  }
  visit(root)
  return [...fields]
}

function fieldOf({ op, args }: Node, variable: string): string | undefined {
  if ((op !== '.' && op !== '[]') || !Array.isArray(args)) return undefined
  const [object, key] = args as readonly unknown[]
  if (!isNode(object) || object.op !== 'id' || object.args !== variable) return undefined
  if (op === '.') return typeof key === 'string' ? key : undefined
  return isNode(key) && key.op === 'value' && typeof key.args === 'string' ? key.args : undefined
}

/** `list.map(nodes, …)`: inside, the name stands for something else. */
function binds({ op, args }: Node, variable: string): boolean {
  if (op !== 'rcall' || !Array.isArray(args) || !Array.isArray(args[2]) || args[2].length < 2) return false
  const first: unknown = args[2][0]
  return isNode(first) && first.op === 'id' && first.args === variable
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}
