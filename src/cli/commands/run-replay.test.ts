import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { compose } from '../../app/compose.ts'
import { ensureFirstAdmin } from '../../app/credentials.ts'
import { EMPTY_PROJECT } from '../../app/host-code.ts'
import { serve } from '../../app/serve.ts'
import { readSettings } from '../../app/settings.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import { createTestWorld } from '../test-world.ts'

const model = createScriptedModel('scripted', ({ instructions }) => ({ text: `I am to ${instructions}` }))

it('a run is replayed and compared on the command line', async () => {
  await using opened = new AsyncDisposableStack()
  const dataDir = opened.adopt(mkdtempSync(join(tmpdir(), 'af-cli-replay-')), (path) =>
    rmSync(path, { recursive: true }),
  )
  const settings = readSettings({ AGENT_FACTORY_DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent' }, dataDir)
  const app = opened.use(await compose(settings, { models: [model], host: EMPTY_PROJECT }))
  const { apiKey } = await ensureFirstAdmin(app.identity, dataDir)
  const server = await serve(app, settings.server)
  opened.defer(() => server.stop())
  const world = opened.use(createTestWorld({ AGENT_FACTORY_URL: server.url, AGENT_FACTORY_API_KEY: apiKey }))
  const done = async (args: readonly string[]): Promise<{ readonly out: string; json(): unknown }> => {
    const ran = await world.run(args)
    assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.err}`)
    return ran
  }
  writeFileSync(join(world.folder, 'a.yaml'), 'name: one\ninstructions: help\nmodel: scripted/any\n')
  writeFileSync(join(world.folder, 'other.txt'), 'wait')
  await done(['agent', 'create', 'a.yaml', '--publish'])
  const first = (await done(['agent', 'run', 'one', 'Hi.', '--json'])).json() as { id: string }
  const args = ['run', 'replay', first.id, '--instructions', '@other.txt', '--wait', '--json']
  const again = (await done(args)).json() as { id: string; output: string; replay_of: string }
  assert.deepEqual([again.output, again.replay_of], ['I am to wait', first.id])
  assert.match((await done(['run', 'get', again.id])).out, new RegExp(`replay of +${first.id}\n`))
  const text = (await done(['run', 'diff', first.id, again.id])).out
  assert.match(text, /- output: I am to help\n {4}\+ output: I am to wait\n/)
  const diff = (await done(['run', 'diff', first.id, again.id, '--json'])).json() as {
    differs: readonly string[]
    steps: readonly { change: string }[]
  }
  assert.ok(diff.differs.includes('output'))
  assert.equal(diff.steps.length, 1)
  assert.equal((await done(['run', 'list', '--replays', '--json'])).out.includes(first.id), true)
  assert.match((await done(['agent', 'publish', 'one', '--in-flight', 'cancel'])).out, /one/)
})
