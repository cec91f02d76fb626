// Workers are killed, stopped beyond their leases and restarted at random while runs are started, answered and
// cancelled; then it is quiet, and what is on record must add up: promises 1 to 3.
// CHAOS_SEED plays another order of blows; the times at which they hit are the machine's.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAppError } from '../../src/base/errors.ts'
import type { RunId } from '../../src/base/ids.ts'
import type { Resolution, Run } from '../../src/runtime/runtime.ts'
import { migrate } from '../../src/storage/migrations/migrate.ts'
import { openDatabase } from '../../src/storage/open.ts'
import type { Factory } from '../support/factory.ts'
import { createDatabase } from '../support/postgres.ts'
import { testDatabases } from '../support/test-databases.ts'
import { assertRecord } from './record.ts'
import { AGENTS, defineAgents, LEASE, openScene } from './scene.ts'

const SCALE = {
  sqlite: { runs: 40, chaosMs: 9_000, quietMs: 12_000 },
  postgres: { runs: 16, chaosMs: 4_000, quietMs: 12_000 },
} as const
const WORKERS = 2
const context = { requestId: undefined }

for (const kind of testDatabases()) {
  describe(`workers that die at random, on ${kind}`, () => {
    const seed = Number(process.env.CHAOS_SEED ?? 1)
    it(`every run ends once, and the record adds up (seed ${seed})`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'af-chaos-'))
      const created =
        kind === 'postgres' ? await createDatabase(process.env.TEST_POSTGRES_URL ?? '') : undefined
      const url = created?.url ?? `sqlite:${join(folder, 'test.db')}`
      const ledger = join(folder, 'ledger')
      writeFileSync(ledger, '')
      try {
        await using db = await openDatabase(url)
        await migrate(db)
        await using factory = await openScene(db, ledger, false)
        await defineAgents(factory)
        const retried = await play(factory, { url, ledger, random: seeded(seed), ...SCALE[kind] })
        await assertRecord(db, readFileSync(ledger, 'utf8').split('\n').filter(Boolean), retried)
      } finally {
        await created?.[Symbol.asyncDispose]()
        rmSync(folder, { recursive: true, force: true })
      }
    })
  })
}

interface Play {
  readonly url: string
  readonly ledger: string
  readonly random: () => number
  readonly runs: number
  readonly chaosMs: number
  readonly quietMs: number
}

/** Answers how often a person let each call be made again, by its idempotency key. */
async function play(factory: Factory, scene: Play): Promise<ReadonlyMap<string, number>> {
  const { random } = scene
  const workers = Array.from({ length: WORKERS }, () => new Worker(scene))
  const retried = new Map<string, number>()
  const end = performance.now() + scene.chaosMs
  const chaos = () => performance.now() < end
  const started: RunId[] = []
  try {
    const starting = async (): Promise<void> => {
      for (let n = 0; n < scene.runs; n++) {
        started.push(await start(factory, AGENTS[n % AGENTS.length] ?? 'payer', n))
        await sleep(chaos() ? (random() * scene.chaosMs) / scene.runs : 0)
      }
    }
    const striking = async (): Promise<void> => {
      while (chaos()) {
        await workers[Math.floor(random() * WORKERS)]?.strike(random())
        await sleep(random() * 150)
      }
    }
    const cancelling = async (): Promise<void> => {
      while (chaos()) {
        await sleep((6 * scene.chaosMs) / scene.runs)
        const open = await openRuns(factory)
        const run = open[Math.floor(random() * open.length)]
        if (run !== undefined) await tolerant(factory.runtime.cancel(factory.admin, run.id, context))
      }
    }
    const answering = async (): Promise<void> => {
      const late = end + scene.quietMs
      for (let open = 1; open > 0 || started.length < scene.runs; ) {
        assert.ok(performance.now() < late, `${open} runs did not end: ${await whatIsOpen(factory)}`)
        await answerAll(factory, random, retried)
        await sleep(50)
        open = chaos() ? 1 : await countOpen(factory)
      }
    }
    await Promise.all([starting(), striking(), cancelling(), answering()])
  } finally {
    await Promise.all(workers.map((worker) => worker.end()))
  }
  return retried
}

async function start({ runtime, admin }: Factory, agent: string, n: number): Promise<RunId> {
  if (n % 3 > 0) return (await runtime.start(admin, { agent, input: 'Go.' }, context)).id
  const session = await runtime.createSession(admin, agent, context)
  return (await runtime.start(admin, { agent, input: 'Go.', sessionId: session.id }, context)).id
}

/** A person answers what waits: lets a call go ahead or not, says what became of it, or has it made again. */
async function answerAll(
  factory: Factory,
  random: () => number,
  retried: Map<string, number>,
): Promise<void> {
  const { runtime, tenantId, admin } = factory
  for (const { id } of (await runtime.list(tenantId, { limit: 200, state: 'waiting' })).items) {
    for (const step of await runtime.steps(tenantId, id, { limit: 50, after: 0 })) {
      if (step.state !== 'waiting') continue
      const answer = answerTo(step.waitingReason === 'in_doubt' ? 'in_doubt' : 'approval', random())
      if (!(await tolerant(runtime.resolve(admin, id, step.seq, answer, context)))) continue
      const key = `${id}:${step.seq}`
      if (answer.outcome === 'retry') retried.set(key, (retried.get(key) ?? 0) + 1)
    }
  }
}

function answerTo(reason: 'approval' | 'in_doubt' | null, chance: number): Resolution {
  if (reason === 'approval') return chance < 0.8 ? { outcome: 'approve' } : { outcome: 'decline' }
  if (chance < 0.5) return { outcome: 'retry' }
  return chance < 0.8 ? { outcome: 'succeeded', output: { done: true } } : { outcome: 'failed' }
}

/** False where the run had moved on, which a person may meet at any time. */
async function tolerant(change: Promise<Run>): Promise<boolean> {
  try {
    await change
    return true
  } catch (error) {
    if (isAppError(error, 'run.state-conflict') || isAppError(error, 'run.finished')) return false
    throw error
  }
}

async function openRuns({ runtime, tenantId }: Factory): Promise<readonly Run[]> {
  const states = ['queued', 'running', 'waiting'] as const
  const pages = await Promise.all(states.map((state) => runtime.list(tenantId, { limit: 200, state })))
  return pages.flatMap(({ items }) => items)
}

async function countOpen(factory: Factory): Promise<number> {
  return (await openRuns(factory)).length
}

async function whatIsOpen(factory: Factory): Promise<string> {
  const runs = await openRuns(factory)
  return runs.map(({ id, definitionName, state }) => `${id} ${definitionName} ${state}`).join(', ')
}

/** A process that works, and what can befall it. */
class Worker {
  readonly #scene: Play
  #child: ChildProcess
  #ready: Promise<unknown>

  constructor(scene: Play) {
    this.#scene = scene
    this.#child = this.#spawn()
    this.#ready = once(this.#child.stdout ?? this.#child, 'data')
  }

  async strike(chance: number): Promise<void> {
    await this.#ready
    if (chance < 0.2) {
      // It sleeps beyond its lease, wakes, and does not know.
      this.#child.kill('SIGSTOP')
      await sleep(LEASE.leaseMs * 2.5)
      this.#child.kill('SIGCONT')
      return
    }
    await this.#quit(chance < 0.8 ? 'SIGKILL' : 'SIGTERM')
    this.#child = this.#spawn()
    this.#ready = once(this.#child.stdout ?? this.#child, 'data')
  }

  async end(): Promise<void> {
    this.#child.kill('SIGCONT')
    await this.#quit('SIGKILL')
  }

  async #quit(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill(signal)
    await gone
  }

  #spawn(): ChildProcess {
    const { url, ledger } = this.#scene
    const script = join(import.meta.dirname, 'scene.ts')
    return spawn(process.execPath, [script, url, ledger], { stdio: ['ignore', 'pipe', 'inherit'] })
  }
}

/** Mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
