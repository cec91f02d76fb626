// Whole conversations with the offline model: realistic questions over realistic tools, what it calls and what it answers.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { converse, SAMPLE_TOOLS } from '../../../test/support/model-server/sample-conversation.ts'
import type { JsonObject } from '../../base/json.ts'

/** Question, the calls that it makes, and what the answer says. */
const CONVERSATIONS: readonly (readonly [question: string, calls: readonly string[], answer: RegExp])[] = [
  [
    'How do I install it?',
    ['search_docs {"query":"How do I install it"}'],
    /^Install the package with: `npm install agent-factory`\..*\[docs\/getting-started\.md\]$/,
  ],
  [
    'Which port does the server listen on?',
    ['search_docs {"query":"Which port does the server listen on"}'],
    /listens on port 8080.*\[docs\/getting-started\.md\]/,
  ],
  [
    'What is a hard budget?',
    ['search_docs {"query":"What is a hard budget"}'],
    /A hard budget refuses a run before it starts\..*\[docs\/budgets\.md\]/,
  ],
  [
    'How are API keys stored?',
    ['search_docs {"query":"How are API keys stored"}'],
    /Keys are stored as SHA-256 hashes\..*\[docs\/keys\.md\]/,
  ],
  [
    'Search the docs for "exponential backoff"',
    ['search_docs {"query":"exponential backoff"}'],
    /exponential backoff\. \[docs\/retries\.md\]/,
  ],
  [
    'How often is a failed call retried?',
    ['search_docs {"query":"How often is a failed call retried"}'],
    /retried up to three times/,
  ],
  [
    'asdf qwerty',
    ['search_docs {"query":"asdf qwerty"}'],
    /^`search_docs` found nothing about "asdf qwerty"\.$/,
  ],
  ['What is 12*7?', ['calculator {"expression":"12 * 7"}'], /^12 \* 7 = 84$/],
  ['what is 15% of 80', ['calculator {"expression":"15 / 100 * 80"}'], /= 12$/],
  ['calculate (3 + 4) * 2', ['calculator {"expression":"(3 + 4) * 2"}'], /^\(3 \+ 4\) \* 2 = 14$/],
  ['Add 17 and 25', ['calculator {"expression":"17 + 25"}'], /= 42$/],
  ['12 times 7', ['calculator {"expression":"12 * 7"}'], /= 84$/],
  [
    'What is 12*7 and what do the docs say about retries?',
    ['calculator {"expression":"12 * 7"}', 'search_docs {"query":"retries"}'],
    /^12 \* 7 = 84\n\n.*retried up to three times.*\[docs\/retries\.md\]/s,
  ],
  [
    'Subtract 5 from 20, then tell me what a soft budget is',
    ['calculator {"expression":"20 - 5"}', 'search_docs {"query":"tell me what a soft budget is"}'],
    /A soft budget only warns\./,
  ],
  ['Do you offer 24/7 support?', ['search_docs {"query":"Do you offer 24/7 support"}'], /found nothing/],
  ['What time is it?', ['current_time {}'], /From `current_time`: ISO 22 November 2026, 13:03:20 UTC\.$/],
  ['What time is it in Tokyo?', ['current_time {"timezone":"Asia/Tokyo"}'], /for Asia\/Tokyo/],
  ["What's the date today?", ['current_time {}'], /22 November 2026/],
  [
    "What's the weather in Berlin?",
    ['get_weather {"city":"Berlin"}'],
    /^From `get_weather` for Berlin: temperature 8\.5 °C, humidity 81 %, conditions light rain\.$/,
  ],
  ['is it raining in london today', ['get_weather {"city":"london"}'], /light rain/],
  [
    'How warm is it in New York in fahrenheit?',
    ['get_weather {"city":"New York","unit":"fahrenheit"}'],
    /New York/,
  ],
  [
    'Compare the weather in Paris and São Paulo',
    ['get_weather {"city":"Paris"}', 'get_weather {"city":"São Paulo"}'],
    /for Paris: .*\n\nFrom `get_weather` for São Paulo/s,
  ],
  [
    "What time is it in Oslo and what's the weather there?",
    ['current_time {"timezone":"Europe/Oslo"}', 'get_weather {"city":"Oslo"}'],
    /for Oslo: temperature/,
  ],
  ["How's the weather?", [], /^To use `get_weather` I need the city/],
  [
    'Where is my order ORD-1042?',
    ['get_order {"order_id":"ORD-1042"}'],
    /for ORD-1042: .*status shipped.*estimated delivery 25 November 2026/,
  ],
  [
    'What is the status of order 1042?',
    ['get_order {"order_id":"1042"}'],
    /^From `get_order` for 1042: status shipped\.$/,
  ],
  ['When will order #1042 arrive?', ['get_order {"order_id":"1042"}'], /estimated delivery 25 November 2026/],
  [
    'Who is the customer of ORD-1042 and what is the total?',
    ['get_order {"order_id":"ORD-1042"}'],
    /total 59\.90 EUR.*Ada Lovelace/,
  ],
  [
    'Where are orders ORD-1 and ORD-2?',
    ['get_order {"order_id":"ORD-1"}', 'get_order {"order_id":"ORD-2"}'],
    /for ORD-1: .*for ORD-2: /s,
  ],
  [
    'Where is order ORD-9999?',
    ['get_order {"order_id":"ORD-9999"}'],
    /^`get_order` failed: There is no order ORD-9999\.$/,
  ],
  ['List my shipped orders', ['list_orders {"status":"shipped"}'], /status shipped, ID ORD-2/],
  ['How many orders are there?', ['list_orders {}'], /2 orders/],
  ['Please refund order ORD-1042', ['refund_order {"order_id":"ORD-1042"}'], /for ORD-1042: refunded\.$/],
  [
    'Can I get a refund for a sale item?',
    ['search_docs {"query":"Can I get a refund for a sale item"}'],
    /Sale items cannot be returned\./,
  ],
  ['Convert 100 EUR to USD', ['convert_currency {"amount":100,"from":"EUR","to":"USD"}'], /converted 110/],
  ['Hello!', [], /built-in model that needs no key.*`search_docs`: Search the documentation\./s],
  ['Who are you?', [], /offline\/extractive/],
  ['Thanks a lot!', [], /^You are welcome\.$/],
]

describe('conversations with the offline model', () => {
  for (const [question, calls, answer] of CONVERSATIONS) {
    test(question, async () => {
      const said = await converse(SAMPLE_TOOLS, [question])
      assert.deepEqual(said.calls, calls)
      assert.match(said.answer, answer)
    })
  }

  test('a question that continues the one before takes its tool along', async () => {
    const { calls } = await converse(SAMPLE_TOOLS, ["What's the weather in Berlin?", 'And in Rome?'])
    assert.deepEqual(calls, ['get_weather {"city":"Rome"}'])
  })

  test('nothing is changed where it was only asked about, or forbidden', async () => {
    for (const question of [
      'How do I refund order ORD-1042?',
      "Don't refund order ORD-1042",
      'Delete order ORD-1042',
    ]) {
      const { calls } = await converse(SAMPLE_TOOLS, [question])
      assert.ok(
        !calls.some((call) => call.startsWith('refund_order') || call.startsWith('get_order {}')),
        question,
      )
    }
  })

  test('without tools it says what it is', async () => {
    assert.match((await converse([], ['What can you do?'])).answer, /This agent has no tools/)
  })

  test('an output schema is filled from results, with sources', async () => {
    const properties = {
      answer: { type: 'string' },
      value: { type: 'number' },
      sources: { type: 'array', items: { type: 'string' } },
    }
    const schema = { type: 'object', properties, required: ['answer', 'value', 'sources'] }
    const sum = JSON.parse((await converse(SAMPLE_TOOLS, ['What is 12 * 7?'], schema)).answer) as JsonObject
    assert.deepEqual(sum, { answer: '12 * 7 = 84', value: 84, sources: [] })
    const found = JSON.parse(
      (await converse(SAMPLE_TOOLS, ['How do I rotate a key?'], schema)).answer,
    ) as JsonObject
    assert.deepEqual(found.sources, ['docs/keys.md'])
  })

  test('a text without tools is sorted into the choices of a schema', async () => {
    const schema = {
      type: 'object',
      properties: { category: { enum: ['billing', 'delivery', 'other'] } },
      required: ['category'],
    }
    assert.equal((await converse([], ['My parcel never arrived!'], schema)).answer, '{"category":"delivery"}')
    assert.equal((await converse([], ['I like turtles.'], schema)).answer, '{"category":"other"}')
  })
})
