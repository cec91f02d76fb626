import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createChannel } from './channel.ts'
import { costText } from './cost-text.ts'
import { eventText } from './run-text.ts'
import { durationText, fullTime, listTime, relativeTime } from './time-text.ts'

const NOW = Date.parse('2026-11-22T10:00:00.000Z')

describe('words for people', () => {
  it('say how long ago, and when', () => {
    assert.equal(relativeTime('2026-11-22T09:59:58.000Z', NOW), 'now')
    assert.equal(relativeTime('2026-11-22T09:59:30.000Z', NOW), '< 1 min. ago')
    assert.equal(relativeTime('2026-11-22T09:57:00.000Z', NOW), '3 min. ago')
    assert.equal(relativeTime('2026-11-24T10:00:00.000Z', NOW), 'in 2 days')
    assert.equal(fullTime('2026-11-21T10:00:00.000Z', NOW), '2026-11-21 10:00:00Z (1 day ago)')
    assert.equal(listTime({ live: false }, '2026-11-21T10:00:00.123Z', NOW), '2026-11-21 10:00:00Z')
    assert.deepEqual([120, 1_440, 200_000].map(durationText), ['120 ms', '1.4 s', '3 min 20 s'])
  })

  it('never show an unknown cost as zero', () => {
    assert.equal(costText('0', 0), '$0')
    assert.equal(costText('0', 2), 'unknown (2 calls unpriced)')
    assert.equal(costText('0.00123', 1), 'at least $0.00123 (1 call unpriced)')
  })

  it('tell an event in one line', () => {
    const event = {
      type: 'tool.finished',
      runId: 'run_1',
      runSeq: 6,
      actor: 'a',
      data: { tool: 'x\ny', none: null, n: 2 },
      occurredAt: '',
    } as const
    assert.equal(eventText(event), '   6  tool.finished       tool=x y  n=2')
  })

  it('are coloured on a terminal only, and not where colours are unwanted', () => {
    const paint = (isTTY: boolean, color: boolean, term?: string) =>
      createChannel({ isTTY, write: () => undefined }, color, term).paint('red', 'x')
    assert.equal(paint(true, true), '\u001b[31mx\u001b[39m')
    assert.deepEqual([paint(false, true), paint(true, false), paint(true, true, 'dumb')], ['x', 'x', 'x'])
  })
})
