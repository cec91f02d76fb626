import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Validator } from '@cfworker/json-schema'
import fc from 'fast-check'
import type { Json, JsonObject } from '../../../base/json.ts'
import { quoteJson } from './quote-json.ts'
import { type CalledResult, quoteResults } from './quote-results.ts'
import { hitsOf, quoteHits } from './quote-search.ts'
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
      'One item',
      'Two',
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
    const hits = hitsOf({ results: [{ path: 'docs/a.md', snippet: 'Something else.' }] })
    assert.match(
      quoteHits('Who won the cup?', hits ?? []),
      /found nothing that answers this; the closest is in \[docs\/a\.md\]/,
    )
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
      'temperature 8.5 °C, in stock yes',
    )
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`field_${index}`, index]))
    assert.equal(quoteJson('What is the price?', { ...many, price_eur: 3 }), 'price 3 EUR')
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
      '2 of 3 orders\n- id A-1, status shipped\n- id A-3, status shipped',
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
