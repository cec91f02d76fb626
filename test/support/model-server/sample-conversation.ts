// Sample tools as a newcomer's agent has them, with results that are always the same, and a conversation with the offline model over them.

import assert from 'node:assert/strict'
import type { Json, JsonObject } from '../../../src/base/json.ts'
import { assistantText, type Message, type ToolResult } from '../../../src/contract/message.ts'
import type { ModelTool } from '../../../src/models/model.ts'
import { createOfflineProvider } from '../../../src/models/offline/offline-provider.ts'
import { words } from '../../../src/models/offline/reading/words.ts'

const DOCS: Readonly<Record<string, string>> = {
  'docs/getting-started.md':
    '# Getting started\n\nInstall the package with:\n\n```\nnpm install agent-factory\n```\n\nThe server listens on port 8080 by default. You can change the port with the `PORT` variable.',
  'docs/budgets.md':
    '# Budgets\n\nA budget limits what a tenant may spend in a period. A hard budget refuses a run before it starts. A soft budget only warns.',
  'docs/retries.md':
    '# Retries\n\nA failed model call is retried up to three times with exponential backoff.\n\n- Bad requests are never retried.\n- The platform honours Retry-After.',
  'docs/keys.md':
    '# API keys\n\nKeys are stored as SHA-256 hashes. Rotate a key with `af auth rotate-key`. A revoked key stops working within one second.',
  'docs/refunds.md':
    '# Refund policy\n\nCustomers may return an item within 30 days for a full refund. Sale items cannot be returned.',
}

export interface SampleTool extends ModelTool {
  readonly run: (args: JsonObject) => Json
}

function tool(
  name: string,
  description: string,
  properties: JsonObject,
  required: readonly string[],
  run: SampleTool['run'],
): SampleTool {
  const inputSchema = { type: 'object', properties, required, additionalProperties: false }
  return { name, description, inputSchema, run }
}

const text = { type: 'string' }
const SEARCH = tool(
  'search_docs',
  'Search the documentation.',
  { query: text, limit: { type: 'integer' } },
  ['query'],
  search,
)
const CALCULATOR = tool(
  'calculator',
  'Evaluate an arithmetic expression.',
  { expression: text },
  ['expression'],
  (args) => ({
    result: SUMS[String(args.expression)] ?? null,
  }),
)
const SUMS: Readonly<Record<string, number>> = {
  '12 * 7': 84,
  '15 / 100 * 80': 12,
  '(3 + 4) * 2': 14,
  '17 + 25': 42,
  '20 - 5': 15,
}
const TIME = tool('current_time', 'Get the current date and time.', { timezone: text }, [], (args) => ({
  iso: '2026-11-22T13:03:20.000Z',
  timezone: args.timezone ?? 'UTC',
}))
const WEATHER = tool(
  'get_weather',
  'Get the current weather for a city.',
  { city: text, unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } },
  ['city'],
  (args) => ({ city: args.city ?? '', temperature_c: 8.5, humidity_percent: 81, conditions: 'light rain' }),
)
const ORDER = tool('get_order', 'Look up an order by its id.', { order_id: text }, ['order_id'], (args) => {
  if (args.order_id === 'ORD-9999') throw new Error('There is no order ORD-9999.')
  const items = [
    { sku: 'MUG', quantity: 2 },
    { sku: 'TEE', quantity: 1 },
  ]
  const customer = { name: 'Ada Lovelace', email: 'ada@example.org' }
  return {
    id: args.order_id ?? '',
    status: 'shipped',
    carrier: 'DHL',
    total_eur: 59.9,
    items,
    estimated_delivery: '2026-11-25',
    customer,
  }
})
const ORDERS = tool(
  'list_orders',
  'List orders, newest first.',
  { status: { type: 'string', enum: ['pending', 'shipped', 'delivered'] } },
  [],
  () => ({
    orders: [
      { id: 'ORD-2', status: 'shipped' },
      { id: 'ORD-1', status: 'delivered' },
    ],
    total: 2,
  }),
)
const REFUND = tool(
  'refund_order',
  'Refund an order to the customer.',
  { order_id: text },
  ['order_id'],
  () => ({ refunded: true }),
)
const CONVERT = tool(
  'convert_currency',
  'Convert an amount between currencies.',
  { amount: { type: 'number' }, from: text, to: text },
  ['amount', 'from', 'to'],
  () => ({ converted: 110 }),
)
/** Documentation search, calculator, time, weather, orders, refunds, currencies. */
export const SAMPLE_TOOLS = [SEARCH, CALCULATOR, TIME, WEATHER, ORDER, ORDERS, REFUND, CONVERT]

/** Documents that share words with the query, those with most first. */
function search(args: JsonObject): Json {
  const asked = words(String(args.query)).filter((word) => word.length > 3)
  const scored = Object.entries(DOCS).map(([path, content]) => {
    const said = words(content).join(' ')
    return { path, content, score: asked.filter((word) => said.includes(word.slice(0, 5))).length }
  })
  const found = scored.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score)
  return {
    results: found.map(({ path, content }) => ({
      title: content.split('\n')[0] ?? '',
      path,
      line: 1,
      snippet: content,
    })),
  }
}

export interface Said {
  readonly calls: readonly string[]
  readonly answer: string
}

/** Asks question after question and runs the tools; the calls and the answer of the last one. */
export async function converse(
  tools: readonly SampleTool[],
  questions: readonly string[],
  outputSchema?: JsonObject,
): Promise<Said> {
  const offline = createOfflineProvider()
  const messages: Message[] = []
  let calls: readonly string[] = []
  let answer = ''
  for (const question of questions) {
    messages.push({ role: 'user', text: question })
    calls = []
    for (let turn = 0; ; turn++) {
      assert.ok(turn < 2, 'the offline model loops')
      const outcome = await offline.call(
        {
          model: 'offline/extractive',
          instructions: 'You help.',
          messages: [...messages],
          tools,
          settings: {},
          timeouts: { firstTokenMs: 1_000, betweenChunksMs: 1_000, totalMs: 1_000 },
          ...(outputSchema === undefined ? {} : { outputSchema }),
        },
        new AbortController().signal,
      )
      assert.equal(outcome.status, 'answered')
      if (outcome.status !== 'answered') break
      messages.push({ role: 'assistant', parts: outcome.parts })
      const asked = outcome.parts.filter((part) => part.type === 'tool_call')
      if (asked.length === 0) {
        answer = assistantText(outcome.parts)
        break
      }
      const results = asked.map((call): ToolResult => {
        const args = 'json' in call.arguments ? (call.arguments.json as JsonObject) : {}
        try {
          const value = tools.find(({ name }) => name === call.tool)?.run(args) ?? null
          return { callId: call.callId, tool: call.tool, output: { type: 'json', value } }
        } catch (error) {
          const message = error instanceof Error ? error.message : 'It failed.'
          return { callId: call.callId, tool: call.tool, output: { type: 'error', message } }
        }
      })
      calls = asked.map(
        (call) => `${call.tool} ${'json' in call.arguments ? JSON.stringify(call.arguments.json) : ''}`,
      )
      messages.push({ role: 'tool', results })
    }
  }
  return { calls, answer }
}
