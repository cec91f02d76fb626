// One engine's chaos: runs are started, answered and struck at until all have ended; then it is judged.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { compose } from '../../../src/app/compose.ts'
import { syncHostProject } from '../../../src/app/host-code.ts'
import { readSettings } from '../../../src/app/settings.ts'
import { Client } from '../../../src/sdk.ts'
import type { Database } from '../../../src/storage/database.ts'
import { systemStatement } from '../../../src/storage/statement.ts'
import { addBudget } from '../../support/budgets.ts'
import { type Struck, struck } from './child.ts'
import { chaosModel, chaosProject, PLAYED } from './scene.ts'
import type { Services } from './services.ts'
import { judge, type Verdict } from './verdict.ts'

export interface PlayOptions {
  readonly runs: number
  readonly random: () => number
  readonly workers: number
  /** Lines for people: how far it has come. */
  readonly progress: (line: string) => void
}

export interface Played extends Verdict {
  readonly kills: number
  readonly pauses: number
  readonly restarts: number
  readonly asked: number
  readonly seconds: number
}

const BUDGET_NANOS = 1_000_000_000_000n
const STARTERS = 16
const OPEN_RUNS_MAX = 200
const STRIKE_MS = 500
/** Where all work is in one process, each blow ends all of it. */
const STRIKE_MS_ALONE = 1_000
const PAUSE_MS = 5_000
/** Every so many strikes the database or the engine is hit instead of a process. */
const SERVICE_STRIKE_EVERY = 20
/** Nothing ended for so long: what is open is stuck. */
const STILL_MS_MAX = 60_000
const ANSWERS_AT_ONCE = 100

const ALL = 'a test looks at everything'
const openRuns = systemStatement('chaos.open-runs', ALL, (db) =>
  db
    .selectFrom('runs')
    .select((eb) => eb.fn.countAll<number>().as('open'))
    .where('state', 'in', ['queued', 'running', 'waiting'])
    .where('parentRunId', 'is', null),
)
const pending = systemStatement('chaos.pending', ALL, (db) =>
  db.selectFrom('approvals').select('id').where('state', '=', 'pending').limit(ANSWERS_AT_ONCE),
)
const doubtful = systemStatement('chaos.doubtful', ALL, (db) =>
  db
    .selectFrom('steps')
    .select(['runId', 'seq', 'idempotencyKey'])
    .where('state', '=', 'waiting')
    .where('waitingReason', '=', 'in_doubt')
    .limit(ANSWERS_AT_ONCE),
)

export async function play(services: Services, options: PlayOptions): Promise<Played> {
  const startedAt = performance.now()
  const ledger = join(services.folder, 'ledger')
  writeFileSync(ledger, '')
  const key = await prepare(services, ledger)
  await using db = await services.openDatabase()
  const game = new Game(services, options, db, ledger, key)
  const counts = await game.play()
  const effects = readFileSync(ledger, 'utf8').split('\n').filter(Boolean)
  const verdict = await judge(db, game.accepted, effects, game.allowedAgain)
  return { ...verdict, ...counts, seconds: Math.round((performance.now() - startedAt) / 1_000) }
}

/** Migrates, makes the first key and a budget, publishes what is played. */
async function prepare(services: Services, ledger: string): Promise<string> {
  const settings = readSettings({ ...services.env, WORKER_CONCURRENCY: '0' })
  await using app = await compose(settings, { models: [chaosModel()], host: chaosProject(ledger) })
  const made = await app.identity.bootstrap({ tenantName: 'chaos', adminName: 'admin' })
  if (made === undefined) throw new Error('The database of the chaos was not empty.')
  const admin = await app.identity.authenticateKey(made.key)
  for (const { name, result } of await syncHostProject(app, admin, chaosProject(ledger)))
    if (result.action === 'refused') throw new Error(`${name}: ${result.reason}`)
  // Refuses nothing, since the scripted model has no price; but each attempt at it is held, and has to be settled.
  const { tenantId } = admin
  await addBudget(app.db, tenantId, { mode: 'soft', limitNanos: BUDGET_NANOS })
  return made.key
}

class Game {
  readonly accepted = new Set<string>()
  /** How often a person let each effect be made again. */
  readonly allowedAgain = new Map<string, number>()
  readonly #services: Services
  readonly #options: PlayOptions
  readonly #db: Database
  readonly #client: Client
  readonly #server: Struck
  readonly #workers: readonly Struck[]
  readonly #counts = { kills: 0, pauses: 0, restarts: 0, asked: 0 }
  #open = 0
  #striking = true
  #over = false

  constructor(services: Services, options: PlayOptions, db: Database, ledger: string, key: string) {
    this.#services = services
    this.#options = options
    this.#db = db
    const env = {
      ...process.env,
      ...services.env,
      CHAOS_LEDGER: ledger,
      LOG_LEVEL: process.env.CHAOS_LOG_LEVEL ?? 'silent',
    }
    const port = String(services.port)
    const own = services.inProcess ? '8' : '0'
    this.#server = struck('server', { ...env, CHAOS_PORT: port, WORKER_CONCURRENCY: own })
    this.#workers = Array.from({ length: services.inProcess ? 0 : options.workers }, (_, n) =>
      struck('worker', {
        ...env,
        WORKER_CONCURRENCY: '8',
        CHAOS_SKEW_MS: String(services.skewMs * ((n % 3) - 1)),
      }),
    )
    this.#client = new Client({ apiKey: key, baseUrl: `http://127.0.0.1:${port}`, retry: { attempts: 1 } })
  }

  async play(): Promise<Pick<Played, 'kills' | 'pauses' | 'restarts' | 'asked'>> {
    try {
      const starting = Promise.all(Array.from({ length: STARTERS }, (_, lane) => this.#start(lane)))
      const others = Promise.all([this.#strike(), this.#answer(), this.#watch()])
      await starting
      await others
    } finally {
      this.#over = true
      this.#client.close()
      await Promise.all([this.#server, ...this.#workers].map((child) => child.end()))
    }
    return this.#counts
  }

  /** One of several who start runs: each asks again, with the same key, until it was told that its run is accepted. */
  async #start(lane: number): Promise<void> {
    for (let n = lane; n < this.#options.runs; n += STARTERS) {
      while (this.#open > OPEN_RUNS_MAX) await sleep(50)
      const what = PLAYED[n % PLAYED.length] ?? PLAYED[0]
      const options = { idempotencyKey: `chaos-${n}` }
      const run = await persist(() =>
        what.kind === 'agent'
          ? this.#client.runAgent(what.name, 'Go.', options)
          : this.#client.runWorkflow(what.name, { input: { n } }, options),
      )
      this.accepted.add(run.id)
    }
  }

  async #strike(): Promise<void> {
    const { random } = this.#options
    for (let strikes = 1; this.#striking && !this.#over; strikes++) {
      await sleep(random() * 2 * (this.#services.inProcess ? STRIKE_MS_ALONE : STRIKE_MS))
      if (strikes % SERVICE_STRIKE_EVERY === 0) {
        if (await this.#services.strike(random)) this.#counts.restarts += 1
        continue
      }
      const chance = random()
      const worker = this.#workers[Math.floor(random() * this.#workers.length)] ?? this.#server
      if (!(chance < 0.2 ? this.#server : worker).ready()) continue
      if (chance > 0.9 && worker !== this.#server) {
        this.#counts.pauses += 1
        void worker.pause(PAUSE_MS)
        continue
      }
      this.#counts.kills += 1
      await (chance < 0.2 ? this.#server : worker).replace(chance > 0.8 ? 'SIGTERM' : 'SIGKILL')
    }
  }

  /** A person: approves most, and says what became of what is in doubt. */
  async #answer(): Promise<void> {
    const { random } = this.#options
    while (!this.#over) {
      await sleep(200)
      const waiting = await this.#db.system
        .read(async (reader) => ({
          approvals: await reader.all(pending, {}),
          doubts: await reader.all(doubtful, {}),
        }))
        .catch(() => ({ approvals: [], doubts: [] }))
      for (const { id } of waiting.approvals) {
        const outcome = random() < 0.9 ? 'approve' : 'decline'
        await tolerant(() => this.#client.decideApproval(id, { outcome }))
      }
      for (const { runId, seq, idempotencyKey } of waiting.doubts) {
        this.#counts.asked += 1
        const again = random() < 0.5
        // Counted first: the server may do it and die before it says so.
        if (again && idempotencyKey !== null)
          this.allowedAgain.set(idempotencyKey, (this.allowedAgain.get(idempotencyKey) ?? 0) + 1)
        await tolerant(() =>
          this.#client.resolveRun(
            runId,
            again
              ? { step: seq, outcome: 'retry' }
              : { step: seq, outcome: 'succeeded', output: { done: true } },
          ),
        )
      }
    }
  }

  /** Ends the game once everything has ended, or nothing does any more. */
  async #watch(): Promise<void> {
    const { runs, progress } = this.#options
    let movedAt = performance.now()
    let before = -1
    while (!this.#over) {
      await sleep(500)
      const row = await this.#db.system.read((reader) => reader.first(openRuns, {})).catch(() => undefined)
      if (row === undefined) continue
      this.#open = Number(row.open)
      const ended = this.accepted.size - this.#open
      if (ended !== before) movedAt = performance.now()
      before = ended
      progress(`${this.accepted.size} of ${runs} accepted, ${ended} ended, ${this.#counts.kills} kills`)
      // The last ones end in quiet, so that what is stuck can be told from what is late.
      if (this.accepted.size === runs && this.#open < runs / 20) this.#striking = false
      const isStill = performance.now() - movedAt > STILL_MS_MAX
      if ((this.accepted.size === runs && this.#open === 0) || isStill) this.#over = true
    }
  }
}

/** Again and again until the server answers: it is killed and started anew meanwhile. */
async function persist<T>(request: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await request()
    } catch (error) {
      if (isRefusal(error)) throw error
      await sleep(100)
    }
  }
}

/** What somebody else did first, or the server's death, is met by looking again. */
async function tolerant(request: () => Promise<unknown>): Promise<void> {
  await request().catch(() => undefined)
}

/** The server understood and refused: to ask again changes nothing. */
function isRefusal(error: unknown): boolean {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 0
  return status >= 400 && status < 500 && status !== 409 && status !== 429
}
