// The product with an agent whose tool takes a while: one process starts a run and is killed, another goes on with it.

import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunId } from '../../src/base/ids.ts'
import { createScriptedModel } from '../../src/models/scripted/scripted-model.ts'
import { answerQuestions } from '../support/answer.ts'
import { openPlatform } from '../support/platform.ts'

export interface RecoveryInput {
  readonly folder: string
  readonly databaseUrl: string
  /** As it calls itself: two names are two machines. */
  readonly host: string
  /** Its tool never answers: it stands in the middle of its runs until it is killed. */
  readonly stalls: boolean
  /** What another process has made in the database. */
  readonly key?: string | undefined
}

export type RecoveryQuestion =
  /** Starts a run; answers once its first tool has been called here. */
  | { readonly type: 'start' }
  /** Answers when this process first called a tool for each of the runs, and when each was completed. */
  | { readonly type: 'await'; readonly runIds: readonly RunId[] }

export interface RecoveryAnswer {
  readonly runs: readonly RecoveredRun[]
}

export interface RecoveredRun {
  readonly runId: RunId
  /** In ms since the epoch. */
  readonly wentOnAt: number
  readonly completedAt: number
}

export interface RecoveryReady {
  readonly key: string
}

const AGENT = 'slow'
const CALLS = 10
const CALL_MS = 100
const WAIT_MS = 60_000
const LOOK_MS = 10

await answerQuestions<RecoveryInput, RecoveryReady, RecoveryQuestion, RecoveryAnswer>(async (input) => {
  actAs(input.host)
  const firstCalls = new Map<string, number>()
  const model = createScriptedModel('scripted', ({ messages }) =>
    (messages.length - 1) / 2 < CALLS
      ? { toolCalls: [{ tool: 'wait', arguments: { n: messages.length } }] }
      : { text: 'Done.' },
  )
  const tool = {
    definition: {
      name: 'wait',
      description: 'Waits.',
      effect: 'idempotent',
      inputSchema: { type: 'object' },
      implementation: { type: 'code', name: 'wait' },
    },
    run: async (_input: unknown, { runId }: { readonly runId: string }) => {
      if (!firstCalls.has(runId)) firstCalls.set(runId, Date.now())
      await sleep(input.stalls ? WAIT_MS : CALL_MS)
      return { waited: true }
    },
  } as const
  const { app, admin, key, publish } = await openPlatform({
    ...input,
    model,
    tools: [tool],
    // Its own run fills one that stalls: it takes no other's.
    concurrency: input.stalls ? 1 : undefined,
  })
  if (input.key === undefined)
    await publish({ name: AGENT, instructions: 'Wait.', limits: { maxToolCalls: 50 } })
  const calledAt = async (runId: string): Promise<number> => {
    for (const end = Date.now() + WAIT_MS; Date.now() < end; await sleep(LOOK_MS)) {
      const at = firstCalls.get(runId)
      if (at !== undefined) return at
    }
    throw new Error('Nobody went on with the run.')
  }
  const start = async (): Promise<RecoveredRun> => {
    const { id } = await app.runtime.start(admin, { agent: AGENT, input: 'Wait.' }, { requestId: undefined })
    return { runId: id, wentOnAt: await calledAt(id), completedAt: 0 }
  }
  const recover = async (runId: RunId): Promise<RecoveredRun> => {
    const wentOnAt = await calledAt(runId)
    const { state, error } = await app.runtime.wait(admin.tenantId, runId, WAIT_MS)
    if (state !== 'completed') throw new Error(`The run ended as ${state}: ${error?.message}`)
    return { runId, wentOnAt, completedAt: Date.now() }
  }
  return {
    ready: { key },
    answer: async (question) => ({
      runs: question.type === 'start' ? [await start()] : await Promise.all(question.runIds.map(recover)),
    }),
    close: () => app.close(),
  }
})

/** A worker's name carries its host's: whether a process of another host lives cannot be known. */
function actAs(host: string): void {
  os.hostname = () => host
  syncBuiltinESMExports()
}
