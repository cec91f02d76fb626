// The tests' real Postgres: a temporary cluster on a free port of this machine, deleted at the end.
// Started once for all tests by test/setup.ts; each test file takes its own database of it.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { chmod, chown, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { findPostgresBinaries, POSTGRES_ACCOUNT, postgresProgram } from './postgres-binaries.ts'
import { CLUSTER_PREFIX, OWNER_FILE, sweepStaleClusters } from './stale-clusters.ts'

const CONNECTIONS_MAX = 200
const START_MS_MAX = 30_000
const STOP_MS_MAX = 10_000
const REMOVE_TRIES_MAX = 100

/** A running server. `url` is the superuser's; `stop` ends the server and deletes its files. */
export type PostgresServer = {
  readonly url: string
  readonly stop: () => Promise<void>
  /** Ends the server as a crash would (SIGQUIT, no checkpoint), and starts it again on the same port and data. */
  readonly crash: () => Promise<void>
} & AsyncDisposable

export interface PostgresOptions {
  /** What was committed survives a crash of the server. Default: it need not, and the tests are quicker. */
  readonly durable?: boolean
  /** What was committed is on the disk. Default: on its way there, which survives a crash of the server alone. */
  readonly synced?: boolean
}

/** A database of its own. Closing it drops it, whoever is still connected. */
export type PostgresDatabase = { readonly url: string } & AsyncDisposable

/**
 * Starts a Postgres whose data does not survive it (no fsync), sorted as people read (ICU, en-US), like
 * the servers that operators run, so that a test which depends on the order of bytes fails here first.
 * @throws Error with one line that says what is missing.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  await sweepStaleClusters()
  const folder = await mkdtemp(join(tmpdir(), CLUSTER_PREFIX))
  try {
    await writeFile(join(folder, OWNER_FILE), String(process.pid))
    if (POSTGRES_ACCOUNT.uid !== undefined) await chown(folder, POSTGRES_ACCOUNT.uid, POSTGRES_ACCOUNT.gid)
    const native = await findPostgresBinaries(join(folder, 'native'))
    const password = randomBytes(12).toString('hex')
    await initialise(postgresProgram(native, 'initdb'), folder, password)
    return await launch(postgresProgram(native, 'postgres'), folder, password, options)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** Creates an empty database with a random name on the server at `serverUrl`. */
export async function createDatabase(serverUrl: string): Promise<PostgresDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`
  await execute(serverUrl, `create database ${name}`)
  const url = new URL(serverUrl)
  url.pathname = name
  return {
    url: url.href,
    [Symbol.asyncDispose]: () => execute(serverUrl, `drop database if exists ${name} with (force)`),
  }
}

async function initialise(initdb: string, folder: string, password: string): Promise<void> {
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, password)
  // Only its owner may read the folder, so the file may be open to the account that it is for.
  await chmod(passwordFile, 0o644)
  const flags = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=password', '--encoding=UTF8']
  const locale = [
    '--locale-provider=icu',
    '--icu-locale=en-US',
    '--locale=C',
    '--no-sync',
    '--no-instructions',
  ]
  const child = await spawnLogged(initdb, [`--pgdata=${join(folder, 'data')}`, ...flags, ...locale], folder)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`The Postgres for the tests cannot be set up: ${await lastLine(folder)}`)
}

async function launch(
  postgres: string,
  folder: string,
  password: string,
  { durable = false, synced = false }: PostgresOptions,
): Promise<PostgresServer> {
  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    max_connections: String(CONNECTIONS_MAX),
    // In tests the machine does not crash: what the server wrote is there, on the disk or on its way.
    fsync: synced ? 'on' : 'off',
    synchronous_commit: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
    ...(process.platform === 'win32' ? {} : { unix_socket_directories: folder }),
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const start = (): Promise<ChildProcess> =>
    spawnLogged(postgres, ['-D', join(folder, 'data'), '-p', String(port), ...flags], folder)
  let server = await start()
  // Tests may end by process.exit() (--test-force-exit does): SIGQUIT then ends the server at once.
  const endAtExit = (): void => {
    server.kill('SIGQUIT')
    removeNow(folder)
  }
  process.once('exit', endAtExit)
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
  const stop = async (): Promise<void> => {
    await stopServer(server)
    await rm(folder, { recursive: true, force: true })
    process.removeListener('exit', endAtExit)
  }
  const crash = async (): Promise<void> => {
    server.ref()
    const exited = once(server, 'exit')
    server.kill('SIGQUIT')
    await exited
    server = await start()
    if (!(await answers(url, server)))
      throw new Error(`The Postgres for the tests does not start again: ${await lastLine(folder)}`)
    server.unref()
  }
  if (await answers(url, server)) {
    server.unref()
    return { url, stop, crash, [Symbol.asyncDispose]: stop }
  }
  const reason = await lastLine(folder)
  await stop()
  throw new Error(`The Postgres for the tests does not start: ${reason}`)
}

/** Starts a program of Postgres; what it says goes to a file, since an open pipe would keep the tests alive. */
async function spawnLogged(program: string, args: string[], folder: string): Promise<ChildProcess> {
  const log = await open(join(folder, 'log'), 'a')
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'))
  const env = { ...Object.fromEntries(inherited), LC_ALL: 'C' }
  const child = spawn(program, args, {
    ...POSTGRES_ACCOUNT,
    cwd: folder,
    env,
    stdio: ['ignore', log.fd, log.fd],
  })
  await once(child, 'spawn')
  await log.close()
  return child
}

async function stopServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  server.ref()
  const exited = once(server, 'exit')
  // SIGINT is Postgres's "fast" shutdown: it ends sessions instead of waiting for them.
  server.kill('SIGINT')
  const timer = setTimeout(() => server.kill('SIGKILL'), STOP_MS_MAX)
  await exited
  clearTimeout(timer)
}

/** In one go, as an exit handler must; again and again, since a server that is ending still writes files. */
function removeNow(folder: string): void {
  for (let attempt = 0; attempt < REMOVE_TRIES_MAX && existsSync(folder); attempt += 1) {
    if (attempt > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    rmSync(folder, { recursive: true, force: true })
  }
}

async function answers(url: string, server: ChildProcess): Promise<boolean> {
  const end = Date.now() + START_MS_MAX
  while (Date.now() < end && server.exitCode === null && server.signalCode === null) {
    const error = await execute(url, 'select 1').catch((failure: unknown) => failure)
    if (error === undefined) return true
    await sleep(25)
  }
  return false
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  // Without a listener, a connection that the server ends would end the whole test process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query(statement)
  } finally {
    await client.end().catch(() => undefined)
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

async function lastLine(folder: string): Promise<string> {
  const log = await readFile(join(folder, 'log'), 'utf8').catch(() => '')
  return log.trim().split('\n').at(-1) || 'it said nothing'
}
