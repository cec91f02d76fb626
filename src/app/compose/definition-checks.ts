// What the catalog asks when a definition is saved: schemas, expressions, patterns, names and models of this server.

import type { FieldError } from '../../base/errors.ts'
import { checkSchema } from '../../base/json-schema.ts'
import type { Checks } from '../../catalog/check/checks.ts'
import type { ModelRegistry } from '../../models/model.ts'
import { expressionErrors, expressionFields } from '../../sandbox/expression-check.ts'
import { patternProblem } from '../../sandbox/pattern.ts'

export interface CheckSources {
  readonly builtinToolNames: ReadonlySet<string>
  readonly codeToolNames: ReadonlySet<string>
  readonly effectOf: NonNullable<Checks['effectOf']>
  readonly models: ModelRegistry
}

export function definitionChecks(sources: CheckSources): Checks {
  const { builtinToolNames, codeToolNames, effectOf, models } = sources
  return {
    builtinToolNames,
    codeToolNames,
    effectOf,
    checkSchema: (schema) => checkSchema(schema, patternProblem),
    checkExpression: expressionErrors,
    expressionFields,
    checkPattern(source) {
      const message = patternProblem(source)
      return message === undefined ? [] : [{ path: '', message }]
    },
    modelKnown: (model) => modelErrors(models, model),
  }
}

/** A provider that is not configured yet is no error of the definition: the run says so. */
function modelErrors(models: ModelRegistry, model: string): readonly FieldError[] {
  const names = models.list().map(({ name }) => name)
  if (names.some((name) => model.startsWith(`${name}/`))) return []
  return [{ path: '', message: `names no provider of this server; there are ${names.join(', ')}` }]
}
