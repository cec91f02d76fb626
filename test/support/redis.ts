// The tests' real Redis: started on a free port where a test first asks for it, ended with the tests.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { findRedis, type RedisBinary } from './redis-binaries.ts'
import { startedOnce } from './shared-services.ts'

const FOLDER_PREFIX = 'agent-factory-redis-'
const OWNER_FILE = 'owner.pid'
const START_MS_MAX = 10_000

/** A running Redis that keeps nothing on disk: a restart forgets all. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string
  /** Ends it as a crash would (SIGKILL). */
  kill(): Promise<void>
  /** Starts it again on the same port, empty. */
  start(): Promise<void>
  /** Both, one after the other. */
  restart(): Promise<void>
  /** Forgets everything. */
  flush(): Promise<void>
  stop(): Promise<void>
}

/** The one that tests share; each keeps to a prefix of its own. */
export const sharedRedis = startedOnce(
  () => startRedis(),
  (server) => server.stop(),
)

/** Throws one line that says what is missing. */
export async function startRedis(flags: readonly string[] = []): Promise<RedisServer> {
  await sweepStale()
  const folder = await mkdtemp(join(tmpdir(), FOLDER_PREFIX))
  try {
    await writeFile(join(folder, OWNER_FILE), String(process.pid))
    return await launch(await findRedis(join(folder, 'native')), folder, flags)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function launch(binary: RedisBinary, folder: string, flags: readonly string[]): Promise<RedisServer> {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let server: ChildProcess | undefined
  const kill = async (): Promise<void> => {
    const ending = server
    server = undefined
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return
    ending.ref()
    const exited = once(ending, 'exit')
    ending.kill('SIGKILL')
    await exited
  }
  const start = async (): Promise<void> => {
    server = await spawnRedis(binary, folder, port, flags)
    if (!(await answers(url, server))) {
      const log = await readFile(join(folder, 'log'), 'utf8').catch(() => '')
      await kill()
      throw new Error(
        `The Redis for the tests does not start: ${log.trim().split('\n').at(-1) ?? 'it said nothing'}`,
      )
    }
    server.unref()
  }
  // Tests may end by process.exit() (--test-force-exit does).
  const endAtExit = (): void => {
    server?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', endAtExit)
  const stop = async (): Promise<void> => {
    await kill()
    await rm(folder, { recursive: true, force: true })
    process.removeListener('exit', endAtExit)
  }
  await start()
  return {
    url,
    kill,
    start,
    restart: async () => {
      await kill()
      await start()
    },
    flush: () => withClient(url, async (redis) => void (await redis.flushall())),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Deletes every key that begins so, as a flush would for the one who uses them. */
export function flushPrefix(url: string, prefix: string): Promise<void> {
  return withClient(url, async (redis) => {
    const keys = await redis.keys(`${prefix}:*`)
    if (keys.length > 0) await redis.del(...keys)
  })
}

async function withClient(url: string, work: (redis: Redis) => Promise<void>): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  redis.on('error', () => undefined)
  try {
    await redis.connect()
    await work(redis)
  } finally {
    redis.disconnect()
  }
}

async function spawnRedis(
  { path, env }: RedisBinary,
  folder: string,
  port: number,
  flags: readonly string[],
): Promise<ChildProcess> {
  const log = await open(join(folder, 'log'), 'a')
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
  const child = spawn(path, [...options, '--save', '', '--appendonly', 'no', ...flags], {
    argv0: 'redis-server',
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', log.fd, log.fd],
  })
  await once(child, 'spawn')
  await log.close()
  await writeFile(join(folder, 'redis.pid'), String(child.pid))
  return child
}

async function answers(url: string, server: ChildProcess): Promise<boolean> {
  const end = Date.now() + START_MS_MAX
  while (Date.now() < end && server.exitCode === null && server.signalCode === null) {
    const failure = await withClient(url, async (redis) => void (await redis.ping())).catch(
      (error: unknown) => error,
    )
    if (failure === undefined) return true
    await sleep(10)
  }
  return false
}

/** Ends what runs of the tests that were killed left behind. */
async function sweepStale(): Promise<void> {
  for (const name of (await readdir(tmpdir())).filter((entry) => entry.startsWith(FOLDER_PREFIX))) {
    const folder = join(tmpdir(), name)
    const owner = await pidIn(join(folder, OWNER_FILE))
    if (owner === undefined || isAlive(owner)) continue
    const pid = await pidIn(join(folder, 'redis.pid'))
    const place = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    // The id may belong to another program by now.
    if (pid !== undefined && place.includes('redis-server')) {
      const cwd = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
      if (cwd.includes(folder) || place.includes(folder)) process.kill(pid, 'SIGKILL')
    }
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}

async function pidIn(file: string): Promise<number | undefined> {
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10)
  return pid > 0 ? pid : undefined
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('No free port on 127.0.0.1.')
  return address.port
}
