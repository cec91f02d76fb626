import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLookTurns, LOOK_PLACES_MAX } from './look-turns.ts'

const SLOT_MS = 1_000

function group(count: number) {
  const ids = Array.from({ length: count }, (_, n) => `worker-${String(n).padStart(3, '0')}`)
  const turns = ids.map((id) => createLookTurns(id, SLOT_MS))
  for (const turn of turns) turn.share(ids.toReversed())
  return turns
}

const looks = (turns: ReturnType<typeof group>, at: number): number =>
  turns.filter((turn) => turn.due(at)).length

describe('turns at looking', () => {
  it('one worker looks whenever it asks', () => {
    const [turn] = group(1)
    assert.ok(turn?.due(10_000))
    assert.ok(turn?.due(10_000))
  })

  it('as many as there are places look once each, one at a time', () => {
    const turns = group(LOOK_PLACES_MAX)
    looks(turns, 0)
    for (let slot = 1; slot <= 20; slot++) assert.equal(looks(turns, slot * SLOT_MS), 1)
  })

  it('more of them share places, so that each looks often enough to be told from one that hangs', () => {
    const turns = group(LOOK_PLACES_MAX * 2 + 1)
    looks(turns, 0)
    const seen = turns.map(() => 0)
    for (let slot = 1; slot <= LOOK_PLACES_MAX; slot++)
      for (const [n, turn] of turns.entries()) if (turn.due(slot * SLOT_MS)) seen[n] = (seen[n] ?? 0) + 1
    assert.deepEqual(new Set(seen), new Set([1]))
  })

  it('a slot that a late timer missed is made up for', () => {
    const [first] = group(2)
    assert.ok(first?.due(0))
    assert.ok(!first?.due(1_999))
    assert.ok(first?.due(3_000), 'slot 2 was its own')
  })

  it('a clock that was set back stops nobody', () => {
    const [first] = group(2)
    assert.ok(first?.due(1_000_000))
    assert.ok(first?.due(4_000))
    assert.ok(!first?.due(5_000))
    assert.ok(first?.due(6_000))
  })

  it('who is not among those that share looks for itself', () => {
    const turn = createLookTurns('late', SLOT_MS)
    turn.share(['a', 'b', 'c'])
    for (let slot = 0; slot < 5; slot++) assert.ok(turn.due(slot * SLOT_MS))
  })
})
