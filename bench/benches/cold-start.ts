// From the start of a process to the first 200, and the memory it holds once it is at rest: `npm start` as it is
// after an install, on an empty folder and on one that is ready, beside a bare server of Hono.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import type { Bench, Figure } from '../figure.ts'
import { startArguments } from '../support/start-arguments.ts'
import { median } from '../support/statistics.ts'
import { workFolder } from '../support/work-folder.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const START_MS_MAX = 30_000
const LOOK_MS = 3
const SETTLE_MS = 4_000
const READY_MS = 600
const RSS_MB = 130
const KIB_PER_MB = 1_000_000 / 1_024
const FREE_PORT_TRIES = 50

export const coldStartBench: Bench = async ({ rounds }) => {
  await using ready = await workFolder('cold-start')
  // The first start makes what the later ones find: the data folder, and Node's compiled code.
  await startOnce(platform(ready.path, true), 0)
  const starts: Record<Kind, Started[]> = { uncached: [], first: [], later: [], bare: [] }
  for (let round = 0; round < rounds; round++) {
    await using empty = await workFolder('cold-start')
    await using other = await workFolder('cold-start')
    const isLast = round === rounds - 1
    starts.uncached.push(await startOnce(platform(other.path, false), 0))
    starts.first.push(await startOnce(platform(empty.path, true), 0))
    starts.later.push(await startOnce(platform(ready.path, true), SETTLE_MS))
    starts.bare.push(await startOnce(bareServer, isLast ? SETTLE_MS : 0))
  }
  return figuresOf(starts)
}

type Kind = 'uncached' | 'first' | 'later' | 'bare'

interface Startable {
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly readyPath: string
}

interface Started {
  readonly readyMs: number
  /** Of a start that was let settle; 0 otherwise. */
  readonly rssMb: number
}

/** `npm start` without npm: its launcher and its flags. `cached`: whether Node may keep and use what it compiled. */
function platform(folder: string, cached: boolean): (port: number) => Startable {
  return (port) => ({
    args: startArguments(),
    env: {
      PORT: String(port),
      AGENT_FACTORY_DATA_DIR: folder,
      ...(cached ? {} : { NODE_DISABLE_COMPILE_CACHE: '1' }),
    },
    readyPath: '/readyz',
  })
}

function bareServer(port: number): Startable {
  const input = { path: '/readyz', body: { ready: true }, headers: {}, port }
  return { args: ['bench/programs/hono-server.ts', JSON.stringify(input)], env: {}, readyPath: '/readyz' }
}

async function startOnce(startable: (port: number) => Startable, settleMs: number): Promise<Started> {
  const port = await freePort()
  const { args, env, readyPath } = startable(port)
  const startedAt = performance.now()
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    // Nothing of this process's settings; what systems need to start a program at all.
    env: { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  try {
    await untilReady(child, `http://127.0.0.1:${port}${readyPath}`)
    const readyMs = performance.now() - startedAt
    if (settleMs > 0) await sleep(settleMs)
    return { readyMs, rssMb: settleMs > 0 ? rssOf(child) : 0 }
  } finally {
    await stop(child)
  }
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  const end = performance.now() + START_MS_MAX
  while (performance.now() < end) {
    if (child.exitCode !== null) throw new Error(`The server ended with code ${child.exitCode}.`)
    const status = await request(url).then(
      async ({ statusCode, body }) => {
        await body.dump()
        return statusCode
      },
      () => 0,
    )
    if (status === 200) return
    await sleep(LOOK_MS)
  }
  throw new Error(`${url} was not ready within ${START_MS_MAX} ms.`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

/** Of the server: the launcher's child where there is one. `ps` has it in KiB on Linux and macOS; elsewhere there is none. */
function rssOf({ pid }: ChildProcess): number {
  const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,rss='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const found = processes.find(([, parent]) => parent === pid) ?? processes.find(([own]) => own === pid)
  return (found?.[2] ?? 0) / KIB_PER_MB
}

/** A port that is free, and the one after it as well, which the example shop takes. */
async function freePort(): Promise<number> {
  for (let tries = 0; tries < FREE_PORT_TRIES; tries++) {
    const port = await heldPort(0)
    if (port !== undefined && (await heldPort(port + 1)) !== undefined) return port
  }
  throw new Error('There are no two free ports in a row.')
}

function heldPort(asked: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(asked, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' ? address?.port : undefined
      server.close(() => resolve(port))
    })
  })
}

function figuresOf(starts: Readonly<Record<Kind, readonly Started[]>>): readonly Figure[] {
  const readyMs = (kind: Kind): number => median(starts[kind].map((start) => start.readyMs))
  const rssMb = (kind: Kind): number =>
    median(starts[kind].map((start) => start.rssMb).filter((rss) => rss > 0))
  const bare = readyMs('bare')
  const limit = { kind: 'at-most', limit: READY_MS } as const
  const unit = 'ms'
  return [
    { metric: 'ready, on data that is there', value: readyMs('later'), unit, comparison: limit },
    {
      metric: 'ready, on data that is there, beside bare Hono',
      value: readyMs('later'),
      unit,
      comparison: { kind: 'peer', name: 'bare Hono', value: bare },
    },
    { metric: 'ready, in an empty folder', value: readyMs('first'), unit, comparison: limit },
    {
      metric: 'ready, in an empty folder, without Node’s compile cache',
      value: readyMs('uncached'),
      unit,
      comparison: limit,
    },
    { metric: 'bare Hono ready', value: bare, unit },
    {
      metric: 'memory at rest',
      value: rssMb('later'),
      unit: 'MB',
      comparison: { kind: 'at-most', limit: RSS_MB },
    },
    {
      metric: 'memory at rest, beside bare Hono',
      value: rssMb('later'),
      unit: 'MB',
      comparison: { kind: 'peer', name: 'bare Hono', value: rssMb('bare') },
    },
    { metric: 'bare Hono’s memory at rest', value: rssMb('bare'), unit: 'MB' },
  ]
}
