// Thousands of interleavings of workers, people and crashes: each must end each run once, with each effect made once.
// SIMULATION_SEED plays another thousand, SIMULATION_RUNS more of them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Run } from '../../../src/runtime/runtime.ts'
import { openTestDatabase } from '../../support/database.ts'
import type { Factory } from '../../support/factory.ts'
import { seeded } from './scheduler.ts'
import { type Definitions, type Played, World } from './world.ts'

const RUNS = Number(process.env.SIMULATION_RUNS ?? 700)
/** Fewer points than the shortest of them has. */
const POINTS_MIN = 20
const FIRST_SEED = Number(process.env.SIMULATION_SEED ?? 1)

const DEFINITIONS: Definitions = {
  agents: [
    { name: 'payer', tools: ['pay', 'put'] },
    { name: 'careful', tools: ['sign'] },
    { name: 'boss', tools: ['pay'], subAgents: ['payer', 'careful'] },
  ],
  turns: {
    payer: [['pay', 'put'], ['pay']],
    careful: [['sign']],
    boss: [['payer', 'careful'], ['pay']],
  },
}

describe('every interleaving', () => {
  for (const agent of ['payer', 'careful', 'boss']) {
    it(`of ${agent} ends it once, with each effect made once`, async () => {
      await using db = await openTestDatabase()
      const world = new World(db, DEFINITIONS)
      await world.define()
      let crashes = 0
      for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
        const played = await world.play(seed, starting(agent))
        crashes += played.crashes
        assertPlayed(played, `${agent}, seed ${seed}`)
      }
      assert.ok(crashes > RUNS / 4, `only ${crashes} crashes`)
    })
  }

  for (const agent of ['payer', 'careful', 'boss']) {
    it(`of ${agent} with a crash at every point ends it once`, async () => {
      await using db = await openTestDatabase()
      const world = new World(db, DEFINITIONS)
      await world.define()
      let crashes = 0
      for (let crashAt = 0; ; crashAt++) {
        const played = await world.play(FIRST_SEED, starting(agent), crashAt)
        assertPlayed(played, `${agent}, crash at ${crashAt}`)
        crashes += played.crashes
        if (played.steps <= crashAt) break
      }
      assert.ok(crashes > POINTS_MIN, `only ${crashes} crashes`)
    })
  }

  it('is the same for the same seed', () => {
    const [one, two] = [seeded(7), seeded(7)]
    assert.deepEqual(
      Array.from({ length: 20 }, () => one()),
      Array.from({ length: 20 }, () => two()),
    )
  })
})

function starting(agent: string) {
  return ({ runtime, admin }: Factory): Promise<Run> =>
    runtime.start(admin, { agent, input: 'Go.' }, { requestId: undefined })
}

function assertPlayed({ run, effects, allowedAgain, steps }: Played, of: string): void {
  assert.equal(
    run.state,
    'completed',
    `${of}: ${run.state} ${run.waitingReason ?? ''} ${run.error?.message ?? ''} after ${steps} steps`,
  )
  for (const [key, made] of Map.groupBy(effects, (effect) => effect))
    assert.ok(made.length <= 1 + (allowedAgain.get(key) ?? 0), `${of}: ${key} was made ${made.length} times`)
}
