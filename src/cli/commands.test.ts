import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { compose } from '../app/compose.ts'
import { ensureFirstAdmin } from '../app/credentials.ts'
import { EMPTY_PROJECT } from '../app/host-code.ts'
import { serve } from '../app/serve.ts'
import { readSettings } from '../app/settings.ts'
import { defineTool } from '../define/define-tool.ts'
import { createScriptedModel } from '../models/scripted/scripted-model.ts'
import { createTestWorld, type Ran, type RunOptions, type TestWorld } from './test-world.ts'

const PAY = defineTool({
  name: 'pay',
  description: 'Pays.',
  input: { type: 'object' },
  effect: 'once',
  approval: 'always',
  run: () => ({ paid: true }),
})
const OPENAPI = {
  openapi: '3.0.0',
  info: { title: 'Shop', version: '1' },
  servers: [{ url: 'https://shop.example' }],
  paths: {
    '/books': {
      get: { operationId: 'listBooks', summary: 'Lists books.', responses: { 200: { description: 'ok' } } },
    },
  },
}
const AGENT = (name: string, more = ''): string =>
  `name: ${name}\ninstructions: Be brief.\nmodel: scripted/any\n${more}`

/** Says what the last message asks for: `slow` takes its time, `pay` calls the tool. */
const model = createScriptedModel('scripted', ({ messages }) => {
  const last = messages.at(-1)
  if (last?.role === 'tool') return { text: 'Paid.' }
  const text = last?.role === 'user' ? last.text : ''
  if (text.includes('slow')) return { text: 'late', delayMs: 60_000 }
  if (text.includes('pay')) return { toolCalls: [{ tool: 'pay', arguments: {} }] }
  return { text: text.includes('evil') ? 'a\u001b[2Jb' : `You said: ${text}` }
})

describe('commands against a server', () => {
  const opened = new AsyncDisposableStack()
  let world: TestWorld
  let url = ''

  before(async () => {
    const dataDir = opened.adopt(mkdtempSync(join(tmpdir(), 'af-cli-server-')), (path) =>
      rmSync(path, { recursive: true }),
    )
    const settings = readSettings(
      { AGENT_FACTORY_DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent' },
      dataDir,
    )
    const app = opened.use(
      await compose(settings, { models: [model], host: { ...EMPTY_PROJECT, codeTools: [PAY] } }),
    )
    const { apiKey } = await ensureFirstAdmin(app.identity, dataDir)
    const server = await serve(app, settings.server)
    opened.defer(() => server.stop())
    url = server.url
    world = opened.use(createTestWorld({ AGENT_FACTORY_URL: url, AGENT_FACTORY_API_KEY: apiKey }))
  })
  after(() => opened.disposeAsync())

  const run = (line: string, options?: RunOptions): Promise<Ran> => world.run(line.split(' '), options)
  const done = async (line: string, options?: RunOptions): Promise<Ran> => {
    const ran = await run(line, options)
    assert.equal(ran.code, 0, `${line}: ${ran.err}`)
    return ran
  }
  /** One line on standard error, nothing on standard output. */
  const fails = async (line: string, code: number, message: RegExp, options?: RunOptions): Promise<void> => {
    const ran = await run(line, options)
    assert.deepEqual([ran.code, ran.out], [code, ''], `${line}: ${ran.err}`)
    assert.match(ran.err, /^agent-factory: [^\n]+\n$/)
    assert.match(ran.err, message)
  }
  const file = (name: string, text: string): string => {
    const path = join(world.folder, name)
    writeFileSync(path, text)
    return path
  }
  const id = (ran: Ran): string => (ran.json() as { id: string }).id

  it('define an agent, from a file and from standard input', async () => {
    const made = await done(`agent create ${file('a.yaml', AGENT('one'))} --json`)
    assert.deepEqual(
      { ...(made.json() as object), id: '', digest: '', created_at: '', updated_at: '' },
      {
        id: '',
        name: 'one',
        version: 1,
        status: 'draft',
        digest: '',
        latest_version: 1,
        published_version: null,
        definition: { name: 'one', instructions: 'Be brief.', model: 'scripted/any' },
        created_at: '',
        updated_at: '',
        archived_at: null,
      },
    )
    const draft = await done('agent get one')
    assert.match(draft.out, /^id +agt_.*\nname +one\nversion +1 \(draft\)[\s\S]*definition\n {2}name: one\n/)
    await done('agent publish one')
    await done('agent update one --publish -', { stdin: AGENT('one', 'description: Better.') })
    assert.match((await done('agent diff one 1 2')).out, /^\/description\n\+ "Better\."\n$/)
    assert.match(
      (await done('agent versions one')).out,
      /VERSION[\s\S]*2 +published[\s\S]*1 +archived|1 +published/,
    )
    const definition = await done('agent get one --definition')
    await done('agent update one -', { stdin: definition.out })
    assert.match((await done('agent rollback one')).out, /version +1 \(published, latest 2\)/)
    assert.equal((await done('agent get one --version 2 --json')).json() !== undefined, true)
    await fails(`agent update one --file ${join(world.folder, 'a.yaml')} --expected-version 1`, 1, /version/)
  })

  it('list, with limits, as a table, an array or lines', async () => {
    for (const name of ['l1', 'l2', 'l3']) await done('agent create - --publish', { stdin: AGENT(name) })
    const all = (await done('agent list --json')).json() as { name: string }[]
    assert.ok(all.length >= 3)
    const some = await done('agent list --ndjson --limit 2')
    assert.equal(
      some.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown).length,
      2,
    )
    assert.match(some.err, /more/)
    assert.match((await done('agent list --limit 2')).out, /^ID .*\nagt_\w{26} +l3 .*\nagt_\w{26} +l2 /)
    const narrow = await done('agent list', { columns: 60 })
    for (const line of narrow.out.trimEnd().split('\n'))
      assert.ok(stripVTControlCharacters(line).length <= 60, line)
    await done('agent delete l1')
    assert.match((await done('agent list --archived')).out, /l1/)
  })

  it('refuse what is wrong, with the exit codes that are promised', async () => {
    await fails('agent get nobody', 3, /agent-factory agent list/)
    await fails('agent list --api-key af_wrong', 4, /auth login/)
    await fails('agent lst', 2, /Did you mean list\?/)
    await fails('agent get', 2, /missing required argument/)
    await fails('run list --state asleep', 2, /queued, running/)
    await fails('agent list --limit 0', 2, /from 1 to/)
    await fails('agent create nowhere.yaml', 2, /nowhere\.yaml cannot be read \(it is not there\)/)
    await fails('agent create -', 2, /neither JSON nor YAML/, { stdin: 'a: [' })
    await fails('agent create -', 1, /\/model/, { stdin: 'name: x\ninstructions: y\nmodle: z\nmodel: none' })
    await fails('agent list --api-url ftp://x', 2, /no address/)
    await fails('agent list', 1, /AGENT_FACTORY_URL="x"/, { environment: { AGENT_FACTORY_URL: 'x' } })
    await fails(`agent list --api-url http://127.0.0.1:9 --api-key af_x`, 1, /Is it running\?/)
    await fails('agent list --api-url http://127.0.0.1:9', 4, /There is no key for/, {
      environment: { AGENT_FACTORY_API_KEY: '' },
    })
    const debug = await run('agent list --api-key af_wrong', { environment: { AGENT_FACTORY_DEBUG: '1' } })
    assert.match(debug.err, /\n {2}ApiError: /)
  })

  it('ask an agent: the answer on standard output, the rest beside it', async () => {
    await done('agent create - --publish', { stdin: AGENT('talker') })
    const piped = await done('agent run talker -', { stdin: 'from a pipe\n' })
    assert.equal(piped.out, 'You said: from a pipe\n')
    assert.match(
      piped.err,
      /^run_\w{26} · completed · 1 step · 0 tool calls · 10 tokens in, 5 out · .* · \d+ ms\n$/,
    )
    const json = await done('agent run talker hello there --json')
    assert.deepEqual([(json.json() as { output: string }).output, json.err], ['You said: hello there', ''])
    const live = await done('agent run talker evil', { columns: 80 })
    assert.match(live.out, /a\\u001b\[2Jb\n$/)
    assert.equal((await done('agent run talker evil')).out, 'a\u001b[2Jb\n')
    assert.match((await done('agent run talker evil --no-stream', { columns: 80 })).out, /a\\u001b\[2Jb\n$/)
    const detached = id(await done('agent run talker later --detach --json'))
    const waited = await done(`run get ${detached} --wait 10`)
    assert.match(waited.out, /state +completed[\s\S]*input\n {2}later\noutput\n {2}You said: later\n/)
    await fails('agent run talker', 2, /Give a question/)
    await fails('agent run talker -', 2, /empty/, { stdin: ' \n' })
    await fails('agent run talker x --input {}', 2, /not both/)
  })

  it('look at a run: events, steps and the prompt log', async () => {
    const found = (await done('run list --agent talker --state completed --limit 1 --json')).json() as {
      id: string
    }[]
    const [{ id: runId } = { id: '' }] = found
    const events = await done(`run watch ${runId} --json`)
    const types = events.out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type)
    assert.deepEqual([types[0], types.at(-1)], ['run.requested', 'run.completed'])
    assert.match((await done(`run watch ${runId}`)).out, /^ {3}1 {2}run\.requested/)
    assert.match((await done(`run steps ${runId}`)).out, /STEP[\s\S]*model +\S+ +done/)
    const calls = (await done(`run calls ${runId} --json`)).json() as { id: string }[]
    const shown = await done(`run calls ${runId} --show ${calls[0]?.id}`)
    assert.match(shown.out, /instructions\n {2}Be brief\.\nuser\n {2}later\nanswer\n {2}You said: later/)
    await fails('run watch run_00000000000000000000000000', 3, /run list/)
  })

  it('cancel a run, and stop watching without stopping it', async () => {
    const runId = id(await done('agent run talker slow --detach --json'))
    const stop = new AbortController()
    const watching = run(`run watch ${runId}`, { signal: stop.signal, onOut: () => stop.abort() })
    const left = await watching
    assert.equal(left.code, 130)
    assert.match(left.err, /the run goes on/)
    await done(`run cancel ${runId}`)
    const cancelled = await run(`run get ${runId} --wait 20`)
    assert.match(cancelled.out, /state +cancelled/)
    const live = new AbortController()
    const asking = run('agent run talker slow', { signal: live.signal })
    await sleep(300)
    live.abort()
    const interrupted = await asking
    assert.equal(interrupted.code, 130)
    await done(`run cancel ${/run watch (run_\w+)/.exec(interrupted.err)?.[1]}`)
  })

  it('answer a call that waits for approval', async () => {
    await done('agent create - --publish', { stdin: AGENT('payer', 'tools: [pay]') })
    const waiting = await run('agent run payer pay', { columns: 100 })
    assert.equal(waiting.code, 0)
    const [, asked = ''] = /"agent-factory approval approve (\w+)"/.exec(waiting.err) ?? []
    const { run_id, step } = (await done(`approval get ${asked} --json`)).json() as {
      readonly run_id: string
      readonly step: number
    }
    const command = `run resolve ${run_id} ${step} `
    await fails(`${command}succeeded`, 2, /--output/)
    const [, , runId = ''] = command.split(' ')
    await done(`${command}approve`)
    assert.match((await done(`run get ${runId} --wait 20`)).out, /output\n {2}Paid\./)
    await fails(`${command}approve`, 1, /.+/)
  })

  it('tell what a workflow waits for, in it and in the runs below', async () => {
    const flow = (name: string, node: string): string => `name: ${name}\nnodes:\n  - ${node}\n`
    const waiting = async (yaml: string, name: string): Promise<string> => {
      await done('workflow create - --publish', { stdin: yaml })
      const ran = await done(`workflow run ${name}`)
      assert.equal(ran.out, '')
      const json = (await done(`workflow run ${name} --json`)).json() as { readonly state: string }
      assert.equal(json.state, 'waiting')
      return ran.err
    }
    const event = flow('listening', '{ id: paid, type: wait, event: { name: order.paid, timeout: 7d } }')
    assert.match(
      await waiting(event, 'listening'),
      /for the event "order\.paid", until .*event send order\.paid"/,
    )
    const time = flow('sleeping', '{ id: nap, type: wait, for: 7d }')
    assert.match(
      await waiting(time, 'sleeping'),
      /waits until 20.* \(in [67] days\): "agent-factory run watch run_/,
    )
    await done('agent create - --publish', { stdin: AGENT('buyer', 'tools: [pay]') })
    const below = flow('asking', `{ id: buy, type: agent, agent: buyer, input: "'pay'" }`)
    const [, asked = ''] = /"agent-factory (approval approve \w+)"/.exec(await waiting(below, 'asking')) ?? []
    assert.match((await done(asked)).out, /state +approved/)
  })

  it('hold a conversation', async () => {
    const session = id(await done('session create talker --json'))
    await done(`agent run talker first --session ${session}`)
    await done(`agent run talker second --session ${session}`)
    assert.match((await done(`session turns ${session}`)).out, /1 +run_\w{26} .*first +You said: first\n/)
    assert.match((await done(`session get ${session}`)).out, /turns +2\n/)
  })

  it('define, try and import tools, and define workflows', async () => {
    assert.match((await done('tool test calculator --input {"expression":"6*7"} --json')).out, /42/)
    const document = file('openapi.json', JSON.stringify(OPENAPI))
    assert.match((await done(`tool import ${document}`)).err, /--create makes them/)
    const made = await done(`tool import ${document} --publish`)
    const [, name = ''] = /\n(\S+) .*tol_\w{26}, version 1/.exec(made.out) ?? []
    assert.match((await done(`tool get ${name}`)).out, /base_url: https:\/\/shop\.example/)
    assert.match((await done('tool list')).out, /http, read/)
    await done(`tool delete ${name}`)
    const workflow = 'name: flow\nnodes:\n  - { id: a, type: agent, agent: talker, input: input.text }\n'
    await done('workflow create - --publish', { stdin: workflow })
    assert.match((await done('workflow list')).out, /wfl_\w{26} +flow/)
    await done('workflow delete flow')
  })

  it('manage keys, the tenant and read the log of changes', async () => {
    const made = await done(
      'auth create-key --name ci --permissions run_agents,READ_RUNS --expires 1d --json',
    )
    const { key, id: keyId } = made.json() as { key: string; id: string }
    const who = (await done('auth whoami --json', { environment: { AGENT_FACTORY_API_KEY: key } })).json()
    assert.deepEqual((who as { permissions: string[] }).permissions.toSorted(), ['READ_RUNS', 'RUN_AGENTS'])
    await fails('auth list-keys', 4, /ADMIN/, { environment: { AGENT_FACTORY_API_KEY: key } })
    assert.match((await done('auth list-keys')).out, /ci .*active/)
    await done(`auth revoke-key ${keyId}`)
    await fails('auth whoami', 4, /auth login/, { environment: { AGENT_FACTORY_API_KEY: key } })
    await fails('auth create-key --name x', 2, /--role USER/)
    await fails('auth create-key --name x --permissions FLY', 2, /no permission FLY/)
    await done('tenant update --name Renamed')
    assert.match((await done('tenant get')).out, /name +Renamed/)
    await fails('tenant update', 2, /--name/)
    assert.match((await done('audit list --limit 3')).out, /tenant\.updated/)
    const [run] = (await done('run list --limit 1 --json')).json() as { id: string; job_id: string }[]
    assert.match((await done(`jobs get ${run?.job_id}`)).out, new RegExp(`run +${run?.id}\nstate +done`))
    await fails('jobs get job_00000000000000000000000000', 3, /.+/)
  })

  it('log in for this user, with a key from standard input, and out', async () => {
    const { AGENT_FACTORY_API_KEY: key = '' } = { AGENT_FACTORY_API_KEY: await keyOf() }
    const bare = { AGENT_FACTORY_URL: '', AGENT_FACTORY_API_KEY: '' }
    await done(`auth login --api-url ${url}`, { environment: bare, stdin: `${key}\n` })
    assert.match((await done('auth whoami', { environment: bare })).out, /tenant +ten_/)
    await fails(`auth login --api-url ${url}`, 4, /.+/, { environment: bare, stdin: 'af_wrong' })
    assert.match((await done('auth logout', { environment: bare })).err, /Logged out/)
    async function keyOf(): Promise<string> {
      const made = await done('auth create-key --name login --role ADMIN --json')
      return (made.json() as { key: string }).key
    }
  })
})
