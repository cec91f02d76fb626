// The built-in tool `calculator`.

import { AppError } from '../../../base/errors.ts'
import type { BuiltinTool } from '../builtin-tool.ts'
import { objectInput, textOf } from '../input.ts'
import { ARITHMETIC_CHARS_MAX, ArithmeticError, evaluateArithmetic } from './arithmetic.ts'
import { fromDecimal, TooLargeError, toDecimal, toNumber } from './fraction.ts'

/**
 * Numbers are exact fractions: `result` is the nearest JSON number, and where that one cannot hold all digits
 * (above 2^53, more than 15 digits) `text` has up to 30 places. Roots and broken powers are as exact as a double.
 */
export const calculator: BuiltinTool = {
  name: 'calculator',
  description:
    'Calculates an arithmetic expression exactly, e.g. "12 * (7 + 1.5)", "15% of 80", "2^10", "round(10 / 3, 2)". ' +
    'Knows + - * / % ^, parentheses, abs, min, max, round, floor, ceil, sqrt, pow, pi and e.',
  inputSchema: {
    type: 'object',
    properties: {
      expression: {
        type: 'string',
        minLength: 1,
        maxLength: ARITHMETIC_CHARS_MAX,
        description:
          'The expression: numbers, operators and the functions named above; no variables or units.',
      },
    },
    required: ['expression'],
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: {
      expression: { type: 'string' },
      result: { type: 'number' },
      text: { type: 'string', description: 'All digits, where a JSON number cannot hold them.' },
    },
    required: ['expression', 'result'],
    additionalProperties: false,
  },
  effect: 'read',
  untrusted: false,
  call: async (input) => {
    const expression = textOf(objectInput(input).expression) ?? ''
    try {
      const value = evaluateArithmetic(expression)
      const result = toNumber(value)
      if (!Number.isFinite(result)) throw new TooLargeError()
      const text = toDecimal(value)
      return holdsAll(result, text) ? { expression, result } : { expression, result, text }
    } catch (error) {
      const reason = error instanceof TooLargeError ? 'the numbers become too large' : reasonOf(error)
      throw new AppError('tool.input-invalid', `The expression cannot be calculated: ${reason}.`, {
        cause: error,
      })
    }
  },
}

/** Whether the shortest text of the number is the whole truth. A third has no end: then no text is better. */
function holdsAll(result: number, text: string): boolean {
  const shortest = toDecimal(fromDecimal(String(Math.abs(result))))
  return shortest === text.replace('-', '') || text.split('.')[1]?.length === 30
}

function reasonOf(error: unknown): string {
  return error instanceof ArithmeticError ? error.message : 'it is not arithmetic'
}
