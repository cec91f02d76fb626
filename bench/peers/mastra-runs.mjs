// The peer that keeps what was said: an agent of Mastra with its default memory, in a LibSQL file.
// Plain JavaScript: the types of these packages are there only once the bench has installed them.

import { join } from 'node:path'
import { Mastra } from '@mastra/core'
import { Agent } from '@mastra/core/agent'
import { createTool } from '@mastra/core/tools'
import { LibSQLStore } from '@mastra/libsql'
import { Memory } from '@mastra/memory'
import { z } from 'zod'
import {
  ADDED,
  AGENT,
  answerOf,
  INSTRUCTIONS,
  numberIn,
  questionOf,
  TOOL_DESCRIPTION,
} from '../support/adder.ts'
import { answerQuestions } from '../support/answer.ts'
import { load } from '../support/load.ts'

const USAGE = {
  inputTokens: { total: 10, noCache: 10, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 5, text: 5, reasoning: 0 },
}

const add = createTool({
  id: 'add',
  description: TOOL_DESCRIPTION,
  inputSchema: z.object({ a: z.number(), b: z.number() }),
  outputSchema: z.object({ sum: z.number() }),
  execute: async ({ a, b }) => ({ sum: a + b }),
})

const model = {
  specificationVersion: 'v3',
  provider: 'scripted',
  modelId: 'test',
  supportedUrls: {},
  doGenerate: async ({ prompt }) => generated(prompt),
  doStream: () => Promise.reject(new Error('The bench does not stream.')),
}

await answerQuestions(async ({ folder }) => {
  const storage = new LibSQLStore({ id: 'bench', url: `file:${join(folder, 'mastra.db')}` })
  const agent = new Agent({
    id: AGENT,
    name: AGENT,
    instructions: INSTRUCTIONS,
    model,
    tools: { add },
    memory: new Memory({ storage }),
  })
  new Mastra({ agents: { agent }, storage, logger: false })
  const run = async (n) => {
    const { text } = await agent.generate(questionOf(n), {
      memory: { thread: `thread-${n}`, resource: 'bench' },
    })
    if (text !== answerOf(n)) throw new Error(`Mastra answered: ${text}`)
  }
  return { ready: null, answer: (question) => load(run, question), close: () => storage.close?.() }
})

function generated(prompt) {
  const n = numberIn(prompt.find(({ role }) => role === 'user').content[0].text)
  const shared = { usage: USAGE, warnings: [] }
  if (prompt.at(-1).role === 'tool') {
    const finishReason = { unified: 'stop', raw: 'stop' }
    return { ...shared, content: [{ type: 'text', text: answerOf(n) }], finishReason }
  }
  const input = JSON.stringify({ a: n, b: ADDED })
  const call = { type: 'tool-call', toolCallId: 'call_1', toolName: 'add', input }
  return { ...shared, content: [call], finishReason: { unified: 'tool-calls', raw: 'tool-calls' } }
}
