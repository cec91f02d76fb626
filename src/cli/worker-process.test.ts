// Workers as processes: told to stop, killed, stuck, and once. Each is a real child; what they share is a database.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ModelServer, startModelServer } from '../../test/support/model-server/model-server.ts'
import { answer } from '../../test/support/model-server/reply.ts'
import { createDatabase, startPostgres } from '../../test/support/postgres.ts'
import { startRedis } from '../../test/support/redis.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { createTestWorld, type TestWorld } from './test-world.ts'

const MAIN = join(import.meta.dirname, 'main.ts')
const WAIT_MS_MAX = 30_000
/** Longer than any test: the model never answers by itself. */
const NEVER_MS = 600_000
const AGENT = 'name: slow\ninstructions: Answer.\nmodel: lab/any\n'

interface Run {
  readonly id: string
  readonly job_id: string
  readonly state: string
}

/** A worker process, and what it has said on both streams. */
interface Child {
  readonly process: ChildProcess
  readonly said: () => string
  readonly errors: () => string
  until(pattern: RegExp): Promise<void>
  ended(): Promise<number | NodeJS.Signals | null>
}

for (const database of testDatabases()) {
  describe(`worker processes on ${database}`, () => {
    const opened = new AsyncDisposableStack()
    let model: ModelServer
    let world: TestWorld
    let variables: Record<string, string> = {}

    before(async () => {
      model = opened.use(await startModelServer())
      const folder = opened.adopt(mkdtempSync(join(tmpdir(), 'af-worker-')), (path) =>
        rmSync(path, { recursive: true, force: true }),
      )
      const url =
        database === 'sqlite'
          ? `sqlite:${join(folder, 'work.db')}`
          : opened.use(await createDatabase(process.env.TEST_POSTGRES_URL ?? '')).url
      variables = {
        AGENT_FACTORY_DATA_DIR: folder,
        DATABASE_URL: url,
        MODEL_PROVIDERS: `lab=${model.url}/v1`,
        LOG_LEVEL: 'error',
      }
      // It only puts runs in the queue: its own process takes none.
      world = opened.use(createTestWorld({ ...variables, WORKER_CONCURRENCY: '0' }))
      const made = await world.run(['agent', 'create', '-', '--publish', '--local'], { stdin: AGENT })
      assert.equal(made.code, 0, made.err)
    })
    after(() => opened.disposeAsync())

    const start = (args: readonly string[] = [], more: Record<string, string> = {}): Child =>
      spawnWorker(args, { ...variables, ...more }, world.folder)
    const enqueue = async (...args: readonly string[]): Promise<Run> => {
      const ran = await world.run(['enqueue-run', 'slow', '--input', 'x', '--json', '--local', ...args])
      assert.equal(ran.code, 0, ran.err)
      return ran.json() as Run
    }
    const found = async (what: readonly string[]): Promise<Record<string, unknown>> =>
      (await world.run([...what, '--json', '--local'])).json() as Record<string, unknown>
    /** A worker that is in the middle of a model call. */
    const busyWorker = async (...args: readonly string[]): Promise<Child> => {
      const before = model.requests.length
      model.script({ ...answer({ text: 'late' }), firstChunkMs: NEVER_MS })
      const child = start(args)
      await until(() => model.requests.length > before, child)
      return child
    }

    it('SIGTERM in the middle of a run gives it back: another worker finishes it, and no attempt was burned', async () => {
      const run = await enqueue()
      const first = await busyWorker('--drain-timeout', '100ms')
      first.process.kill('SIGTERM')
      assert.equal(await first.ended(), 0, first.errors())
      assert.match(
        first.said(),
        /^started worker=\S+ engine=database concurrency=16 kinds=\S+\ndraining .*\nstopped /,
      )
      const waiting = await found(['jobs', 'get', run.job_id])
      assert.deepEqual([waiting.state, waiting.attempt], ['queued', 0])
      const second = start(['--once'])
      assert.equal(await second.ended(), 0, second.errors())
      assert.equal((await found(['run', 'get', run.id])).state, 'completed')
      const job = await found(['jobs', 'get', run.job_id])
      assert.deepEqual([job.state, job.attempt], ['done', 1])
    })

    it('SIGKILL in the middle of a run: a worker of the same machine goes on at once', async () => {
      const run = await enqueue()
      const first = await busyWorker()
      first.process.kill('SIGKILL')
      assert.equal(await first.ended(), 'SIGKILL')
      const second = start([])
      try {
        await until(async () => (await found(['run', 'get', run.id])).state === 'completed', second)
      } finally {
        second.process.kill('SIGTERM')
      }
      assert.equal(await second.ended(), 0, second.errors())
    })

    it('a second signal ends it at once', async () => {
      const run = await enqueue()
      const child = await busyWorker('--drain-timeout', '10m')
      child.process.kill('SIGTERM')
      await child.until(/draining/)
      child.process.kill('SIGINT')
      assert.equal(await child.ended(), 'SIGINT')
      assert.equal((await world.run(['run', 'cancel', run.id, '--local'])).code, 0)
    })

    it('--once does what is due, of its kinds only, and leaves what is due later', async () => {
      const now = await enqueue('--priority', 'low')
      const later = await enqueue('--delay', '1h')
      const other = start(['--once', '--kinds', 'workflow', '--concurrency', '2', '--json'])
      assert.equal(await other.ended(), 0, other.errors())
      assert.equal((await found(['run', 'get', now.id])).state, 'queued')
      const [started] = other
        .said()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      assert.deepEqual([started?.event, started?.concurrency], ['started', 2])
      const once = start(['--once'])
      assert.equal(await once.ended(), 0, once.errors())
      assert.match(once.said(), /\nstopped worker=\S+ reason=empty\n$/)
      assert.equal((await found(['run', 'get', now.id])).state, 'completed')
      const job = await found(['jobs', 'get', later.job_id])
      assert.deepEqual([job.state, job.priority], ['scheduled', 'normal'])
      await world.run(['jobs', 'cancel', later.job_id, '--local'])
    })

    it('refuses wrong options and an engine that is not there in one line', async () => {
      const wrong = start(['--kinds', 'agents'])
      assert.equal(await wrong.ended(), 1)
      assert.match(
        wrong.errors(),
        /^agent-factory: AGENT_FACTORY_WORKER_KINDS="agents" is not allowed[^\n]+\n$/,
      )
      const usage = start(['--concurrency', 'many'])
      assert.equal(await usage.ended(), 2)
      const gone = start(['--once'], { REDIS_URL: 'redis://:canary@127.0.0.1:1' })
      assert.equal(await gone.ended(), 1)
      assert.match(gone.errors(), /^agent-factory: [^\n]*REDIS_URL[^\n]*\n$/)
      assert.doesNotMatch(gone.errors(), /canary/)
    })

    it('answers for its health where it is asked to, and for nothing else', async () => {
      const child = start(['--health-port', '0'])
      try {
        await child.until(/health url=\S+\n/)
        const [, url = ''] = /health url=(\S+)/.exec(child.said()) ?? []
        assert.equal((await fetch(`${url}/readyz`)).status, 200)
        assert.equal((await fetch(`${url}/metrics`)).status, 401)
        assert.equal((await fetch(`${url}/api/v1/me`)).status, 404)
        await child.until(/started/)
        const listed = await world.run(['worker', 'list', '--json', '--local'])
        const workers = listed.json() as readonly { readonly state: string; readonly id: string }[]
        assert.ok(
          workers.some(({ id, state }) => state === 'live' && child.said().includes(id)),
          listed.out,
        )
      } finally {
        child.process.kill('SIGINT')
      }
      assert.equal(await child.ended(), 0, child.errors())
    })

    it('one that no message of its engine reaches any more ends with code 1, to be started anew', async () => {
      await using redis = await startRedis()
      const child = start(['--stall-timeout', '1500ms'], { REDIS_URL: redis.url, LOG_LEVEL: 'silent' })
      await child.until(/started .*engine=bullmq/)
      await redis.kill()
      assert.equal(await child.ended(), 1)
      assert.match(child.errors(), /agent-factory: The engine bullmq has not looked for jobs for \d[^\n]+\n$/)
    })
  })
}

describe('a worker process whose database is gone', () => {
  it('ends with code 1 and one line', async () => {
    await using server = await startPostgres()
    using world = createTestWorld()
    const variables = {
      AGENT_FACTORY_DATA_DIR: world.folder,
      DATABASE_URL: server.url,
      LOG_LEVEL: 'silent',
    }
    const child = spawnWorker(['--stall-timeout', '1500ms'], variables, world.folder)
    await child.until(/started/)
    await server.stop()
    assert.equal(await child.ended(), 1)
    assert.match(child.errors(), /^agent-factory: The database has not answered for \d[^\n]+\n$/)
  })
})

function spawnWorker(args: readonly string[], variables: Record<string, string>, cwd: string): Child {
  const child = spawn(process.execPath, [MAIN, 'worker', 'start', ...args], {
    cwd,
    env: {
      PATH: process.env.PATH,
      HOME: cwd,
      NODE_OPTIONS: '--conditions=agent-factory-source',
      ...variables,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    err += String(chunk)
  })
  const running: Child = {
    process: child,
    said: () => out,
    errors: () => err,
    until: (pattern) => until(() => pattern.test(out), running),
    async ended() {
      const late = setTimeout(() => child.kill('SIGKILL'), WAIT_MS_MAX)
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
      clearTimeout(late)
      return child.exitCode ?? child.signalCode
    },
  }
  return running
}

/** Waits for something that a child brings about; fails where the child ends before. */
async function until(reached: () => boolean | Promise<boolean>, child: Child): Promise<void> {
  for (const late = Date.now() + WAIT_MS_MAX; Date.now() < late; await sleep(20)) {
    if (await reached()) return
    if (child.process.exitCode !== null)
      assert.fail(`it ended with ${child.process.exitCode}: ${child.said()}${child.errors()}`)
  }
  child.process.kill('SIGKILL')
  assert.fail(`it did not happen within ${WAIT_MS_MAX} ms: ${child.said()}${child.errors()}`)
}
