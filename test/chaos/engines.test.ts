// The short chaos: every engine loses its workers, its server and its tickets while a few runs go through it.
// `npm run chaos` plays thousands of runs.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { testDatabases } from '../support/test-databases.ts'
import { play } from './engines/play.ts'
import { CHAOS_ENGINES, isOnPostgres, openServices } from './engines/services.ts'
import { MUST_BE_ZERO } from './engines/verdict.ts'
import { seeded } from './simulation/scheduler.ts'

const RUNS = 24
const WORKERS = 2

describe('chaos', () => {
  for (const engine of CHAOS_ENGINES) {
    if (isOnPostgres(engine) && !testDatabases().includes('postgres')) continue
    it(`on ${engine}: nothing is lost, repeated, billed twice or stuck`, async () => {
      await using services = await openServices(engine)
      const options = { runs: RUNS, workers: WORKERS, random: seeded(1), progress: () => undefined }
      const played = await play(services, options)
      assert.equal(played.accepted, RUNS)
      for (const figure of MUST_BE_ZERO)
        assert.equal(played[figure], 0, `${figure}: ${JSON.stringify(played)}`)
      assert.ok(played.kills > 0, 'nothing was killed')
    })
  }
})
