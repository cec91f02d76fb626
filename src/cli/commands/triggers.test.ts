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
import { bothZones } from './trigger-view.ts'

describe('schedules, triggers and events on the command line', () => {
  const opened = new AsyncDisposableStack()
  let world: TestWorld

  before(async () => {
    const dataDir = opened.adopt(mkdtempSync(join(tmpdir(), 'af-cli-triggers-')), (path) =>
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
  const idOf = (ran: Ran): string => (ran.json() as { id: string }).id

  it('create a schedule, and show its ticks in both zones', async () => {
    const create = ['schedule', 'create', 'morning', '--agent', 'guide', '--text', 'Say "hi".']
    const made = await done([...create, '--cron', '30 7 * * *', '--timezone', 'Asia/Tokyo', '--json'])
    const id = idOf(made)
    const shown = await done(['schedule', 'get', id])
    assert.match(shown.out, /next +\d{4}-\d\d-\d\d 22:30:00Z \(\w{3} \d{4}-\d\d-\d\d 07:30:00 Asia\/Tokyo\)/)
    assert.match(shown.out, /input +"Say \\"hi\\"\."/)
    assert.match((await done(['schedule', 'list'])).out, /morning +active +agent guide +30 7 \* \* \*/)
    assert.match((await done(['schedule', 'pause', id])).out, /state +paused/)
    assert.match((await done(['schedule', 'resume', id])).out, /state +active/)
    await done(['schedule', 'delete', id])
    const gone = await world.run(['schedule', 'get', id])
    assert.equal(gone.code, 3)
    const wrong = await world.run([...create, '--cron', '30 25 * * *'])
    assert.equal(wrong.code, 1)
    assert.match(wrong.err, /hour "25"/)
    const nothing = await world.run(['schedule', 'create', 'x', '--cron', '@daily'])
    assert.equal(nothing.code, 2)
  })

  it('create a webhook, and show its secret once', async () => {
    const made = await done(['trigger', 'create', 'hook', '--kind', 'webhook', '--agent', 'guide'])
    const [, secret = ''] = /secret +(whsec_\S+)/.exec(made.out) ?? []
    const [, id = ''] = /id +(trg_\S+)/.exec(made.out) ?? []
    assert.match(made.out, new RegExp(`path +/api/v1/hooks/${id}`))
    assert.doesNotMatch((await done(['trigger', 'get', id])).out, /whsec_/)
    const rotated = await done(['trigger', 'rotate', id])
    assert.match(rotated.out, /secret +whsec_/)
    assert.ok(!rotated.out.includes(secret))
  })

  it('send an event that starts a run', async () => {
    const create = ['trigger', 'create', 'paid', '--kind', 'event', '--event', 'paid', '--agent', 'guide']
    await done([...create, '--condition', 'event.data.amount > 1', '--input', '"Paid."'])
    const sent = await done([
      'event',
      'send',
      'paid',
      '--correlation',
      'o-1',
      '--data',
      '{"amount": 5}',
      '--json',
    ])
    assert.match(idOf(sent), /^sig_/)
    const runs = (await done(['run', 'list', '--json'])).json() as { input: unknown }[]
    assert.deepEqual(
      runs.map(({ input }) => input),
      ['Paid.'],
    )
    const list = await done(['trigger', 'list', '--kind', 'event', '--json'])
    assert.equal((list.json() as unknown[]).length, 1)
  })

  it('says a tick in UTC alone where that is its zone', () => {
    assert.equal(bothZones('2026-11-22T10:00:00.000Z', 'UTC'), '2026-11-22 10:00:00Z')
  })
})
