import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { convertPrices, picosOf } from '../../../scripts/prices-update.ts'

describe('picosOf', () => {
  it('turns USD per million tokens into pico-USD per token, exactly', () => {
    assert.equal(picosOf('1.25'), '1250000')
    assert.equal(picosOf('0.0375'), '37500')
    assert.equal(picosOf('15'), '15000000')
    assert.equal(picosOf('2.5e-2'), '25000')
    assert.equal(picosOf('0.10'), '100000')
    assert.equal(picosOf('0'), '0')
  })

  it('refuses what is not whole or not a number', () => {
    for (const text of ['0.0000001', '-1', '', 'NaN', '1e-7', '.5'])
      assert.equal(picosOf(text), undefined, text)
  })
})

describe('convertPrices', () => {
  const convert = (models: string) =>
    convertPrices(`[{"id":"openai","models":[${models}]},{"id":"unknown","models":[]}]`)
  const own = (models: string) => convert(models).models.filter(({ provider }) => provider === 'openai')

  it('keeps numbers as they were written and takes exact names only', () => {
    const match =
      '{"or":[{"equals":"m-2026"},{"starts_with":"m-"},{"regex":"^m"},{"or":[{"equals":"m-old"}]}]}'
    const [model] = own(`{"id":"m","match":${match},"prices":{"input_mtok":0.30000000,"output_mtok":2.5}}`)
    assert.deepEqual(model?.aliases, ['m-2026', 'm-old'])
    assert.equal(model?.prices[0]?.input, '300000')
    assert.equal(model?.prices[0]?.cachedInput, undefined)
  })

  it('gives each tier the prices of all kinds at its threshold', () => {
    const input = '{"base":1.25,"tiers":[{"start":200000,"price":2.5}]}'
    const [model] = own(
      `{"id":"m","match":null,"prices":{"input_mtok":${input},"cache_read_mtok":0.1,"output_mtok":10}}`,
    )
    assert.deepEqual(model?.prices[0]?.tiers, [
      {
        aboveTokens: 200_000,
        input: '2500000',
        cachedInput: '100000',
        cacheWrite: undefined,
        output: '10000000',
      },
    ])
  })

  it('ends a price where the next one begins', () => {
    const prices =
      '[{"prices":{"input_mtok":10,"output_mtok":40}},{"constraint":{"start_date":"2025-06-10"},"prices":{"input_mtok":2,"output_mtok":8}}]'
    const periods = own(`{"id":"m","match":null,"prices":${prices}}`)[0]?.prices ?? []
    assert.deepEqual(
      periods.map(({ effectiveFrom, effectiveUntil, input }) => [effectiveFrom, effectiveUntil, input]),
      [
        [null, '2025-06-10', '10000000'],
        ['2025-06-10', null, '2000000'],
      ],
    )
  })

  it('leaves out, by name, what it cannot say exactly', () => {
    const byHour =
      '[{"prices":{"input_mtok":1,"output_mtok":1}},{"constraint":{"start_time":"16:30Z","end_time":"00:30Z"},"prices":{"input_mtok":1,"output_mtok":1}}]'
    const { models, leftOut } = convert(
      [
        `{"id":"by-hour","match":null,"prices":${byHour}}`,
        '{"id":"per-request","match":null,"prices":{"input_mtok":1,"output_mtok":1,"requests_kcount":5}}',
        '{"id":"tiny","match":null,"prices":{"input_mtok":0.0000001,"output_mtok":1}}',
        '{"id":"no-output","match":null,"prices":{"input_mtok":1}}',
      ].join(','),
    )
    assert.deepEqual(leftOut, ['openai/by-hour', 'openai/per-request', 'openai/tiny', 'openai/no-output'])
    assert.deepEqual(
      models.map(({ provider, model }) => `${provider}/${model}`),
      ['offline/extractive'],
    )
  })
})
