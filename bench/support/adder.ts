// The run that every side makes: one question, one tool call, two model calls, and an answer that is checked.
// The script and the tool tell when they were called: what passes between two calls is what the platform adds.

import type { JsonObject } from '../../src/base/json.ts'
import type { CodeTool } from '../../src/define/code-tool.ts'
import type { ModelProvider } from '../../src/models/model.ts'
import { createScriptedModel } from '../../src/models/scripted/scripted-model.ts'

export const ADDED = 25
export const AGENT = 'adder'
export const INSTRUCTIONS = 'Add what the user asks for.'
export const TOOL_DESCRIPTION = 'Adds two numbers.'

export function questionOf(n: number): string {
  return `What is ${n} plus ${ADDED}?`
}

export function answerOf(n: number): string {
  return `The sum is ${n + ADDED}.`
}

/** The number in the question. */
export function numberIn(question: string): number {
  return Number(question.slice(8, question.indexOf(' ', 8)))
}

/** Told of each call of the model and of the tool: `n` is the run's number. */
export type Called = (n: number) => void

export function adderModel(called: Called): ModelProvider {
  return createScriptedModel('scripted', ({ messages }) => {
    const [first] = messages
    const n = first?.role === 'user' ? numberIn(first.text) : 0
    called(n)
    if (messages.at(-1)?.role === 'tool') return { text: answerOf(n) }
    return { toolCalls: [{ tool: 'add', arguments: { a: n, b: ADDED } }] }
  })
}

/** A tool whose call happens once: the most careful kind, with its intention on disk before it is called. */
export function adderTool(called: Called): CodeTool {
  const number = { type: 'number' }
  return {
    definition: {
      name: 'add',
      description: TOOL_DESCRIPTION,
      effect: 'once',
      inputSchema: {
        type: 'object',
        properties: { a: number, b: number },
        required: ['a', 'b'],
        additionalProperties: false,
      },
      implementation: { type: 'code', name: 'add' },
    },
    run: async (input) => {
      const { a, b } = input as JsonObject
      called(Number(a))
      return { sum: Number(a) + Number(b) }
    },
  }
}

export interface StepClock {
  readonly called: Called
  /** The times between the calls of one run, in ms, and forgets them. */
  take(): readonly number[]
}

export function createStepClock(): StepClock {
  const lastAt = new Map<number, number>()
  let gaps: number[] = []
  return {
    called: (n) => {
      const now = performance.now()
      const before = lastAt.get(n)
      if (before !== undefined) gaps.push(now - before)
      lastAt.set(n, now)
    },
    take: () => {
      const taken = gaps
      gaps = []
      lastAt.clear()
      return taken
    },
  }
}
