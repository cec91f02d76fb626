// A simulated world: one database, several workers and a person, each an actor of the scheduler; a virtual clock.

import { mock } from 'node:test'
import { isAppError } from '../../../src/base/errors.ts'
import type { RunId } from '../../../src/base/ids.ts'
import type { ToolEffect } from '../../../src/contract/tool.ts'
import type { CodeTool } from '../../../src/define/code-tool.ts'
import { defineTool } from '../../../src/define/define-tool.ts'
import type { ModelProvider, ModelRequest } from '../../../src/models/model.ts'
import type { ScriptedTurn } from '../../../src/models/scripted/script.ts'
import { createScriptedModel } from '../../../src/models/scripted/scripted-model.ts'
import type { Run } from '../../../src/runtime/runtime.ts'
import type { Database } from '../../../src/storage/database.ts'
import { type Factory, openFactory } from '../../support/factory.ts'
import { actorDatabase } from './actor-database.ts'
import { createScheduler, type Scheduler, seeded } from './scheduler.ts'

export const LEASE = { leaseMs: 15_000, heartbeatMs: 5_000 }
const WORKERS = 2
const CRASH_CHANCE = 0.012
const PAUSE_CHANCE = 0.004
const TICK_CHANCE = 0.03
/** A tick is up to twice a lease: now and then nobody was quick enough. */
const TICK_MS_MAX = 2 * LEASE.leaseMs
const CRASHES_MAX = 4
/** More than any play needs: a run that has not ended by then is stuck. */
const STEPS_MAX = 6_000
const IDLE_TICK_MS = 1_100
/** Virtual time passes quickly: what crashes, pauses and leases take would use up the ten minutes that a run has by default. */
const LIMITS = { maxIdenticalCalls: 100, timeoutMs: 86_400_000 }

export interface Definitions {
  readonly agents: readonly {
    readonly name: string
    readonly tools?: readonly string[]
    readonly subAgents?: readonly string[]
  }[]
  /** The calls of each agent, turn by turn; then it answers. */
  readonly turns: Readonly<Record<string, readonly (readonly string[])[]>>
}

export interface Played {
  readonly run: Run
  /** Idempotency keys of `once` effects, as they happened. */
  readonly effects: readonly string[]
  readonly allowedAgain: ReadonlyMap<string, number>
  readonly crashes: number
  readonly steps: number
}

const context = { requestId: undefined }

/** Plays worlds one after another on one database: their runs have nothing to do with each other. */
export class World {
  readonly #db: Database
  readonly #definitions: Definitions
  #now = 1_800_000_000_000
  #made = 0

  constructor(db: Database, definitions: Definitions) {
    this.#db = db
    this.#definitions = definitions
  }

  /** Publishes what is played. */
  async define(): Promise<void> {
    const factory = await this.#actor(createScheduler(Math.random), 'author', [], false)
    for (const { name, tools = [], subAgents = [] } of this.#definitions.agents) {
      const limits = LIMITS
      await factory.agent({ name, instructions: name, tools: [...tools], subAgents: [...subAgents], limits })
    }
  }

  /**
   * One interleaving: the seed decides who goes on, who crashes and when time passes. With `crashAt` only the worker
   * that went on in that step crashes, at the point which it comes to then.
   */
  async play(seed: number, start: (factory: Factory) => Promise<Run>, crashAt?: number): Promise<Played> {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
    try {
      return await this.#play(seeded(seed), start, crashAt)
    } finally {
      mock.timers.reset()
    }
  }

  async #play(
    random: () => number,
    start: (factory: Factory) => Promise<Run>,
    crashAt: number | undefined,
  ): Promise<Played> {
    const scheduler = createScheduler(random)
    const effects: string[] = []
    const allowedAgain = new Map<string, number>()
    const person = await this.#actor(scheduler, 'person', effects, false)
    const { id } = await start(person)
    scheduler.control('person')
    let crashes = 0
    const workers: string[] = []
    const hire = async (): Promise<void> => {
      const name = `worker-${++this.#made}`
      const factory = await this.#actor(scheduler, name, effects, false)
      scheduler.control(name)
      workers.push(name)
      void factory.worker.start()
    }
    const replace = async (worker: string): Promise<void> => {
      crashes += 1
      scheduler.crash(worker)
      workers.splice(workers.indexOf(worker), 1)
      await hire()
    }
    const idle = (): void => {
      for (const worker of workers) scheduler.resume(worker)
      answering.look()
      this.#tick(IDLE_TICK_MS)
    }
    for (let n = 0; n < WORKERS; n++) await hire()
    const answering = this.#answer(person, id, random, allowedAgain)
    let steps = 0
    for (; steps < STEPS_MAX && !answering.ended(); steps++) {
      await scheduler.quiet()
      const victim = workers[Math.floor(random() * workers.length)] ?? ''
      const chance = random()
      if (crashAt !== undefined) {
        const moved = scheduler.step()
        if (steps === crashAt && moved !== undefined && workers.includes(moved)) {
          await scheduler.quiet()
          await replace(moved)
        }
        if (moved === undefined) idle()
      } else if (chance < CRASH_CHANCE && crashes < CRASHES_MAX) {
        await replace(victim)
      } else if (chance < CRASH_CHANCE + PAUSE_CHANCE) {
        scheduler.pause(victim)
      } else if (chance < CRASH_CHANCE + PAUSE_CHANCE + TICK_CHANCE) {
        this.#tick(Math.floor(random() * TICK_MS_MAX))
        for (const worker of workers) scheduler.resume(worker)
      } else if (scheduler.step() === undefined) idle()
    }
    for (const worker of workers) scheduler.crash(worker)
    scheduler.crash('person')
    const run = await (await this.#actor(createScheduler(random), 'judge', effects, false)).runtime.get(
      person.tenantId,
      id,
    )
    return { run, effects, allowedAgain, crashes, steps }
  }

  #tick(ms: number): void {
    this.#now += ms
    mock.timers.tick(ms)
  }

  /** A person who looks now and then, and answers what waits. */
  #answer(factory: Factory, runId: RunId, random: () => number, allowedAgain: Map<string, number>) {
    const { runtime, tenantId, admin } = factory
    let ended = false
    let busy = false
    const answer = async (): Promise<void> => {
      const root = await runtime.get(tenantId, runId)
      ended = ['completed', 'failed', 'cancelled'].includes(root.state)
      if (root.state !== 'waiting') return
      const open = await runtime.list(tenantId, { limit: 20, state: 'waiting' })
      for (const { id } of open.items) {
        for (const step of await runtime.steps(tenantId, id, { limit: 200, after: 0 })) {
          if (step.state !== 'waiting') continue
          const key = `${id}:${step.seq}`
          const again = random() < 0.5
          if (step.waitingReason === 'in_doubt' && again)
            allowedAgain.set(key, (allowedAgain.get(key) ?? 0) + 1)
          const outcome =
            step.waitingReason === 'approval'
              ? ({ outcome: 'approve' } as const)
              : again
                ? ({ outcome: 'retry' } as const)
                : ({ outcome: 'succeeded', output: { done: true } } as const)
          await runtime.resolve(admin, id, step.seq, outcome, context).catch(conflict)
        }
      }
    }
    return {
      ended: () => ended,
      look: () => {
        if (busy) return
        busy = true
        void answer().finally(() => {
          busy = false
        })
      },
    }
  }

  async #actor(scheduler: Scheduler, name: string, effects: string[], working: boolean): Promise<Factory> {
    const tools = [
      this.#tool('pay', 'once', 'never', scheduler, name, effects),
      this.#tool('sign', 'once', 'always', scheduler, name, effects),
      this.#tool('put', 'idempotent', 'never', scheduler, name, effects),
    ]
    const factory = await openFactory({
      db: actorDatabase(this.#db, scheduler, name),
      clock: () => this.#now,
      models: [this.#model(scheduler, name)],
      codeTools: tools,
      lease: LEASE,
      working,
    })
    return factory
  }

  #tool(
    name: string,
    effect: ToolEffect,
    approval: 'never' | 'always',
    scheduler: Scheduler,
    actor: string,
    effects: string[],
  ): CodeTool {
    return defineTool({
      name,
      description: `It is ${name}.`,
      input: { type: 'object' },
      effect,
      approval,
      timeoutMs: 900_000,
      run: async (_input, { idempotencyKey }) => {
        await scheduler.point(actor)
        if (effect === 'once') effects.push(idempotencyKey)
        await scheduler.point(actor)
        return { done: true }
      },
    })
  }

  #model(scheduler: Scheduler, actor: string): ModelProvider {
    const script = createScriptedModel('scripted', (request) => this.#say(request))
    return {
      name: script.name,
      call: async (request, signal) => {
        await scheduler.point(actor)
        const outcome = await script.call(request, signal)
        await scheduler.point(actor)
        return outcome
      },
    }
  }

  #say(request: ModelRequest): ScriptedTurn {
    const turn = (request.messages.length - 1) / 2
    const calls = this.#definitions.turns[request.instructions]?.[turn]
    if (calls === undefined) return { text: 'Done.' }
    return { toolCalls: calls.map((called) => ({ tool: called, arguments: { input: 'Please.' } })) }
  }
}

function conflict(error: unknown): undefined {
  if (
    isAppError(error, 'run.state-conflict') ||
    isAppError(error, 'run.finished') ||
    isAppError(error, 'approval.decided')
  )
    return undefined
  throw error
}
