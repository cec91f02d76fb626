// The peer that keeps nothing: the loop of the AI SDK in memory, with its own mock of a model.

import { generateText, isStepCount, jsonSchema, tool } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { ADDED, answerOf, INSTRUCTIONS, numberIn, questionOf, TOOL_DESCRIPTION } from '../support/adder.ts'
import { answerQuestions } from '../support/answer.ts'
import { type Load, type LoadOptions, load } from '../support/load.ts'

type Generate = ConstructorParameters<typeof MockLanguageModelV4>[0]
type Generated = Extract<NonNullable<NonNullable<Generate>['doGenerate']>, { readonly content: unknown }>
type Prompt = Parameters<MockLanguageModelV4['doGenerate']>[0]['prompt']

const STEPS_MAX = 10
const USAGE: Generated['usage'] = {
  inputTokens: { total: 10, noCache: 10, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 5, text: 5, reasoning: 0 },
}

const add = tool({
  description: TOOL_DESCRIPTION,
  inputSchema: jsonSchema<{ readonly a: number; readonly b: number }>({
    type: 'object',
    properties: { a: { type: 'number' }, b: { type: 'number' } },
    required: ['a', 'b'],
    additionalProperties: false,
  }),
  execute: async ({ a, b }) => ({ sum: a + b }),
})

await answerQuestions<object, null, LoadOptions, Load>(async () => ({
  ready: null,
  answer: (question) => load(run, question),
}))

/** A mock for each run: it keeps every call that it received. */
async function run(n: number): Promise<void> {
  const model = new MockLanguageModelV4({ doGenerate: async ({ prompt }) => generated(prompt) })
  const { text } = await generateText({
    model,
    instructions: INSTRUCTIONS,
    prompt: questionOf(n),
    tools: { add },
    stopWhen: isStepCount(STEPS_MAX),
  })
  if (text !== answerOf(n)) throw new Error(`The loop answered: ${text}`)
}

function generated(prompt: Prompt): Generated {
  const n = numberIn(questionIn(prompt))
  const shared = { usage: USAGE, warnings: [] }
  if (prompt.at(-1)?.role === 'tool') {
    return {
      ...shared,
      content: [{ type: 'text', text: answerOf(n) }],
      finishReason: { unified: 'stop', raw: 'stop' },
    }
  }
  const input = JSON.stringify({ a: n, b: ADDED })
  return {
    ...shared,
    content: [{ type: 'tool-call', toolCallId: 'call_1', toolName: 'add', input }],
    finishReason: { unified: 'tool-calls', raw: 'tool-calls' },
  }
}

function questionIn(prompt: Prompt): string {
  const user = prompt.find((message) => message.role === 'user')
  const part = user?.content[0]
  return part?.type === 'text' ? part.text : ''
}
