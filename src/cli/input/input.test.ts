import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { agentDefinition } from '../../contract/agent.ts'
import { expiry, list, seconds, usd, whole } from './option-values.ts'
import { decoded, parseArgument, parseDocument } from './parse-document.ts'

describe('values of options', () => {
  it('are read', () => {
    assert.equal(whole(1, 10)('7'), 7)
    assert.equal(seconds('1.5'), 1.5)
    assert.equal(usd('$0.50'), '0.50')
    assert.deepEqual(list('a, b,,c', ['z']), ['z', 'a', 'b', 'c'])
    assert.equal(expiry('90d', 0), new Date(90 * 86_400_000).toISOString())
    assert.equal(expiry('2027-01-31'), '2027-01-31T00:00:00.000Z')
    assert.equal(expiry('2027-01-31T10:00:00+01:00'), '2027-01-31T09:00:00.000Z')
  })

  it('that are wrong say what is allowed', () => {
    for (const text of ['0', '11', '-1', '1e3', '', ' 2', '0x1'])
      assert.throws(() => whole(1, 10)(text), /whole number from 1 to 10/)
    for (const text of ['0', '-1', 'x']) assert.throws(() => seconds(text), /seconds/)
    for (const text of ['', '-1', '1e3', '0.0000000001']) assert.throws(() => usd(text), /USD/)
    for (const text of ['soon', '2027-13-01', '90']) assert.throws(() => expiry(text), /90d/)
  })
})

describe('documents', () => {
  it('are JSON or YAML', () => {
    assert.deepEqual(parseDocument('{"a": 1}', 'x'), { a: 1 })
    assert.deepEqual(parseDocument('a: 1\nb: [x]', 'x'), { a: 1, b: ['x'] })
  })

  it('that cannot be used are refused in one line, whatever is wrong', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefg'
      .split('')
      .map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdefg'[i]}`).join(',')}]`)
      .join('\n')}`
    for (const text of ['{"a": ', 'a: [', '{"__proto__": {}}', 'a: &x 1\nb: *y', bomb, 'a: 1\na: 2'])
      assert.throws(
        () => parseDocument(text, 'file.yaml'),
        { name: 'CliFailure', kind: 'usage', message: /^file\.yaml[^\n]*$/ },
        text,
      )
    assert.throws(() => parseArgument('{a}', '--input'), { kind: 'usage', message: /^--input must be JSON/ })
  })

  it('tell every wrong field by the name that the file has', () => {
    const wire = { name: 'X', instructions: 'a', model: 'offline/x', maxSteps: 1, limits: { max_steps: 0 } }
    assert.throws(
      () => decoded(agentDefinition, wire, 'a.yaml'),
      (error: { code: string; errors: { path: string }[] }) => {
        assert.equal(error.code, 'definition.invalid')
        assert.deepEqual(error.errors.map(({ path }) => path).toSorted(), [
          '/limits/max_steps',
          '/maxSteps',
          '/name',
        ])
        return true
      },
    )
  })
})
