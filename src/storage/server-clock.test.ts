import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { CLOCK_OFF_MS_MIN, followServerClock } from './server-clock.ts'

const FIVE_MINUTES = 300_000

forEachDatabase((name, open) => {
  // SQLite's server is the process itself: its clock is the host's, right or wrong.
  if (name === 'postgres') {
    it('makes hosts agree whose clocks do not', async () => {
      await using db = await open()
      await using early = await followServerClock(db, () => Date.now() - FIVE_MINUTES)
      await using late = await followServerClock(db, () => Date.now() + FIVE_MINUTES)
      assert.ok(Math.abs(early.now() - late.now()) < CLOCK_OFF_MS_MIN)
      assert.ok(Math.abs(early.offsetMs() - FIVE_MINUTES) < CLOCK_OFF_MS_MIN)
    })

    it('follows a clock that is set while it runs', async () => {
      await using db = await open()
      let wrong = 0
      await using clock = await followServerClock(db, () => Date.now() + wrong)
      assert.equal(clock.offsetMs(), 0)
      wrong = FIVE_MINUTES
      await clock.sync()
      assert.ok(Math.abs(clock.now() - Date.now()) < CLOCK_OFF_MS_MIN)
    })
  } else {
    it('is the host’s own clock', async () => {
      await using db = await open()
      const host = (): number => 42
      await using clock = await followServerClock(db, host)
      assert.equal(clock.now, host)
    })
  }
})
