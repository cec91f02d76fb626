import assert from 'node:assert/strict'
import { it } from 'node:test'
import { align } from './step-alignment.ts'

const pairs = (a: string, b: string): string =>
  align([...a], [...b], (letter) => letter)
    .map((pair) => `${pair.a ?? '-'}${pair.b ?? '-'}`)
    .join(' ')

it('steps are paired in order, as many as can be', () => {
  assert.equal(pairs('abc', 'abc'), 'aa bb cc')
  assert.equal(pairs('abc', 'axc'), 'aa b- -x cc')
  assert.equal(pairs('ab', 'xab'), '-x aa bb')
  assert.equal(pairs('', 'ab'), '-a -b')
  assert.equal(pairs('aab', 'ab'), 'aa a- bb')
})
