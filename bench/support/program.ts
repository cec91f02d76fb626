// Programs: what is measured runs in a process of its own and answers questions, so that rounds of several of them
// can take turns, each warm, and none in the way of another. This is the parent's side; answer.ts is the child's.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Profiler } from 'node:inspector'
import { join } from 'node:path'
import type { Asked, Replied } from './answer.ts'
import type { SqliteCounts } from './sqlite-counter.ts'
import { serverFlags } from './start-arguments.ts'

const BENCH = join(import.meta.dirname, '..')
/** These run with the flags of our server; the bare one too, so that what differs is the code. */
const SERVERS = /^programs\/(?:platform-|hono-server)/
const STOP_MS_MAX = 20_000

export interface Program<R, Q, A> extends AsyncDisposable {
  /** What it said when it was open. */
  readonly ready: R
  ask(question: Q): Promise<A>
  usage(): Promise<Usage>
  /** Does the work and answers what the program asked of SQLite meanwhile. Counting makes it slower. */
  count<T>(work: () => Promise<T>): Promise<readonly [T, SqliteCounts]>
  /** Does the work and answers what the program's processor did meanwhile. */
  profile(work: () => Promise<unknown>): Promise<Profiler.Profile>
  /** Ends it as a crash would (SIGKILL). */
  kill(): Promise<void>
}

export interface Usage {
  readonly cpuMs: number
  readonly rssBytes: number
}

/** Starts a program; `path` is relative to bench/. Its output goes nowhere, its errors to ours. */
export async function openProgram<R, Q, A>(path: string, input: unknown = {}): Promise<Program<R, Q, A>> {
  const child = fork(join(BENCH, path), [JSON.stringify(input)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: SERVERS.test(path) ? [...process.execArgv, ...serverFlags()] : process.execArgv,
  })
  const asks = createAsks(child, path)
  const ready = (await asks.next()) as R
  const send = (message: Asked): Promise<unknown> => {
    const reply = asks.next()
    child.send(message)
    return reply
  }
  return {
    ready,
    ask: async (question) => (await send({ type: 'ask', question })) as A,
    usage: async () => (await send({ type: 'usage' })) as Usage,
    count: async (work) => {
      await send({ type: 'count-start' })
      const value = await work()
      return [value, (await send({ type: 'count-stop' })) as SqliteCounts]
    },
    profile: async (work) => {
      await send({ type: 'profile-start' })
      await work()
      return (await send({ type: 'profile-stop' })) as Profiler.Profile
    },
    kill: () => kill(child),
    [Symbol.asyncDispose]: () => stop(child),
  }
}

/** One question at a time: the next reply is the answer. A program that ends instead has failed. */
function createAsks(child: ChildProcess, path: string): { next(): Promise<unknown> } {
  let waiting = Promise.withResolvers<unknown>()
  child.on('message', (reply: Replied) => {
    if (reply.status === 'done') waiting.resolve(reply.value)
    else waiting.reject(new Error(`${path}: ${reply.error}`))
  })
  let ended: Error | undefined
  child.on('exit', (code, signal) => {
    ended = new Error(`${path} ended (${code ?? signal}).`)
    waiting.reject(ended)
  })
  return {
    next: () => {
      if (ended) return Promise.reject(ended)
      waiting = Promise.withResolvers()
      // Nobody may be waiting when it ends.
      waiting.promise.catch(() => undefined)
      return waiting.promise
    },
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  // The program closes what it opened, and ends, when nobody can ask it any more.
  if (child.connected) child.disconnect()
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
  await ended
  clearTimeout(late)
}
