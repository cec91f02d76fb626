import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isAppError } from '../base/errors.ts'
import type { Json, JsonObject } from '../base/json.ts'
import { compileExpression } from './expression.ts'

const VALUES: JsonObject = {
  x: 5,
  half: 0.5,
  name: 'Ada',
  items: [1, 2, 3],
  order: { total: 120, lines: [{ sku: 'a', count: 2 }], note: null },
}

const RESULTS: readonly (readonly [string, Json])[] = [
  ['1 + 2', 3],
  ['x + 1', 6],
  ['1 + x', 6],
  ['x / 2', 2.5],
  ['5 / 2', 2],
  ['x % 2', 1],
  ['x * half', 2.5],
  ['2 * half + 1', 2],
  ['0.1 + 0.2', 0.1 + 0.2],
  ['x == 5', true],
  ['x in [4, 5]', true],
  ['items[1]', 2],
  ['items[x - 4]', 2],
  ['items.map(i, i * 2)', [2, 4, 6]],
  ['items.filter(i, i > 1).size()', 2],
  ['items.exists(i, i == 2) && items.all(i, i > 0)', true],
  ['order.total > 100 ? "large" : "small"', 'large'],
  ['has(order.note)', true],
  ['has(order.missing)', false],
  ['order.lines[0].sku + "-" + name', 'a-Ada'],
  ['{"name": name, "count": size(items)}', { name: 'Ada', count: 3 }],
  ['[1, "two", 3.5, null]', [1, 'two', 3.5, null]],
  ['name.matches("^A[a-z]+$")', true],
  ['cel.bind(n, x * 2, n + 1)', 11],
  ['timestamp("2026-01-02T03:04:05Z")', '2026-01-02T03:04:05.000Z'],
  ['duration("90s")', '90s'],
  ['9007199254740991', 9007199254740991],
  ['string(9007199254740993)', '9007199254740993'],
  ['-0.0', 0],
]

describe('compileExpression', () => {
  for (const [source, expected] of RESULTS) {
    it(`gives ${JSON.stringify(expected)} for ${source}`, () => {
      assert.deepEqual(compileExpression(source).evaluate(VALUES), expected)
    })
  }

  it('names the place of an error', () => {
    fails(() => compileExpression('1 +\n  * 2'), /line 2, column 3/)
    fails(() => compileExpression('x + y', { variables: ['x'] }), /column 5: Unknown variable: y/)
    fails(() => compileExpression('"a" * 3'), /no such overload: string \* int/)
  })

  it('says what is missing when it is evaluated', () => {
    fails(() => compileExpression('order.missing').evaluate(VALUES), /No such key: missing/)
    fails(() => compileExpression('nothing').evaluate(VALUES), /Unknown variable: nothing/)
    fails(() => compileExpression('items[7]').evaluate(VALUES), /out of bounds/)
  })

  it('refuses results that JSON does not have', () => {
    fails(() => compileExpression('9007199254740993').evaluate({}), /larger than a JSON number holds/)
    fails(() => compileExpression('1.0 / 0.0').evaluate({}), /Infinity/)
    fails(() => compileExpression('type(1)').evaluate({}), /which JSON does not have/)
    fails(() => compileExpression('b"abc"').evaluate({}), /which JSON does not have/)
  })

  it('reaches no prototype', () => {
    for (const source of [
      'constructor',
      'toString',
      'order.constructor',
      'order.__proto__',
      'items["length"]',
    ]) {
      fails(() => compileExpression(source).evaluate(VALUES), /./)
    }
    assert.deepEqual(compileExpression('{"__proto__": {"a": 1}, "b": 2}').evaluate({}), { b: 2 })
    fails(() => compileExpression('b"{\\"constructor\\": 1}".json()').evaluate({}), /./)
  })

  it('keeps one compiled form for a source', () => {
    assert.equal(compileExpression('x + 7'), compileExpression('x + 7'))
    assert.notEqual(compileExpression('x + 7'), compileExpression('x + 7', { variables: ['x'] }))
  })

  it('agrees with JavaScript on arithmetic of JSON numbers', () => {
    const number = fc.double({ noNaN: true, min: -1e6, max: 1e6 })
    const expression = compileExpression('a * b + a - b')
    fc.assert(
      fc.property(number, number, (a, b) => assert.equal(expression.evaluate({ a, b }), a * b + a - b || 0)),
    )
  })
})

describe('limits of expressions', () => {
  const thousand = Array.from({ length: 1_000 }, (_, index) => index)
  // Binds v1 to an expression of v0, v2 to the same of v1, and so on; `last` is evaluated inside.
  const grown = (start: string, times: number, grow: (name: string) => string, last: string) =>
    `cel.bind(v0, ${start}, ${Array.from({ length: times }, (_, i) => `cel.bind(v${i + 1}, ${grow(`v${i}`)}, `).join('')}${last}${')'.repeat(times + 1)}`
  const double = (name: string) => `${name} + ${name}`
  const eightfold = (name: string) => `[${Array.from({ length: 8 }, () => name).join(',')}]`

  const BOMBS: readonly (readonly [what: string, source: string, message: RegExp])[] = [
    ['nested loops', 'l.map(a, l.map(b, l.map(c, 1))).size()', /more than 200000 steps/],
    [
      'nested loops behind ||',
      'l.exists(a, l.exists(b, l.exists(c, false))) || true',
      /more than 200000 steps/,
    ],
    ['a text that doubles', grown(`"${'x'.repeat(256)}"`, 11, double, 'size(v11)'), /builds a text/],
    ['a list that doubles', grown('l', 6, double, 'size(v6)'), /builds a list/],
    [
      'a list joined to a huge text',
      'cel.bind(s, l.map(i, string(i)).join(","), l.map(i, s).join(""))',
      /builds a text/,
    ],
    ['comparing lists that share parts', grown('[1]', 9, eightfold, `v9 == ${eightfold('v8')}`), /steps/],
    ['looking for lists that share parts', grown('[1]', 9, eightfold, 'dyn(v9) in [dyn(v8)]'), /steps/],
    ['a large result', 'l.map(a, l)', /result is too large/],
    ['a catastrophic pattern', `"${'a'.repeat(40)}!".matches("(a+)+$")`, /run for too long/],
    [
      'a catastrophic pattern from data',
      '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!".matches(p)',
      /run for too long/,
    ],
    ['a deep source', `${'('.repeat(200)}1${')'.repeat(200)}`, /maxDepth/],
    ['a long chain of signs', `${'!'.repeat(4_000)}true`, /maxAstNodes/],
    ['a source with many nodes', Array.from({ length: 1_500 }, () => '1').join('+'), /maxAstNodes/],
    ['a long source', `"${'x'.repeat(5_000)}"`, /longer than 4096 characters/],
  ]
  for (const [what, source, message] of BOMBS) {
    it(`stops ${what} in good time`, () => {
      const started = performance.now()
      fails(() => compileExpression(source).evaluate({ l: thousand, p: '(a+)+$' }), message)
      assert.ok(performance.now() - started < 3_000)
    })
  }

  it('leaves ordinary work alone', () => {
    const expression = compileExpression(
      'l.filter(i, i % 2 == 0 && i > 10).map(i, {"id": i, "label": "no " + string(i)})',
    )
    assert.equal((expression.evaluate({ l: thousand }) as readonly Json[]).length, 494)
  })

  it('counts afresh at each evaluation', () => {
    const expression = compileExpression('l.map(a, l.map(b, a + b)).size()')
    const values = { l: thousand.slice(0, 100) }
    for (let i = 0; i < 20; i++) assert.equal(expression.evaluate(values), 100)
  })
})

function fails(run: () => unknown, message: RegExp): void {
  assert.throws(run, (error) => {
    assert.ok(isAppError(error), String(error))
    assert.match(error.message, message)
    return true
  })
}
