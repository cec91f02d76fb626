import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Validator } from '@cfworker/json-schema'
import fc from 'fast-check'
import type { Json, JsonObject } from '../../../base/json.ts'
import { hitsOf } from './hits.ts'
import { errorText, withoutTransport } from './http-result.ts'
import { quoteJson } from './quote-json.ts'
import { type CalledResult, quoteResults } from './quote-results.ts'
import { quoteHits } from './quote-search.ts'
import { sentencesOf } from './sentences.ts'
import { structuredAnswer } from './structured-answer.ts'

function result(value: Json, args: JsonObject = {}): CalledResult {
  return { result: { callId: 'c1', tool: 'look', output: { type: 'json', value } }, arguments: args }
}

describe('sentences', () => {
  test('Markdown becomes plain sentences; code stays with what announces it; headings go', () => {
    const text =
      '# Title\n\nRun **this** [command](https://x.y):\n\n```\nnpm i\n```\n\nIt works. Then\nstop.\n\n- One item\n- Two'
    assert.deepEqual(sentencesOf(text), [
      'Run this command: `npm i`',
      'It works.',
      'Then stop.',
      '- One item\n- Two',
      'One item',
      'Two',
    ])
  })

  test('a line that ends in a colon keeps the list or the code below it', () => {
    const text = 'One of:\n- a <b>\n- `<c>`\n\nFor example:\n\n```\none\n  two\n```'
    assert.deepEqual(sentencesOf(text), [
      'One of:\n- a\n- `<c>`',
      'a',
      '`<c>`',
      'For example:\n```\none\n  two\n```',
    ])
  })
})

describe('search results', () => {
  test('the sentence that answers is quoted with its source', () => {
    const hits = hitsOf({
      results: [
        { title: 'Keys', path: 'docs/keys.md', snippet: 'Keys are hashed. Rotate a key every year.' },
        { title: 'Other', path: 'docs/other.md', snippet: 'Nothing to see.' },
      ],
    })
    assert.equal(
      quoteHits('How often do I rotate a key?', hits ?? []),
      'Rotate a key every year. [docs/keys.md]',
    )
  })

  test('hits without a word in common are not passed off as an answer', () => {
    const value = { results: [{ path: 'docs/a.md', snippet: 'Something else.' }] }
    assert.equal(quoteHits('Who won the cup?', hitsOf(value) ?? []), undefined)
    assert.match(
      quoteResults('Who won the cup?', [result(value)]),
      /found nothing that answers this; the closest is in \[docs\/a\.md\]/,
    )
  })

  test('one word of several is no answer, nor is an order that the text does not speak of', () => {
    const hits =
      hitsOf({ results: [{ path: 'a.md', snippet: 'A lamp shines. Where is order 7? On its way.' }] }) ?? []
    assert.equal(quoteHits('Which lamp would Napoleon buy?', hits), undefined)
    assert.equal(quoteHits('Delete order 7', hits), undefined)
    assert.ok(quoteHits('Where is order 7?', hits))
  })

  test('a heading is said where the sentence does not name what was asked for', () => {
    const hits = hitsOf({
      results: [
        {
          path: 'settings.md',
          heading: 'Server > PORT',
          snippet: 'The number to listen on.',
        },
      ],
    })
    assert.equal(quoteHits('What is PORT?', hits ?? []), 'PORT: The number to listen on. [settings.md]')
  })

  test('a question for several things is answered by the list, one for a thing by its definition', () => {
    const snippet =
      'A run is one execution. It has one of these states:\n- `queued`: waits\n- `running`: works'
    const hits = hitsOf({ results: [{ path: 'a.md', heading: 'Run', snippet }] }) ?? []
    assert.match(
      quoteHits('Which states can a run have?', hits) ?? '',
      /- `queued`: waits\n- `running`: works/,
    )
    assert.match(quoteHits('What is a run?', hits) ?? '', /^A run is one execution\./)
  })

  test('one search that answers makes another that found nothing unimportant', () => {
    const found = result(
      { results: [{ path: 'a.md', snippet: 'A lease lasts 15 seconds.' }] },
      { query: 'a lease' },
    )
    const nothing = result([], { query: 'lease' })
    assert.equal(quoteResults('a lease', [found, nothing]), 'A lease lasts 15 seconds. [a.md]')
    assert.equal(quoteResults('a lease', [nothing]), '`look` found nothing about "lease".')
  })

  test('a list of orders is no search result', () => {
    assert.equal(hitsOf({ orders: [{ id: 'ORD-1', description: 'A mug' }] }), undefined)
    assert.equal(hitsOf([{ id: 'ORD-1', status: 'shipped' }]), undefined)
  })
})

describe('other results', () => {
  test('fields are named, with units, and the asked ones alone where there are many', () => {
    assert.equal(
      quoteJson('How warm?', { temperature_c: 8.5, in_stock: true }),
      'temperature 8.5 °C, in stock',
    )
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`field_${index}`, index]))
    assert.equal(quoteJson('What is the price?', { ...many, price_eur: 3 }), 'price 3 EUR')
  })

  test('dates, money, and yes or no are written as people read them, and each fact once', () => {
    assert.equal(
      quoteJson('When does it come?', {
        isbn: '978',
        total_usd: '5.5',
        is_gift: false,
        expected_on: '2026-11-02',
        at: '2026-11-02T09:30:00Z',
        same: '2026-11-02T10:30:00+01:00',
      }),
      'expected on 2 November 2026, at 2 November 2026, 09:30:00 UTC, ISBN 978, total 5.50 USD, not gift',
    )
    assert.equal(
      quoteJson('?', { day: '2026-02-31x', month: '2026-13-01' }),
      'day 2026-02-31x, month 2026-13-01',
    )
  })

  test('of an HTTP answer the body is quoted, of a refusal what the server said', () => {
    const row = { title: 'Clouds', price_usd: '22.00' }
    assert.equal(
      quoteResults('?', [result({ status: 200, body: [row] })]),
      'From `look`: Clouds: price 22.00 USD.',
    )
    assert.equal(quoteResults('?', [result({ status: 204, body: null })]), '`look` returned nothing.')
    assert.deepEqual(withoutTransport({ status: 404, headers: {}, body: { message: 'No.' } }), {
      status: 404,
      message: 'No.',
    })
    assert.deepEqual(withoutTransport({ status: 200, body: 1, id: 2 }), { status: 200, body: 1, id: 2 })
    assert.equal(
      errorText('GET /orders/9 answered with status 404: {"message":"There is no order 9."}'),
      'There is no order 9. (status 404)',
    )
    assert.equal(errorText('GET /a answered with status 500: {"x'), 'GET /a answered with status 500: {"x')
  })

  test('rows that match the question are quoted, the others counted', () => {
    const value = {
      orders: [
        { id: 'A-1', status: 'shipped' },
        { id: 'A-2', status: 'pending' },
        { id: 'A-3', status: 'shipped' },
      ],
    }
    assert.equal(
      quoteJson('Which are shipped?', value),
      '2 of 3 orders\n- status shipped, ID A-1\n- status shipped, ID A-3',
    )
  })

  test('a failure is said plainly, beside what worked', () => {
    const failed: CalledResult = {
      result: { callId: 'c2', tool: 'weather', output: { type: 'error', message: 'The city is\nunknown.' } },
      arguments: undefined,
    }
    const sum = result(84, { expression: '12 * 7' })
    assert.equal(quoteResults('?', [sum, failed]), '12 * 7 = 84\n\n`weather` failed: The city is unknown.')
  })

  test('any JSON can be quoted', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, question) => {
        const text = quoteResults(question, [result(JSON.parse(JSON.stringify(value)) as Json)])
        assert.ok(text.length > 0 && text.length <= 4_000)
      }),
    )
  })
})

describe('structured answers', () => {
  const leaf = fc.constantFrom<JsonObject>(
    { type: 'string' },
    { type: 'string', maxLength: 5 },
    { type: 'integer', minimum: 3 },
    { type: 'number', maximum: -1 },
    { type: 'boolean' },
    { enum: ['red', 'green'] },
    { type: ['string', 'null'] },
    { type: 'array', items: { type: 'string' }, maxItems: 2 },
    { type: 'array', items: { type: 'integer' }, minItems: 2 },
    { const: 7 },
  )
  const schema = fc
    .dictionary(fc.constantFrom('answer', 'status', 'total', 'sources', 'x'), leaf, { minKeys: 1 })
    .map(
      (properties): JsonObject => ({
        type: 'object',
        properties,
        required: Object.keys(properties),
        additionalProperties: false,
      }),
    )

  test('they follow the schema, whatever the tools returned', () => {
    fc.assert(
      fc.property(schema, fc.jsonValue(), fc.string(), (outputSchema, value, question) => {
        const facts = {
          question,
          answer: 'It is so.',
          results: [result(JSON.parse(JSON.stringify(value)) as Json)],
        }
        const text = structuredAnswer(outputSchema, facts)
        const checked = new Validator(outputSchema, '2020-12').validate(JSON.parse(text))
        assert.ok(checked.valid, `${text} for ${JSON.stringify(outputSchema)}`)
      }),
    )
  })
})
