import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { compose } from '../../app/compose.ts'
import { ensureFirstAdmin } from '../../app/credentials.ts'
import { EMPTY_PROJECT } from '../../app/host-code.ts'
import { serve } from '../../app/serve.ts'
import { readSettings } from '../../app/settings.ts'
import { defineTool } from '../../define/define-tool.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import { Client } from '../../sdk.ts'
import { createTestWorld, type Ran, type TestWorld } from '../test-world.ts'

const PAY = defineTool({
  name: 'pay',
  description: 'Pays.',
  input: { type: 'object' },
  effect: 'once',
  approval: 'always',
  run: () => ({ paid: true }),
})
const model = createScriptedModel('scripted', ({ messages }) =>
  messages.length > 1 ? { text: 'Finished.' } : { toolCalls: [{ tool: 'pay', arguments: { amount: 5 } }] },
)

describe('approval', () => {
  const opened = new AsyncDisposableStack()
  let world: TestWorld
  let client: Client
  let url = ''

  before(async () => {
    const dataDir = opened.adopt(mkdtempSync(join(tmpdir(), 'af-cli-approval-')), (path) =>
      rmSync(path, { recursive: true }),
    )
    const environment = { AGENT_FACTORY_DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent' }
    const settings = readSettings(environment, dataDir)
    const app = opened.use(
      await compose(settings, { models: [model], host: { ...EMPTY_PROJECT, codeTools: [PAY] } }),
    )
    const { apiKey } = await ensureFirstAdmin(app.identity, dataDir)
    const server = await serve(app, settings.server)
    opened.defer(() => server.stop())
    url = server.url
    client = opened.use(new Client({ baseUrl: url, apiKey }))
    await client.createAgent(
      { name: 'payer', instructions: 'Pay.', model: 'scripted/any', tools: ['pay'] },
      { publish: true },
    )
    world = opened.use(createTestWorld({ AGENT_FACTORY_URL: url, AGENT_FACTORY_API_KEY: apiKey }))
  })
  after(() => opened.disposeAsync())

  const done = async (line: string): Promise<Ran> => {
    const ran = await world.run(line.split(' '))
    assert.equal(ran.code, 0, `${line}: ${ran.err}`)
    return ran
  }
  /** A run that waits, and the id of what it asks. */
  const asked = async (): Promise<{ readonly id: string; readonly run: string }> => {
    const { id: run } = await client.runAgent('payer', 'Pay.')
    const [approval] = (await done(`approval list --run ${run} --json`)).json() as readonly { id: string }[]
    return { id: approval?.id ?? assert.fail('nothing is asked'), run }
  }

  it('lists and shows what is asked, and approves it', async () => {
    const { id, run } = await asked()
    const listed = await done('approval list --state pending')
    assert.match(listed.out, /^ID +STATE/)
    assert.match(listed.out, new RegExp(`${id} +pending +tool +pay +${run}`))
    const shown = await done(`approval get ${id}`)
    assert.match(shown.out, /"amount": 5/)
    const { arguments_hash: hash } = (await done(`approval get ${id} --json`)).json() as {
      arguments_hash: string
    }
    const wrong = await world.run(['approval', 'approve', id, '--arguments-hash', '0'.repeat(64)])
    assert.notEqual(wrong.code, 0)
    assert.match(wrong.err, /not those that you were shown/)
    const approved = await done(`approval approve ${id} --reason fine --arguments-hash ${hash}`)
    assert.match(approved.out, /state +approved/)
    assert.match(approved.out, /approve by usr_\w+ at .*: fine/)
    assert.equal((await client.waitForRun(run)).state, 'completed')
  })

  it('declines, once', async () => {
    const { id } = await asked()
    const declined = (await done(`approval decline ${id} --reason no --json`)).json()
    assert.equal((declined as { state: string }).state, 'declined')
    const again = await world.run(['approval', 'decline', id])
    assert.match(again.err, /has its answer already/)
  })

  it('makes a link that opens', async () => {
    const { id } = await asked()
    const made = await done(`approval link ${id} --expires-in 1h`)
    const link = made.out.trim()
    assert.ok(link.startsWith(`${url}/approvals/link/af_link_`), link)
    assert.match(made.err, /Good until .* in the name of usr_/)
    const page = await fetch(link, { headers: { accept: 'text/html' } })
    assert.equal(page.status, 200)
    assert.match(await page.text(), /Your approval is asked for/)
  })
})
