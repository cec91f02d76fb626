import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decimalText, ratioText, readDecimal, shifted, wholeOf } from './decimal.ts'

const read = (text: string) => {
  const value = readDecimal(text)
  assert.ok(value, text)
  return value
}

describe('decimal texts', () => {
  it('have one text, whatever their form was', () => {
    const cases = [
      ['1.25', '1.25'],
      ['1.25e-06', '0.00000125'],
      ['1.5E2', '150'],
      ['0010.500', '10.5'],
      ['-0.0', '0'],
      ['-3.10', '-3.1'],
      ['0', '0'],
    ] as const
    for (const [text, plain] of cases) assert.equal(decimalText(read(text)), plain)
  })

  it('are refused where they are none', () => {
    for (const text of ['', '.5', '1.', '1,25', 'NaN', '1e', '+1', '1e100', ' 1', '9'.repeat(41)])
      assert.equal(readDecimal(text), undefined, text)
  })

  it('are shifted and whole without a loss, and keep their value in any form', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 18n), fc.integer({ min: -20, max: 20 }), (digits, exponent) => {
        const value = { digits, exponent }
        assert.equal(decimalText(read(decimalText(value))), decimalText(value))
        assert.equal(wholeOf(shifted(value, -exponent)), digits)
        if (exponent >= -9) assert.equal(decimalText(read(`${digits}e${exponent}`)), decimalText(value))
      }),
    )
    assert.equal(wholeOf(read('0.5')), undefined)
    assert.equal(wholeOf(shifted(read('0.0000000000005'), 12)), undefined)
  })

  it('are divided half up, and by zero not at all', () => {
    assert.equal(ratioText(read('1'), read('3'), 4), '0.3333')
    assert.equal(ratioText(read('2.5'), read('1.25'), 4), '2')
    assert.equal(ratioText(read('0.00005'), read('1'), 4), '0.0001')
    assert.equal(ratioText(read('1'), read('0.00'), 4), undefined)
  })
})
