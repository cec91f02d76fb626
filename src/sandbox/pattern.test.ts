import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../base/errors.ts'
import { checkSchema, compileSchema } from '../base/json-schema.ts'
import { compilePattern, patternProblem } from './pattern.ts'
import { SAFE_PATTERNS } from './safe-patterns.ts'

const CATASTROPHIC = [
  '(a+)+$',
  '(a*)*$',
  '(a|a)*$',
  '(a|aa)+$',
  '(a|ab|b)*c',
  '^(\\w+\\s?)*$',
  '([a-zA-Z]+)*$',
  '(.*a){20}',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '(x+x+)+y',
  '(?:a?b?)*c',
  '(\\d+|\\w+)*!',
  '(a|A)*$', // with the flag i below
  '^(?=(a+)+$)a',
  '((a?){30})*',
  'a?'.repeat(40) + 'a'.repeat(40),
  '(?:a|a)'.repeat(40),
  '.*.*.*.*.*=x',
  '\\s*\\s*\\s*\\s*\\s*$',
]

const HARMLESS = [
  '^[a-z0-9]+(?:-[a-z0-9]+)*$',
  '^\\d{4}-\\d{2}-\\d{2}$',
  '^ORD-[0-9]{4,6}$',
  '^[^@\\s]+@[^@\\s]+$',
  '^(?:0|[1-9]\\d*)\\.(?:0|[1-9]\\d*)\\.(?:0|[1-9]\\d*)$',
  '^(red|green|blue)$',
  '^(?=.*[A-Z])(?=.*\\d).{8,64}$',
  '.*foo.*',
  'foo|bar',
  "^[\\p{L}\\p{M}' -]+$",
  '^#[0-9a-fA-F]{6}$',
  '^\\+?[0-9 ()-]{7,20}$',
  '^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$',
  '^(?:[a-z]{2}){1,3}$',
  '^\\d{1,3}(?:,\\d{3})*$',
  '',
]

describe('compilePattern', () => {
  for (const source of CATASTROPHIC) {
    it(`refuses ${source.slice(0, 50)}`, () =>
      assert.match(patternProblem(source, 'i') ?? '', /run for too long|repetitions/))
  }
  for (const source of HARMLESS) {
    it(`accepts ${source}`, () => assert.equal(patternProblem(source), undefined))
  }

  it('matches as JavaScript does', () => {
    const slug = compilePattern('^[a-z0-9]+(?:-[a-z0-9]+)*$')
    assert.equal(slug.test('order-desk-2'), true)
    assert.equal(slug.test('order--desk'), false)
    assert.equal(compilePattern('^ä$', 'iu').test('Ä'), true)
  })

  it('refuses what is not a pattern, is too long or refers back, and names the reason', () => {
    assert.match(patternProblem('(') ?? '', /not a regular expression/)
    assert.match(patternProblem('a'.repeat(600)) ?? '', /longer than 512/)
    assert.match(patternProblem('(a)\\1') ?? '', /reference back/)
    assert.match(patternProblem('(?<x>a)\\k<x>') ?? '', /reference back/)
    assert.match(patternProblem('a', 'g') ?? '', /flags/)
    assert.match(patternProblem('a{5000}') ?? '', /count to more/)
    assert.throws(
      () => compilePattern('(a+)+'),
      (error) => error instanceof AppError && error.code === 'definition.invalid',
    )
  })

  it('replaces every match with a literal text', () => {
    const digits = compilePattern('\\d+')
    assert.equal(digits.replace('a1b22', '$&'), 'a$&b$&')
    assert.equal(digits.replace('abc', 'x'), undefined)
  })

  it('guards the patterns of schemas from outside', () => {
    assert.match(
      checkSchema({ pattern: '(a+)+$' }, SAFE_PATTERNS.checkPattern)[0]?.message ?? '',
      /run for too long/,
    )
    const validate = compileSchema({ pattern: '.*foo.*bar' }, SAFE_PATTERNS)
    assert.deepEqual(validate('foobar'), [])
    assert.match(validate('foo'.repeat(1_000))[0]?.message ?? '', /too long to be compared/)
  })

  it('refuses a text over its limit', () => {
    const costly = compilePattern('.*foo.*bar')
    assert.ok(costly.inputCharsMax < 1_000)
    assert.throws(() => costly.test('x'.repeat(costly.inputCharsMax + 1)), /too long/)
  })

  it('keeps the worst case of every accepted pattern short', () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      '.',
      '[ab]',
      '\\w',
      '(a|b)',
      '(a|ab)',
      '(ab?)',
      'a?',
      '(?:a+b)',
      '(a|b*)',
    )
    const repeat = fc.constantFrom('', '*', '+', '?', '{2,5}', '{3}')
    const piece = fc
      .tuple(atom, repeat)
      .map(([part, times]) => (part === 'a?' && times !== '' ? `(?:${part})${times}` : part + times))
    const grouped = fc.tuple(fc.array(piece, { minLength: 1, maxLength: 4 }), repeat)
    const pattern = fc.array(
      grouped.map(([pieces, times]) => `(?:${pieces.join('')})${times}`),
      { minLength: 1, maxLength: 2 },
    )
    fc.assert(
      fc.property(pattern, fc.constantFrom('a', 'ab', 'b', 'aab'), (pieces, unit) => {
        const source = `${pieces.join('')}!`
        if (patternProblem(source) !== undefined) return
        const compiled = compilePattern(source)
        // A twentieth of the allowed length: an exponential pattern would not end even there.
        const text = unit.repeat(Math.min(Math.ceil(compiled.inputCharsMax / 20), 200))
        const started = performance.now()
        compiled.test(text)
        assert.ok(performance.now() - started < 3_000, source)
      }),
      { numRuns: 2_000 },
    )
  })
})
