import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBoundedMap } from './bounded-map.ts'

describe('a bounded map', () => {
  it('forgets what was used longest ago', () => {
    const map = createBoundedMap<number>(2)
    map.set('a', 1)
    map.set('b', 2)
    map.get('a')
    map.set('c', 3)
    assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [1, undefined, 3])
    map.set('a', 4)
    assert.deepEqual([map.get('a'), map.get('c')], [4, 3])
  })

  it('deletes by value', () => {
    const map = createBoundedMap<number>(9)
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
