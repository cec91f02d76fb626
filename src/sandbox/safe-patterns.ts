// The judgement of patterns for JSON Schemas from outside, which base/ takes as a parameter.

import type { SchemaOptions } from '../base/json-schema.ts'
import { compilePattern, patternProblem } from './pattern.ts'

/** For `compileSchema(schema, SAFE_PATTERNS)` and `checkSchema(schema, SAFE_PATTERNS.checkPattern)`. */
export const SAFE_PATTERNS = {
  checkPattern: (source) => patternProblem(source),
  compilePattern: (source) => compilePattern(source).test,
} as const satisfies SchemaOptions
