import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createDatabase } from '../../../test/support/postgres.ts'
import { startRedis } from '../../../test/support/redis.ts'
import { startSqs } from '../../../test/support/sqs.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import { compose } from '../compose.ts'
import { ensureFirstAdmin } from '../credentials.ts'
import type { Environment } from '../settings/environment.ts'
import { readSettings } from '../settings.ts'
import { openEngine, transportConfig } from './queue-engine.ts'

describe('the engine of the settings', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'af-engine-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const config = (environment: Environment) => transportConfig(readSettings(environment, folder))

  it('is opened with what they say of it', () => {
    assert.equal(config({}), undefined)
    assert.deepEqual(config({ REDIS_URL: 'redis://:pw@h/2' }), {
      engine: 'bullmq',
      redisUrl: 'redis://:pw@h/2',
    })
    const postgres = 'postgres://u:p@db/x'
    assert.deepEqual(config({ DATABASE_URL: postgres, JOB_QUEUE_URL: 'pg-boss:' }), {
      engine: 'pg-boss',
      databaseUrl: postgres,
    })
    const aws = { AWS_REGION: 'eu-west-3', AWS_ACCESS_KEY_ID: 'AKIA1', AWS_SECRET_ACCESS_KEY: 's' }
    assert.deepEqual(config({ ...aws, JOB_QUEUE_URL: 'sqs://127.0.0.1:4566/0/jobs' }), {
      engine: 'sqs',
      queueUrl: 'http://127.0.0.1:4566/0/jobs',
      region: 'eu-west-3',
      endpoint: 'http://127.0.0.1:4566',
      credentials: { accessKeyId: 'AKIA1', secretAccessKey: 's', sessionToken: undefined },
    })
    const amazon = config({ ...aws, JOB_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/123/jobs' })
    assert.equal(amazon?.engine === 'sqs' && amazon.region, 'us-east-1')
  })

  it('that reaches one process only is warned of where there are several', async () => {
    const warned: string[] = []
    const log = { warn: (message: string) => void warned.push(message) }
    const open = (environment: Environment) =>
      openEngine(readSettings({ JOB_QUEUE_URL: 'memory:', ...environment }, folder), { clock: Date.now, log })
    await using _local = await open({})
    assert.deepEqual(warned, [])
    await using _cluster = await open({ DEPLOYMENT_TYPE: 'KUBERNETES', DATABASE_URL: 'postgres://u:p@db/x' })
    assert.match(warned.join(), /^JOB_QUEUE_URL=memory: reaches one process only/)
  })

  const withPostgres = testDatabases().includes('postgres')
  for (const engine of withPostgres
    ? (['pg-boss', 'bullmq', 'sqs'] as const)
    : (['bullmq', 'sqs'] as const)) {
    it(`carries a run from the request to its end: ${engine}`, async () => {
      await using opened = new AsyncDisposableStack()
      const url = withPostgres
        ? opened.use(await createDatabase(process.env.TEST_POSTGRES_URL ?? '')).url
        : 'sqlite::memory:'
      const queue = await environmentOf(engine, opened)
      const dataDir = join(folder, engine)
      const settings = readSettings(
        { AGENT_FACTORY_DATA_DIR: dataDir, DATABASE_URL: url, LOG_LEVEL: 'silent', ...queue },
        folder,
      )
      const app = opened.use(
        await compose(settings, { models: [createScriptedModel('scripted', () => ({ text: 'Hi.' }))] }),
      )
      const { apiKey } = await ensureFirstAdmin(app.identity, dataDir)
      const admin = await app.identity.authenticateKey(apiKey)
      const context = { requestId: undefined }
      const definition = { name: 'guide', instructions: 'x', model: 'scripted/x' }
      await app.catalog.agents.create(admin, definition, { publish: true }, context)
      const { id } = await app.runtime.start(admin, { agent: 'guide', input: 'x' }, context)
      const run = await app.runtime.wait(admin.tenantId, id, 20_000)
      assert.equal(run.state, 'completed')
      const workers = await app.runtime.jobs.workers()
      assert.deepEqual(
        workers.map((worker) => worker.engine),
        [engine],
      )
    })
  }
})

/** A server of that engine, and how the settings name it. */
async function environmentOf(
  engine: 'pg-boss' | 'bullmq' | 'sqs',
  opened: AsyncDisposableStack,
): Promise<Environment> {
  if (engine === 'pg-boss') return { JOB_QUEUE_URL: 'pg-boss:' }
  if (engine === 'bullmq') return { REDIS_URL: opened.use(await startRedis()).url }
  const { createQueue, region, credentials } = opened.use(await startSqs())
  return {
    JOB_QUEUE_URL: createQueue().url.replace('http:', 'sqs:'),
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }
}
