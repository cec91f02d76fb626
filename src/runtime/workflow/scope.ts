// What a node can see: the input, the results of its block and of the blocks around it, and what the block adds.

import { AppError } from '../../base/errors.ts'
import type { Json, JsonObject } from '../../base/json.ts'
import { compileExpression } from '../../sandbox/expression.ts'
import type { Interruption } from '../agent/interruption.ts'

export interface Scope {
  /** Before the ids of its nodes: `each[3].`; empty at the top. */
  readonly prefix: string
  /** Stops what runs in it. */
  readonly interruption: Interruption
  /** The variables of its expressions. `nodes` is one object that grows: nothing is copied from step to step. */
  readonly values: JsonObject
  setResult(id: string, result: Json): void
}

/** `run`: what expressions know of the run. */
export function topScope(input: Json, run: JsonObject, interruption: Interruption): Scope {
  const nodes: Record<string, Json> = Object.create(null)
  return {
    prefix: '',
    interruption,
    values: { input, run, nodes },
    setResult: (id, result) => {
      nodes[id] = result
    },
  }
}

/** A block inside a scope. What it adds and what its nodes give is seen in it alone. */
export function innerScope(
  outer: Scope,
  prefix: string,
  added: JsonObject = {},
  interruption: Interruption = outer.interruption,
): Scope {
  const around = outer.values.nodes
  // CEL takes a Map for a map; what it does not have itself, it looks up around it, so that nothing is copied.
  const nodes = new Map<string, Json>()
  const own = Map.prototype.get.bind(nodes)
  const get = (key: string): Json | undefined =>
    Map.prototype.has.call(nodes, key) ? own(key) : lookUp(around, key)
  Object.assign(nodes, { get, has: (key: string) => get(key) !== undefined })
  return {
    prefix,
    interruption,
    values: { ...outer.values, ...added, nodes: nodes as unknown as JsonObject },
    setResult: (id, result) => {
      nodes.set(id, result)
    },
  }
}

function lookUp(nodes: unknown, key: string): Json | undefined {
  if (nodes instanceof Map) return nodes.get(key) as Json | undefined
  return Object.hasOwn(nodes as object, key) ? (nodes as JsonObject)[key] : undefined
}

/** The same scope with more variables, or under another interruption. */
export function scopeWith(
  scope: Scope,
  more: { readonly added?: JsonObject; readonly interruption?: Interruption },
): Scope {
  return {
    ...scope,
    interruption: more.interruption ?? scope.interruption,
    values: more.added === undefined ? scope.values : { ...scope.values, ...more.added },
  }
}

/** Throws `expression.failed`, which says where in the node the expression stands. */
export function evaluate(scope: Scope, path: string, field: string, source: string): Json {
  try {
    return compileExpression(source).evaluate(scope.values)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    throw new AppError('expression.failed', `Node "${path}", ${field}: ${error.message}`, { cause: error })
  }
}
