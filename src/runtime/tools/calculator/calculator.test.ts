import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isAppError } from '../../../base/errors.ts'
import { testContext } from '../test-context.ts'
import { evaluateArithmetic } from './arithmetic.ts'
import { calculator } from './calculator.ts'
import { toNumber } from './fraction.ts'

const RESULTS: readonly (readonly [string, number])[] = [
  ['12 * (7 + 1.5)', 102],
  ['1 + 2.5', 3.5],
  ['0.1 + 0.2', 0.3],
  ['1.1 * 1.1', 1.21],
  ['7 / 2', 3.5],
  ['10 % 3', 1],
  ['-7 % 3', -1],
  ['10 / 3', 3.3333333333333335],
  ['2^10', 1024],
  ['2**10', 1024],
  ['2^3^2', 512],
  ['-2^2', -4],
  ['(-2)^2', 4],
  ['2^-1', 0.5],
  ['2^0.5', Math.SQRT2],
  ['sqrt(3)', Math.sqrt(3)],
  ['sqrt(16/25)', 0.8],
  ['15%', 0.15],
  ['15% of 80', 12],
  ['80 * 15%', 12],
  ['80 + 15%', 92],
  ['80 - 25%', 60],
  ['(80 + 20) * 10%', 10],
  ['50% % 3', 0.5],
  ['1,234.5 + 1', 1235.5],
  ['max(1,234)', 234],
  ['min(3, -1, 2)', -1],
  ['abs(-3.5)', 3.5],
  ['round(2.5)', 3],
  ['round(-2.5)', -3],
  ['round(10 / 3, 2)', 3.33],
  ['round(1234, -2)', 1200],
  ['floor(-1.5) + ceil(1.2)', 0],
  ['pow(2, 8)', 256],
  ['2 × 3 ÷ 4 − 1', 0.5],
  ['3 x 4', 12],
  ['1e3 + 1E-3', 1000.001],
  ['.5 + 1', 1.5],
  ['--3', 3],
  ['2 * pi', 2 * Math.PI],
  ['0^0', 1],
  ['(-1)^1000001', -1],
]

const WRONG: readonly (readonly [string, RegExp])[] = [
  ['1 / 0', /division by zero at character 3/],
  ['5 % (2 - 2)', /division by zero/],
  ['0^-1', /division by zero/],
  ['2 +', /ends too early/],
  ['(1 + 2', /parenthesis is not closed/],
  ['1 2', /unexpected "2" at character 3/],
  ['max((1,234), 5)', /expected "\)" instead of ","/],
  ['max(1', /not closed/],
  ['x + 1', /unknown name "x"/],
  ['process.exit(1)', /unexpected "\."/],
  ['constructor(1)', /unknown name "constructor"/],
  ['sqrt(-1)', /root of a negative number/],
  ['sqrt 4', /needs parentheses/],
  ['pow(2)', /takes 2 numbers, not 1/],
  ['9^9^9', /too large/],
  ['10^400', /too large/],
  ['1e9999', /too large/],
  ['1; 2', /unexpected ";"/],
  ['12 €', /unexpected "€"/],
  ['('.repeat(400), /too many parentheses/],
  ['-'.repeat(900), /too many signs/],
]

describe('calculator', () => {
  for (const [expression, result] of RESULTS) {
    it(`${expression} = ${result}`, async () => {
      assert.deepEqual(await calculate(expression), { expression, result })
    })
  }
  for (const [expression, message] of WRONG) {
    it(`refuses ${expression.slice(0, 20)}`, async () => {
      await assert.rejects(calculate(expression), (error) => {
        assert.ok(isAppError(error, 'tool.input-invalid'))
        assert.match(error.message, message)
        return true
      })
    })
  }

  it('gives all digits as a text where a number cannot hold them', async () => {
    const product = await calculate('123456789 * 987654321 * 10')
    assert.deepEqual(product, {
      expression: '123456789 * 987654321 * 10',
      result: 1219326311126352600,
      text: '1219326311126352690',
    })
  })

  it('agrees with JavaScript on integers, and undoes what it does on decimals', () => {
    const integer = fc.integer({ min: -1_000_000, max: 1_000_000 })
    const value = (text: string) => toNumber(evaluateArithmetic(text))
    fc.assert(
      fc.property(integer, integer, integer, (a, b, c) => {
        assert.equal(value(`(${a}) * (${b}) + (${c})`), a * b + c || 0)
        assert.equal(value(`((${a} / 7) + ${b} / 100 - ${b} / 100) * 7`), a || 0)
      }),
    )
  })

  it('never throws anything but its own errors', () => {
    const piece = fc.constantFrom(
      '1',
      '2.5',
      '+',
      '-',
      '*',
      '/',
      '%',
      '^',
      '(',
      ')',
      ',',
      'max',
      'of',
      'e',
      ' ',
      '1,000',
      '3',
    )
    fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        try {
          await calculate(pieces.join(''))
        } catch (error) {
          assert.ok(isAppError(error, 'tool.input-invalid'), String(error))
        }
      }),
      { numRuns: 500 },
    )
  })
})

function calculate(expression: string) {
  return calculator.call({ expression }, {}, testContext())
}
