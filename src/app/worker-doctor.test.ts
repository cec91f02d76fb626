import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createDatabase } from '../../test/support/postgres.ts'
import { sharedRedis } from '../../test/support/redis.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { createTestWorld } from '../cli/test-world.ts'
import type { RegisteredWorker } from '../queue/registry.ts'
import { compose } from './compose.ts'
import { PACKAGE_VERSION } from './package-version.ts'
import type { Environment } from './settings/environment.ts'
import { readSettings } from './settings.ts'
import { diagnoseWorkers, queueChecks, workerChecks } from './worker-doctor.ts'

const WORKER: RegisteredWorker = {
  id: 'a',
  version: '1.0.0',
  engine: 'database',
  kinds: ['agent'],
  codeTools: [],
  concurrency: 4,
  active: 1,
  startedAt: 0,
  heartbeatAt: 0,
  drainingAt: null,
  state: 'live',
}
const lines = (checks: readonly { name: string; status: string; detail: string }[]) =>
  checks.map(({ name, status, detail }) => `${status} ${name}: ${detail}`)

describe('the doctor of workers', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'af-worker-doctor-'))
  })
  after(() => rmSync(folder, { recursive: true }))
  const environment = (dir: string, more: Environment = {}): Environment => ({
    AGENT_FACTORY_DATA_DIR: join(folder, dir),
    LOG_LEVEL: 'silent',
    ...more,
  })

  it('asks no table of a database that the first start makes', async () => {
    const { ok, checks } = await diagnoseWorkers(environment('none'))
    assert.equal(ok, true)
    assert.deepEqual(
      checks.map(({ name }) => name),
      ['database', 'engine'],
    )
  })

  it('tells of the disk, the workers that live, and the queue', async () => {
    const variables = environment('sqlite')
    await using app = await compose(readSettings(variables))
    assert.ok(app.worker.name)
    const { ok, checks } = await diagnoseWorkers(variables)
    assert.equal(ok, true, JSON.stringify(checks))
    const told = lines(checks)
    assert.ok(told.includes('ok workers: 1 live, 0 of 16 places taken'), told.join('\n'))
    assert.ok(told.includes(`ok worker versions: ${PACKAGE_VERSION}`))
    assert.ok(told.some((line) => /^(ok|failed) disk: /.test(line)))
    assert.ok(told.includes('ok queue: 0 queued, 0 taken, 0 scheduled'))
    assert.ok(told.includes('ok dead jobs: none') && told.includes('ok unroutable jobs: none'))
  })

  if (testDatabases().includes('postgres'))
    it('looks at the clock and the pooler of a Postgres, and at how Redis keeps what it is given', async () => {
      await using database = await createDatabase(process.env.TEST_POSTGRES_URL ?? '')
      const redis = await sharedRedis()
      const variables = environment('postgres', { DATABASE_URL: database.url, REDIS_URL: redis.url })
      const first = await diagnoseWorkers(variables)
      assert.ok(
        lines(first.checks).some((line) => /^ok engine: bullmq answers/.test(line)),
        JSON.stringify(first),
      )
      await using _app = await compose(readSettings(variables))
      const names = (await diagnoseWorkers(variables)).checks.map(({ name }) => name)
      for (const name of ['clock', 'pooler', 'workers', 'worker engines', 'queue'])
        assert.ok(names.includes(name), `${name} is not in ${names.join()}`)
    })

  it('fails where the engine does not answer, in one line without its password; so does the command', async () => {
    const variables = environment('gone', { REDIS_URL: 'redis://:canary@127.0.0.1:1' })
    const { ok, checks } = await diagnoseWorkers(variables)
    const engine = checks.find(({ name }) => name === 'engine')
    assert.deepEqual([ok, engine?.status], [false, 'failed'])
    assert.match(engine?.detail ?? '', /REDIS_URL/)
    assert.doesNotMatch(JSON.stringify(checks), /canary|\n/)
    using world = createTestWorld(Object.fromEntries(Object.entries(variables).map(([k, v]) => [k, v ?? ''])))
    const ran = await world.run(['worker', 'doctor', '--json'])
    assert.deepEqual([ran.code, (ran.json() as { ok: boolean }).ok], [1, false])
    assert.match(ran.err, /^agent-factory: 1 check failed: [^\n]+\n$/)
  })

  it('says which setting is wrong before it looks at anything', async () => {
    const { ok, checks } = await diagnoseWorkers(environment('wrong', { JOB_QUEUE_URL: 'kafka:' }))
    assert.deepEqual([ok, checks.map(({ name }) => name)], [false, ['settings']])
  })

  it('warns of workers that differ, of tickets in memory that reach one of several, of nobody', () => {
    const two = [WORKER, { ...WORKER, id: 'b', version: '1.1.0', engine: 'memory' }]
    const told = lines(workerChecks(two, { jobQueue: { engine: 'memory' } })).join('\n')
    assert.match(told, /^ok workers: 2 live, 2 of 8 places taken$/m)
    assert.match(told, /^warning worker versions: They differ \(1\.0\.0, 1\.1\.0\)/m)
    assert.match(told, /^warning worker engines: They differ \(database, memory\)/m)
    assert.match(told, /^warning engine memory: /m)
    const lost = [{ ...WORKER, state: 'lost' as const }]
    assert.match(
      lines(workerChecks(lost, { jobQueue: { engine: 'database' } })).join('\n'),
      /^warning workers: No worker lives/,
    )
  })

  it('warns of jobs that wait too long, that no worker can do, and that were given up', () => {
    const depth = { ticketsInFlight: 0, workers: 1, oldestQueuedMs: 61_000 }
    const jobs = { queued: 3, scheduled: 0, leased: 0, unroutable: 2, dead: 1 }
    assert.deepEqual(
      queueChecks({ ...depth, jobs }).map(({ status }) => status),
      ['warning', 'warning', 'warning'],
    )
  })
})
