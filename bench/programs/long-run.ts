// One long run after another: the model calls a tool so many times, then answers. Each call's time is kept.

import type { JsonObject } from '../../src/base/json.ts'
import { createScriptedModel } from '../../src/models/scripted/scripted-model.ts'
import { answerQuestions } from '../support/answer.ts'
import { openPlatform } from '../support/platform.ts'

export interface LongRunQuestion {
  /** Tool calls; a turn is two steps, one of the model and one of the tool. */
  readonly turns: number
}

export interface LongRunAnswer {
  /** From the call of each turn's tool to that of the next turn's, in ms. */
  readonly turnMs: readonly number[]
}

const AGENT = 'counter'
const WAIT_MS = 120_000
const LIMIT = 10_000

await answerQuestions<
  { readonly folder: string; readonly memory: boolean },
  null,
  LongRunQuestion,
  LongRunAnswer
>(async ({ folder, memory }) => {
  let turns = 0
  let calledAt: number[] = []
  const model = createScriptedModel('scripted', ({ messages }) => {
    // The user's text, then two messages for each turn.
    const done = (messages.length - 1) / 2
    return done < turns ? { toolCalls: [{ tool: 'count', arguments: { n: done } }] } : { text: 'Counted.' }
  })
  const inputSchema: JsonObject = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
  const tool = {
    definition: {
      name: 'count',
      description: 'Counts.',
      effect: 'once',
      inputSchema,
      implementation: { type: 'code', name: 'count' },
    },
    run: async () => {
      calledAt.push(performance.now())
      return { counted: true }
    },
  } as const
  const { app, admin, publish } = await openPlatform({
    folder,
    databaseUrl: memory ? 'sqlite::memory:' : undefined,
    model,
    tools: [tool],
  })
  await publish({
    name: AGENT,
    instructions: 'Count.',
    limits: { maxSteps: LIMIT, maxToolCalls: LIMIT, maxTokens: LIMIT * 100, timeoutMs: WAIT_MS },
  })
  return {
    ready: null,
    answer: async (question) => {
      turns = question.turns
      calledAt = []
      const { id } = await app.runtime.start(
        admin,
        { agent: AGENT, input: 'Count.' },
        { requestId: undefined },
      )
      const run = await app.runtime.wait(admin.tenantId, id, WAIT_MS)
      if (run.state !== 'completed' || calledAt.length !== turns) {
        throw new Error(`The long run ended as ${run.state} after ${calledAt.length} calls.`)
      }
      return { turnMs: calledAt.slice(1).map((at, index) => at - (calledAt[index] ?? at)) }
    },
    close: () => app.close(),
  }
})
