import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBoundedMap } from './bounded-map.ts'

describe('a bounded map', () => {
  it('keeps what was used last, and forgets what was not used for long', () => {
    const map = createBoundedMap<number>(3)
    map.set('kept', 0)
    for (let n = 1; n <= 100; n++) {
      map.set(`other ${n}`, n)
      assert.equal(map.get('kept'), 0)
      assert.equal(map.get(`other ${n}`), n)
    }
    assert.equal(map.get('other 1'), undefined)
    map.set('kept', 7)
    assert.equal(map.get('kept'), 7)
  })

  it('never holds more than twice its size', () => {
    const map = createBoundedMap<number>(10)
    for (let n = 0; n < 1_000; n++) map.set(`key ${n}`, n)
    let held = 0
    map.deleteWhere(() => {
      held += 1
      return false
    })
    assert.ok(held <= 20, `${held} are held`)
  })

  it('answers the newest value of a key that is in both generations, and deletes it from both', () => {
    const map = createBoundedMap<number>(1)
    map.set('a', 1)
    map.set('b', 2)
    map.set('a', 3)
    assert.equal(map.get('a'), 3)
    map.delete('a')
    assert.equal(map.get('a'), undefined)
  })

  it('deletes by value', () => {
    const map = createBoundedMap<number>(2)
    for (const [key, value] of [
      ['a', 1],
      ['b', 2],
      ['c', 1],
    ] as const)
      map.set(key, value)
    map.deleteWhere((value) => value === 1)
    assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [undefined, 2, undefined])
  })
})
