// What is wrong with an expression, as the fields of a definition tell it.

import { type FieldError, isAppError } from '../base/errors.ts'
import { compileExpression, type Expression } from './expression.ts'

/** What an expression may give where it stands. */
export type ExpressionResult = 'condition' | 'list' | 'text' | 'time'

const TYPES: Readonly<Record<ExpressionResult, readonly string[]>> = {
  condition: ['bool'],
  list: ['list'],
  text: ['string'],
  time: ['string', 'google.protobuf.Timestamp', 'timestamp'],
}

const WORDS: Readonly<Record<ExpressionResult, string>> = {
  condition: 'true or false',
  list: 'a list',
  text: 'a text',
  time: 'a time',
}

/** Nothing, or one error: it does not compile over these variables, or it can never give what is asked. */
export function expressionErrors(
  source: string,
  variables: readonly string[],
  result?: ExpressionResult,
): readonly FieldError[] {
  const compiled = tryCompile(source, variables)
  if (typeof compiled === 'string') return [{ path: '', message: compiled }]
  const type = compiled.type.replace(/<.*/, '')
  if (result === undefined || type === 'dyn' || TYPES[result].includes(type)) return []
  return [{ path: '', message: `must give ${WORDS[result]}; it gives ${article(compiled.type)}` }]
}

/** The fields of a variable that the expression reads; none where it does not compile over these variables. */
export function expressionFields(
  source: string,
  variables: readonly string[],
  variable: string,
): readonly string[] {
  const compiled = tryCompile(source, variables)
  return typeof compiled === 'string' ? [] : compiled.fields(variable)
}

function tryCompile(source: string, variables: readonly string[]): Expression | string {
  try {
    return compileExpression(source, { variables })
  } catch (error) {
    if (!isAppError(error)) throw error
    return error.message
  }
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}
