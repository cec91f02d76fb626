import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { compose } from '../../app/compose.ts'
import { ensureFirstAdmin } from '../../app/credentials.ts'
import { serve } from '../../app/serve.ts'
import { readSettings } from '../../app/settings.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import { createTestWorld, type Ran, type TestWorld } from '../test-world.ts'
import { budgetBar } from './budget-view.ts'

describe('budgets on the command line', () => {
  const opened = new AsyncDisposableStack()
  let world: TestWorld

  before(async () => {
    const dataDir = opened.adopt(mkdtempSync(join(tmpdir(), 'af-cli-budgets-')), (path) =>
      rmSync(path, { recursive: true }),
    )
    const settings = readSettings(
      { AGENT_FACTORY_DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent' },
      dataDir,
    )
    const models = [createScriptedModel('scripted', () => ({ text: 'Done.' }))]
    const app = opened.use(await compose(settings, { models }))
    const { apiKey } = await ensureFirstAdmin(app.identity, dataDir)
    const server = await serve(app, settings.server)
    opened.defer(() => server.stop())
    world = opened.use(createTestWorld({ AGENT_FACTORY_URL: server.url, AGENT_FACTORY_API_KEY: apiKey }))
    const stdin = 'name: guide\ninstructions: Be brief.\nmodel: scripted/any\n'
    await done(['agent', 'create', '-', '--publish'], stdin)
  })
  after(() => opened.disposeAsync())

  const done = async (args: readonly string[], stdin?: string): Promise<Ran> => {
    const ran = await world.run([...args], stdin === undefined ? {} : { stdin })
    assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.err}`)
    return ran
  }
  const create = async (...args: readonly string[]): Promise<string> => {
    const ran = await done(['budget', 'create', ...args, '--json'])
    return (ran.json() as { id: string }).id
  }

  it('are created, shown, changed, topped up and archived', async () => {
    const terms = ['--limit', '$25.50', '--period', 'month', '--timezone', 'Europe/Berlin']
    const id = await create('Guide', '--scope', 'agent:guide', ...terms, '--thresholds', '50,90 %')
    const shown = await done(['budget', 'get', id])
    assert.match(shown.out, /limit +\$25\.5 a month \(Europe\/Berlin\)/)
    assert.match(shown.out, /on +agent guide/)
    assert.match(shown.out, /spent +\[░{30}\] 0 %/)
    assert.match(shown.out, /thresholds +50 %, 90 %/)
    assert.match((await done(['budget', 'update', id, '--limit', '30', '--mode', 'ask'])).out, /mode +ask/)
    const topped = await done(['budget', 'top-up', id, '5', '--reason', 'The fair.'])
    assert.match(topped.out, /left +\$35\n/)
    assert.match(topped.out, /topped up +\$5\n/)
    assert.match(
      (await done(['budget', 'list', '--scope', 'agent:guide'])).out,
      /Guide +agent guide +ask +\$30/,
    )
    assert.match((await done(['budget', 'periods', id])).out, /\$5/)
    const history = await done(['budget', 'history', id])
    assert.match(history.out, /topped-up .*\n.*updated .*mode hard → ask, limitUsd 25\.5 → 30\n.*created /)
    await done(['budget', 'archive', id])
    assert.match((await done(['budget', 'get', id])).out, /state +archived/)
    assert.match((await done(['budget', 'list', '--state', 'archived'])).out, /Guide/)
  })

  it('give a part of their limit to another', async () => {
    const from = await create('From', '--limit', '10', '--period', 'rolling', '--window', '24h')
    const to = await create('To', '--limit', '1', '--period', 'rolling', '--window', '24h')
    const moved = await done(['budget', 'transfer', from, to, '4'])
    assert.match(moved.out, /limit +\$6 in any 1d/)
    assert.match((await done(['budget', 'get', to])).out, /limit +\$5 /)
  })

  it('are refused with a line that says why', async () => {
    const wrong: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['create', 'x', '--limit', '5', '--period', 'rolling'], 1, /window/],
      [['create', 'x', '--limit', '-5', '--period', 'day'], 2, /amount of USD/],
      [['create', 'x', '--limit', '5', '--period', 'day', '--scope', 'planet:mars'], 2, /agent:guide/],
      [['create', 'x', '--limit', '5', '--period', 'day', '--scope', 'agent:nobody'], 1, /no agent here/],
      [['update', 'bud_01kb2m3n4p5q6r7s8t9v0w1x2y'], 2, /Say what to change/],
      [['get', 'bud_01kb2m3n4p5q6r7s8t9v0w1x2y'], 3, /no budget/],
    ]
    for (const [args, code, message] of wrong) {
      const ran = await world.run(['budget', ...args])
      assert.equal(ran.code, code, `${args.join(' ')}: ${ran.err}`)
      assert.match(ran.err, message)
    }
  })

  it('show what is settled, held and left in one bar', () => {
    const bar = (settledUsd: string, heldUsd: string, leftUsd: string) =>
      budgetBar({ settledUsd, heldUsd, leftUsd })
    assert.equal(bar('10', '10', '10'), `[${'█'.repeat(10)}${'▒'.repeat(10)}${'░'.repeat(10)}]`)
    assert.equal(bar('0', '0', '5'), `[${'░'.repeat(30)}]`)
    // However little is spent, held or left, it shows.
    assert.equal(bar('0.000001', '0', '1000'), `[█${'░'.repeat(29)}]`)
    assert.equal(bar('1000', '0', '0.000001'), `[${'█'.repeat(29)}░]`)
    assert.equal(bar('1000', '0.000001', '0'), `[${'█'.repeat(29)}▒]`)
    assert.equal(bar('1000', '0.000001', '0.000001'), `[${'█'.repeat(28)}▒░]`)
    assert.equal(bar('12', '0', '0'), `[${'█'.repeat(30)}]`)
    assert.equal(bar('0', '0', '0'), `[${'█'.repeat(30)}]`)
  })
})
