// The example of workers that share one load runs as it is, on a real Postgres and a real Redis.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'node:test'
import { promisify } from 'node:util'
import { createDatabase } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { testDatabases } from '../support/test-databases.ts'

const EXAMPLE = join(import.meta.dirname, '../../examples/shared-load/share-load.ts')
const RUNS = 60

if (testDatabases().includes('postgres'))
  it('two workers on Postgres and two on Redis share one load: all complete, none twice', async () => {
    await using database = await createDatabase(process.env.TEST_POSTGRES_URL ?? '')
    await using redis = await startRedis()
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=agent-factory-source', EXAMPLE, String(RUNS)],
      {
        env: {
          PATH: process.env.PATH,
          NODE_OPTIONS: '--conditions=agent-factory-source',
          DATABASE_URL: database.url,
          REDIS_URL: redis.url,
          LOG_LEVEL: 'warn',
        },
      },
    )
    const counts = [...stdout.matchAll(/^(Postgres|Redis) worker [12]: (\d+) runs$/gm)].map((match) =>
      Number(match[2]),
    )
    assert.equal(counts.length, 4, stdout)
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      RUNS,
      stdout,
    )
    assert.match(stdout, new RegExp(`^${RUNS} completed, 0 taken twice$`, 'm'))
  })
