// From a checked schema to functions: one per schema object, put together from its keywords.

import { isJsonObject, type Json } from './json.ts'
import { arrayChecks } from './json-schema-arrays.ts'
import { choiceChecks } from './json-schema-choices.ts'
import { objectChecks } from './json-schema-objects.ts'
import { resolvePointer } from './json-schema-pointer.ts'
import { type Check, type Inside, keepSeen, type Run, report, spend } from './json-schema-run.ts'
import { scalarChecks, typeCheck } from './json-schema-scalars.ts'

export interface CompileContext {
  readonly root: Json
  /** Compiled schemas by their pointer, so that references in circles end. */
  readonly nodes: Map<string, Check>
  readonly compilePattern: (source: string) => (text: string) => boolean
}

export function compileNode(schema: Json, context: CompileContext): Check {
  if (schema === false) return (_value, place, run) => report(run, place, 'is not allowed')
  if (!isJsonObject(schema)) return () => undefined
  const inside: Inside = {
    compile: (inner) => compileNode(inner, context),
    compilePattern: context.compilePattern,
  }
  const isRightType = typeCheck(schema)
  const checks = [
    ...referenceCheck(schema.$ref, context),
    ...choiceChecks(schema, inside),
    ...scalarChecks(schema, inside),
    ...objectChecks(schema, inside),
    ...arrayChecks(schema, inside),
  ]
  return (value, place, run) => {
    run.effort.levels -= 1
    if (!spend(run, 1)) return
    // A value of another type breaks most other keywords too; that is one mistake, not many.
    if (isRightType(value, place, run)) {
      // What a schema has seen is its own first, and then its parent's: schemas beside it do not count.
      const own: Run = { found: run.found, seen: { names: new Set(), items: new Set() }, effort: run.effort }
      for (const check of checks) check(value, place, own)
      keepSeen(run, own)
    }
    run.effort.levels += 1
  }
}

function referenceCheck(reference: Json | undefined, context: CompileContext): Check[] {
  const target = typeof reference === 'string' ? resolvePointer(reference, context.root) : undefined
  if (target === undefined) return []
  const { pointer, value: schema } = target
  return [
    (value, place, run) => {
      let check = context.nodes.get(pointer)
      if (check === undefined) {
        check = compileNode(schema, context)
        context.nodes.set(pointer, check)
      }
      check(value, place, run)
    },
  ]
}
