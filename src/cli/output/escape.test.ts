import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { oneLine, visible, visibleJson } from './escape.ts'

describe('text from outside', () => {
  it('cannot move the cursor, and keeps its lines', () => {
    assert.equal(visible('a\u001b[2Jb\rc\r\nd\te\u202ef\u009b'), 'a\\u001b[2Jb\\u000dc\nd\te\\u202ef\\u009b')
    assert.equal(visible('\u200fa\u200eb\u061c'), '\\u200fa\\u200eb\\u061c')
    assert.equal(visible('naïve 日本語 🙂'), 'naïve 日本語 🙂')
  })
  it('becomes one line', () => assert.equal(oneLine(' a\n\n  b\tc\u0007 '), 'a b c\\u0007'))
  it('in JSON means the same', () => {
    const value = { a: 'x\u009b\u2028\u202e\u007f' }
    const json = visibleJson(JSON.stringify(value, undefined, 2))
    assert.deepEqual(JSON.parse(json), value)
    assert.match(json, /^[\x20-\x7e\n]*$/)
  })
})
