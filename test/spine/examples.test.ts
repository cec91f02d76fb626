// The examples run as they are: against a server with the starter agent, as `npm start` makes it.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { type App, compose } from '../../src/app/compose.ts'
import { ensureFirstAdmin } from '../../src/app/credentials.ts'
import { loadHostProject, syncHostProject } from '../../src/app/host-code.ts'
import { serve } from '../../src/app/serve.ts'
import { readSettings } from '../../src/app/settings.ts'
import { startExampleShop } from '../../src/app/starter/example-shop.ts'
import { installStarter } from '../../src/app/starter/starter.ts'

const ROOT = join(import.meta.dirname, '../..')
const run = promisify(execFile)

describe('the examples', () => {
  const opened = new AsyncDisposableStack()
  let app: App
  let environment: NodeJS.ProcessEnv = {}
  let apiKey = ''

  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'af-examples-'))
    opened.defer(() => rmSync(folder, { recursive: true }))
    const settings = readSettings({ AGENT_FACTORY_DATA_DIR: folder, LOG_LEVEL: 'silent' })
    const shop = opened.use(await startExampleShop(0))
    assert.ok(shop)
    const host = await loadHostProject(join(ROOT, 'examples/define-agent'))
    assert.deepEqual(host.problems, [])
    app = opened.use(await compose(settings, { host, outboundAllowHosts: [shop.hostPort] }))
    ;({ apiKey } = await ensureFirstAdmin(app.identity, folder))
    const principal = await app.identity.authenticateKey(apiKey)
    await installStarter(app.catalog, principal, {
      model: 'offline/extractive',
      tools: shop.tools,
      collections: ['docs'],
    })
    await syncHostProject(app, principal, host)
    const server = await serve(app, { host: '127.0.0.1', port: 0, shutdownTimeoutMs: 1_000 })
    opened.defer(() => server.stop())
    environment = { PATH: process.env.PATH, AGENT_FACTORY_URL: server.url, AGENT_FACTORY_API_KEY: apiKey }
  })
  after(() => opened.disposeAsync())

  const ask = async (agent: string, input: string) => {
    const principal = await app.identity.authenticateKey(apiKey)
    const { id } = await app.runtime.start(principal, { agent, input }, { requestId: undefined })
    return app.runtime.wait(principal.tenantId, id, 20_000)
  }

  it('sdk-quickstart.ts', async () => {
    const file = join(ROOT, 'examples/sdk-quickstart.ts')
    const { stdout } = await run(process.execPath, ['--conditions=agent-factory-source', file], {
      env: environment,
    })
    assert.match(stdout, /^completed: .*shipped/)
    assert.match(stdout, /\n9 run\.completed\n/)
  })

  it('curl.sh', async () => {
    const { stdout } = await run('sh', [join(ROOT, 'examples/curl.sh')], { env: environment })
    assert.match(stdout, /"state":"completed"/)
    assert.match(stdout, /event: run\.completed/)
    assert.doesNotMatch(stdout, new RegExp(apiKey))
  })

  it('define-agent', async () => {
    const { state, output } = await ask('cashier', 'Convert 100 EUR to dollars')
    assert.equal(state, 'completed')
    assert.match(String(output), /110/)
  })

  it('the guide answers from the documentation, the calculator, the clock and the shop', async () => {
    const answers = [
      ['What happens to a run when the server crashes?', /\[runs-and-recovery\.md\]/],
      ['What is 12 * (7 + 1.5)?', /102/],
      ['What time is it in Tokyo?', /Asia\/Tokyo/],
      ['Which book is about clouds?', /A Field Guide to Clouds/],
      ['When does the shop open on Thursday?', /09:00/],
    ] as const
    for (const [question, expected] of answers)
      assert.match(String((await ask('guide', question)).output), expected)
  })
})
