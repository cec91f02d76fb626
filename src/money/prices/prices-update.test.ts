import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MatchLogic, ModelInfo } from '@pydantic/genai-prices'
import { withConditions } from '../../../scripts/price-conditions.ts'
import { convertPrices, makePriceFile, picosOf } from '../../../scripts/prices-update.ts'
import type { ModelPrices } from './price-book.ts'
import data from './prices.json' with { type: 'json' }

describe('prices.json', () => {
  it('is what the script makes of the installed package', () => {
    const { file } = makePriceFile(data.header.retrieved)
    assert.deepEqual(data, JSON.parse(JSON.stringify(file)), 'run scripts/prices-update.ts')
  })

  it('carries the licence of its data', () => {
    assert.equal(data.header.source, '@pydantic/genai-prices 0.1.8')
    assert.match(data.header.notice, /Copyright \(c\) Pydantic Services Inc\./)
    assert.match(data.header.licenceText, /^The MIT License.+Permission is hereby granted/s)
  })
})

describe('prices under conditions', () => {
  const models: readonly ModelPrices[] = data.models

  it('name the page that says so, each', () => {
    for (const { provider, model, prices } of models)
      for (const { conditions = {} } of prices)
        for (const [name, { source }] of Object.entries(conditions))
          assert.match(source ?? '', /^https:.+read \d{4}-\d{2}-\d{2}\)$/, `${provider}/${model} ${name}`)
  })

  it('are exact shares, in every period and tier', () => {
    const terra = models.find(({ model }) => model === 'gpt-5.6-terra')
    assert.deepEqual(
      terra?.prices.map(({ conditions }) => conditions?.flex?.cacheWrite),
      ['1562500', '1250000'],
    )
    assert.equal(terra?.prices[0]?.conditions?.flex?.tiers?.[0]?.output, '11250000')
    // What its page does not speak of is left out.
    assert.equal(terra?.prices[0]?.conditions?.batch?.cachedInput, undefined)
    const odd = { ...flatModel, prices: [{ effectiveFrom: null, input: '3', output: '2' }] }
    assert.throws(() => withConditions(odd), /not whole/)
  })

  it('are for models that are named, or that sell text alone', () => {
    const conditionsOf = (id: string) =>
      Object.keys(models.find(({ model }) => model === id)?.prices.at(-1)?.conditions ?? {})
    assert.deepEqual(conditionsOf('gpt-5'), ['batch', 'flex', 'priority'])
    assert.deepEqual(conditionsOf('gpt-audio'), [])
    assert.deepEqual(conditionsOf('claude-haiku-4-5'), ['batch'])
    assert.deepEqual(conditionsOf('claude-opus-4-6'), ['batch', 'us'])
    assert.deepEqual(conditionsOf('extractive'), [])
  })
})

const flatModel: ModelPrices = { provider: 'openai', model: 'm', aliases: [], source: 's', prices: [] }

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

  it('refuses the text of a number that arithmetic with floats has made', () => {
    assert.equal(picosOf(String(0.1 + 0.2)), undefined)
    assert.equal(picosOf(String(0.3)), '300000')
  })
})

describe('convertPrices', () => {
  const flat = { input_mtok: 1, output_mtok: 2 }
  const model = (prices: ModelInfo['prices'], more: Partial<ModelInfo> = {}): ModelInfo => ({
    id: 'm',
    match: { equals: 'm' },
    prices,
    ...more,
  })
  /** The source prices each name by the first model that has it as its id or among the rules of `match`, all of which are exact. */
  const convert = (models: readonly ModelInfo[], id = 'openai') =>
    convertPrices(
      [{ id, name: id, api_pattern: '', models: [...models] }],
      (_, name) => models.find(({ match }) => JSON.stringify(match).includes(`:"${name}"`))?.id,
    )
  const periodsOf = (prices: ModelInfo['prices']) => convert([model(prices)]).models[0]?.prices

  it('takes exact names only and counts the rules that it does not use', () => {
    const match: MatchLogic = {
      or: [
        { equals: 'm' },
        { equals: 'm-2026' },
        { starts_with: 'm-' },
        { and: [{ starts_with: 'm' }, { regex: '^m' }] },
        { or: [{ equals: 'm-old' }, { contains: 'old' }] },
      ],
    }
    const { models, patternsUnused } = convert([model(flat, { match })])
    assert.deepEqual([models[0]?.model, models[0]?.aliases], ['m', ['m-2026', 'm-old']])
    assert.equal(patternsUnused, 3)
  })

  it('takes no id that the source itself does not price, nor a name that it prices as another model', () => {
    const labelled = model(flat, { id: 'label', match: { equals: 'hosts/m' } })
    const shadowed = model(flat, { id: 'late', match: { or: [{ equals: 'late' }, { equals: 'hosts/m' }] } })
    const { models } = convert([labelled, shadowed])
    assert.deepEqual(
      models.map((found) => [found.model, found.aliases]),
      [
        ['hosts/m', []],
        ['late', []],
      ],
    )
  })

  it('keeps every kind of token, each under its own name', () => {
    const prices = { ...flat, cache_read_mtok: 0.1, cache_write_mtok: 1.25, cache_write_1h_mtok: 2 }
    assert.deepEqual(periodsOf({ ...prices, output_reasoning_mtok: 3, web_searches_kcount: 10 }), [
      {
        effectiveFrom: null,
        input: '1000000',
        cachedInput: '100000',
        cacheWrite: '1250000',
        cacheWriteOneHour: '2000000',
        output: '2000000',
        reasoning: '3000000',
      },
    ])
  })

  it('gives each tier the prices of all kinds at its threshold', () => {
    const tiers = [
      { start: 400_000, price: 5 },
      { start: 200_000, price: 2.5 },
    ]
    const [period] = periodsOf({ ...flat, input_mtok: { base: 1.25, tiers }, cache_read_mtok: 0.1 }) ?? []
    assert.equal(period?.input, '1250000')
    assert.deepEqual(period?.tiers, [
      { aboveTokens: 200_000, input: '2500000', cachedInput: '100000', output: '2000000' },
      { aboveTokens: 400_000, input: '5000000', cachedInput: '100000', output: '2000000' },
    ])
  })

  it('ends a price where the next one begins', () => {
    const periods = periodsOf([
      { prices: { input_mtok: 10, output_mtok: 40 } },
      { constraint: { type: 'start_date', start_date: '2025-06-10' }, prices: flat },
    ])
    assert.deepEqual(
      periods?.map(({ effectiveFrom, effectiveUntil, input }) => [effectiveFrom, effectiveUntil, input]),
      [
        [null, '2025-06-10', '10000000'],
        ['2025-06-10', undefined, '1000000'],
      ],
    )
  })

  it('keeps the prices of media, each under its own name', () => {
    const prices = { ...flat, input_audio_mtok: 3, cache_audio_read_mtok: 1, output_image_mtok: 30 }
    const [found] = convert([model(prices)]).models
    assert.deepEqual(found?.prices, [
      {
        effectiveFrom: null,
        input: '1000000',
        output: '2000000',
        audioInput: '3000000',
        audioCachedInput: '1000000',
        imageOutput: '30000000',
      },
    ])
    assert.equal(found?.mediaPricedApart, undefined)
  })

  it('says which media do not cost what text does, where the source lacks their prices', () => {
    const of = (id: string) =>
      convert([model(flat, { id, match: { equals: id } })]).models[0]?.mediaPricedApart
    assert.equal(of('m'), undefined)
    assert.deepEqual(of('m-audio-preview'), ['audio'])
    assert.deepEqual(of('m-realtime'), ['audio', 'image', 'video'])
    assert.deepEqual(of('m-live-2'), ['audio', 'image', 'video'])
  })

  it('leaves out, by name and reason, what it cannot say exactly', () => {
    const hours = { type: 'time_of_date', start_time: '00:30:00Z', end_time: '16:30:00Z' } as const
    const cases: readonly (readonly [string, ModelInfo['prices'], Partial<ModelInfo>?])[] = [
      ['the price depends on the hour', [{ prices: flat }, { constraint: hours, prices: flat }]],
      ['charged by something else than tokens', { ...flat, requests_kcount: 5 }],
      ['no whole number of pico-USD', { ...flat, input_mtok: 0.0000001 }],
      ['no price of input and output tokens', { input_mtok: 1 }],
      ['no price of input and output tokens', {}],
      ['doubted by the source', flat, { price_comments: 'Imported from OpenRouter pricing; verify.' }],
      ['no exact name', flat, { match: { starts_with: 'm-' } }],
      ['no exact name', flat, { id: 'm-', match: { starts_with: 'm-' } }],
    ]
    for (const [because, prices, more] of cases) {
      const { models, leftOut } = convert([model(prices, more)])
      assert.deepEqual(leftOut, [{ model: `openai/${more?.id ?? 'm'}`, because }])
      assert.deepEqual(models, [])
    }
    const claude = model(flat, { id: 'claude-x', match: { equals: 'claude-x' } })
    assert.equal(convert([claude], 'google').leftOut[0]?.because, 'sold by Vertex AI only')
    assert.equal(convert([claude], 'anthropic').models.length, 1)
  })
})
