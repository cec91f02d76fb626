import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { compose } from '../../app/compose.ts'
import { ensureFirstAdmin } from '../../app/credentials.ts'
import { serve } from '../../app/serve.ts'
import { readSettings } from '../../app/settings.ts'
import { createTestWorld, type TestWorld } from '../test-world.ts'

describe('plans and subscriptions on the command line', () => {
  const opened = new AsyncDisposableStack()
  let world: TestWorld

  before(async () => {
    const dataDir = opened.adopt(mkdtempSync(join(tmpdir(), 'af-cli-plans-')), (path) =>
      rmSync(path, { recursive: true }),
    )
    const settings = readSettings(
      { AGENT_FACTORY_DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent' },
      dataDir,
    )
    const app = opened.use(await compose(settings))
    const { apiKey } = await ensureFirstAdmin(app.identity, dataDir)
    const server = await serve(app, settings.server)
    opened.defer(() => server.stop())
    world = opened.use(createTestWorld({ AGENT_FACTORY_URL: server.url, AGENT_FACTORY_API_KEY: apiKey }))
  })
  after(() => opened.disposeAsync())

  const billing = async (args: readonly string[], stdin?: string): Promise<string> => {
    const ran = await world.run(['billing', ...args], stdin === undefined ? {} : { stdin })
    assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.err}`)
    return ran.out
  }

  it('has the first plans, and takes a version of one', async () => {
    const list = await billing(['plans'])
    for (const key of ['free', 'pro', 'enterprise']) assert.match(list, new RegExp(` ${key} `))
    const yaml = 'key: team\nname: Team\ncurrency: USD\ninterval: month\nbase_price: "5.00"\n'
    const made = await billing(['plans', 'create', '-', '--stripe-price', 'price_1Qx7'], yaml)
    assert.match(made, /price +5\.00 USD a month/)
    assert.match(made, /price at Stripe +price_1Qx7/)
    const odd = await world.run(['billing', 'plans', 'create', '-', '--stripe-price', 'x'], { stdin: yaml })
    assert.match(odd.err, /stripe_price_id/)
    const wrong = await world.run(['billing', 'plans', 'create', '-'], { stdin: `${yaml}trial: 5\n` })
    assert.notEqual(wrong.code, 0)
    assert.match(wrong.err, /trial/)
  })

  it('subscribe, change, tell usage and cancel', async () => {
    const early = await world.run(['billing', 'subscribe', 'pro'])
    assert.notEqual(early.code, 0)
    assert.match(await billing(['entitlements']), /none: nothing is limited/)
    await billing(['account', '--name', 'Ada', '--currency', 'USD'])
    assert.match(await billing(['account', '--timezone', 'Asia/Tokyo']), /Asia\/Tokyo/)
    assert.match(await billing(['subscribe', 'pro', '--no-trial']), /state +active/)
    assert.match(await billing(['change', '--plan', 'team']), /next plan +Team/)
    assert.match(await billing(['entitlements']), /runs a minute +120/)
    const records = '[{"event_id": "a", "metric": "token", "quantity": 1000}]'
    assert.match(await billing(['usage', '--file', '-'], records), /accepted +1/)
    assert.match(await billing(['usage', '--metric', 'token']), /token +1,000 +20,000,000 +19,999,000/)
    assert.match(await billing(['pause']), /state +paused/)
    assert.match(await billing(['resume']), /state +active/)
    assert.match(await billing(['cancel', '--now']), /state +cancelled/)
    assert.match(await billing(['subscription']), /state +cancelled/)
  })
})
