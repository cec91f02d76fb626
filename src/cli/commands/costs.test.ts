import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { compose } from '../../app/compose.ts'
import { ensureFirstAdmin } from '../../app/credentials.ts'
import { serve } from '../../app/serve.ts'
import { readSettings } from '../../app/settings.ts'
import { createTestWorld, type Ran, type TestWorld } from '../test-world.ts'

describe('costs on the command line', () => {
  const opened = new AsyncDisposableStack()
  let world: TestWorld
  let folder: string

  before(async () => {
    folder = opened.adopt(mkdtempSync(join(tmpdir(), 'af-cli-costs-')), (path) =>
      rmSync(path, { recursive: true }),
    )
    const settings = readSettings({ AGENT_FACTORY_DATA_DIR: folder, PORT: '0', LOG_LEVEL: 'silent' }, folder)
    const app = opened.use(await compose(settings, { models: [] }))
    const { apiKey } = await ensureFirstAdmin(app.identity, folder)
    const server = await serve(app, settings.server)
    opened.defer(() => server.stop())
    world = opened.use(createTestWorld({ AGENT_FACTORY_URL: server.url, AGENT_FACTORY_API_KEY: apiKey }))
  })
  after(() => opened.disposeAsync())

  const done = async (...args: readonly string[]): Promise<Ran> => {
    const ran = await world.run([...args])
    assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.err}`)
    return ran
  }

  it('tells, shows, estimates, reports and rates anew', async () => {
    await done('costs', 'add', 'STORAGE', '1.25', '--external-id', 'disk', '--description', '=1+1')
    await done('costs', 'add', 'STORAGE', '1.25', '--external-id', 'disk')
    const refused = await world.run(['costs', 'add', 'STORAGE', '1.26', '--external-id', 'disk'])
    assert.equal(refused.code, 1)
    assert.match((await done('costs')).out, /cost +\$1\.25/)
    assert.match((await done('costs', 'show', 'tenant', '--group-by', 'day')).out, /DAY/)
    const json = (await done('costs', '--json')).json() as { total: { cost_usd: string } }
    assert.equal(json.total.cost_usd, '1.25')
    assert.equal((await world.run(['costs', 'show', 'agent'])).code, 2)
    const estimate = await done('costs', 'estimate', 'Hello, world', '--model', 'openai/gpt-4.1')
    assert.match(estimate.out, /3 \(exact/)
    const none = await done('costs', 'estimate', 'Hello', '--model', 'nobody/new')
    assert.match(none.out, /unpriced/)
    const month = new Date().toISOString().slice(0, 7)
    assert.match((await done('costs', 'report', month, '--format', 'csv')).out, /^table,key,name,cost_usd/)
    const output = join(folder, 'report.pdf')
    await done('costs', 'report', month, '--format', 'pdf', '--output', output)
    assert.equal(readFileSync(output).subarray(0, 5).toString(), '%PDF-')
    assert.equal((await world.run(['costs', 'report', month, '--format', 'pdf'])).code, 2)
    const range = ['--from', '2026-01-01', '--to', '2026-02-01', '--reason', 'Test.']
    assert.match((await done('costs', 'rerate', ...range, '--dry-run')).out, /changed +0/)
    await done('costs', 'hints')
  })
})
