import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { writeLogin } from './connection/login-file.ts'
import { createTestWorld } from './test-world.ts'

describe('commands without a server', () => {
  it('answer a question at once, in an empty folder and without any key', async () => {
    using world = createTestWorld()
    const first = await world.run(['agent', 'run', 'guide', 'What happens to a run when the server crashes?'])
    assert.equal(first.code, 0, first.err)
    assert.match(first.out, /\[runs-and-recovery\.md\]/)
    assert.match(first.err, /made a database and a key/)
    const runs = await world.run(['run', 'list', '--json'])
    assert.equal((runs.json() as unknown[]).length, 1)
    assert.equal(runs.err, '')
    const empty = await world.run(['tool', 'list'])
    assert.deepEqual([empty.out, empty.err], ['', 'There are none.\n'])
    // A server that is gone is no reason to fail, and neither is another program on its port.
    const credentials = join(world.folder, '.agent-factory', 'credentials.json')
    const { api_key } = JSON.parse(readFileSync(credentials, 'utf8')) as { api_key: string }
    writeFileSync(credentials, JSON.stringify({ api_key, api_url: 'http://127.0.0.1:9' }))
    assert.equal((await world.run(['auth', 'whoami'])).code, 0)
  })

  it('only record, unless they wait for a run: nobody works in their process', async () => {
    using world = createTestWorld()
    const done = async (...args: string[]) => {
      const ran = await world.run(args)
      assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.err}`)
      return ran
    }
    const workflow = `name: ask\nnodes:\n  - { id: sure, type: approval, input: "'Go on?'" }\n`
    assert.equal((await world.run(['workflow', 'create', '-', '--publish'], { stdin: workflow })).code, 0)
    const state = async (id: string): Promise<string> =>
      ((await done('run', 'get', id, '--json')).json() as { readonly state: string }).state
    const made = async (...args: string[]) =>
      (await done(...args, '--json')).json() as { readonly id: string }
    const { id: left } = await made('workflow', 'run', 'ask', '--no-wait')
    const { id: detached } = await made('agent', 'run', 'guide', 'Hello?', '--detach')
    const { id: enqueued } = await made('enqueue-run', 'ask', '--workflow', '--input', '{}')
    // Longer than a worker would need to take them.
    await done('run', 'get', left, '--wait', '1')
    for (const id of [left, detached, enqueued]) assert.equal(await state(id), 'queued')
    assert.deepEqual((await done('jobs', 'list', '--state', 'leased', '--json')).json(), [])
    const asked = await done('workflow', 'run', 'ask')
    const [, approval = '', run = ''] = [
      ...(/approval approve (\w+)/.exec(asked.err) ?? []),
      ...(/(run_\w+) waits/.exec(asked.err)?.slice(1) ?? []),
    ]
    await done('approval', 'approve', approval)
    await done('run', 'get', run, '--wait', '1')
    assert.equal(await state(run), 'queued')
    assert.equal((await done('run', 'watch', run)).code, 0)
    assert.equal(await state(run), 'completed')
  })

  it('stay in this folder with --local, whatever login there is', async () => {
    using world = createTestWorld()
    await writeLogin({ environment: {}, home: world.home }, { apiUrl: 'http://127.0.0.1:9', apiKey: 'af_x' })
    assert.equal((await world.run(['auth', 'whoami'])).code, 1)
    assert.equal((await world.run(['auth', 'whoami', '--local'])).code, 0)
    const strict = { environment: { DEPLOYMENT_TYPE: 'DOCKER_MONOLITH' } }
    assert.equal((await world.run(['auth', 'whoami', '--local'], strict)).code, 2)
  })

  it('need a key where this is no place to develop', async () => {
    using world = createTestWorld({ DEPLOYMENT_TYPE: 'DOCKER_MONOLITH' })
    const ran = await world.run(['agent', 'list'])
    assert.deepEqual([ran.code, existsSync(join(world.folder, '.agent-factory'))], [4, false])
    assert.match(ran.err, /auth login/)
  })

  it('migrate the database, and make the first key of a deployment once', async () => {
    using world = createTestWorld({ DEPLOYMENT_TYPE: 'DOCKER_MONOLITH' })
    const run = async (...args: string[]) => {
      const ran = await world.run(['db', ...args])
      return [ran.code, ran.out, ran.err] as const
    }
    assert.match((await run('status'))[1], /0001 \S+ +no/)
    assert.match((await run('bootstrap'))[2], /db migrate/)
    assert.match((await run('migrate'))[1], /^applied 0001/)
    assert.deepEqual(await run('migrate'), [0, '', 'The database is up to date.\n'])
    assert.match((await run('history'))[1], /0001 /)
    assert.match((await run('bootstrap', '--tenant', 'Acme'))[1], /^key +af_\S+\ntenant +ten_/)
    assert.equal((await run('bootstrap'))[0], 1)
    assert.equal((await run('rollback'))[0], 2)
    assert.match((await run('rollback', '--yes'))[1], /^taken back \d{4}/)
    assert.equal((await run('generate', 'Not A Name'))[0], 2)
  })

  it('tell what a start would do', async () => {
    using world = createTestWorld({ PORT: '0' })
    const fine = await world.run(['doctor'])
    assert.equal(fine.code, 0, fine.err)
    assert.match(fine.out, /PORT +0 +environment[\s\S]*✔ node/)
    const wrong = await world.run(['doctor', '--json'], { environment: { PORT: 'x' } })
    assert.equal(wrong.code, 1)
    assert.equal((wrong.json() as { ok: boolean }).ok, false)
    assert.match(wrong.err, /^agent-factory: 1 check failed/)
  })

  it('make a project, and never overwrite one', async () => {
    using world = createTestWorld()
    const made = await world.run(['init', 'My Agents'])
    assert.equal(made.code, 0, made.err)
    const read = (path: string): string => readFileSync(join(world.folder, 'My Agents', path), 'utf8')
    assert.equal((JSON.parse(read('package.json')) as { name: string }).name, 'my-agents')
    for (const path of made.out.trimEnd().split('\n')) assert.ok(existsSync(join(world.folder, path)), path)
    writeFileSync(join(world.folder, 'My Agents', 'package.json'), 'mine')
    const again = await world.run(['init', 'My Agents'])
    assert.equal(again.code, 2)
    assert.match(again.err, /package\.json/)
    assert.equal(read('package.json'), 'mine')
    writeFileSync(join(world.folder, 'file'), '')
    assert.equal((await world.run(['init', 'file'])).code, 1)
  })

  it('load the agents and tools of the folder, and say what cannot be loaded', async () => {
    using project = createTestWorld()
    const define = new URL('../define.ts', import.meta.url).href
    const tool = `import { defineTool } from '${define}'\nexport default defineTool({ name: 'dice', description: 'Throws dice.', effect: 'read', input: { type: 'object' }, run: () => 4 })`
    mkdirSync(join(project.folder, 'tools'))
    writeFileSync(join(project.folder, 'tools', 'dice.ts'), tool)
    writeFileSync(join(project.folder, 'tools', 'broken.ts'), 'export const x = (')
    const ran = await project.run(['tool', 'test', 'dice'])
    assert.deepEqual([ran.code, ran.out], [0, '4\n'], ran.err)
    assert.match(ran.err, /tools\/broken\.ts is not loaded: SyntaxError/)
  })
})

describe('what is stored for a login', () => {
  it('can be read by its user only', async () => {
    using world = createTestWorld()
    const path = await writeLogin(
      { environment: { XDG_CONFIG_HOME: join(world.folder, 'x') }, home: world.home },
      { apiUrl: 'http://a', apiKey: 'k' },
    )
    assert.equal(path, join(world.folder, 'x', 'agent-factory', 'login.json'))
    assert.equal(statSync(path).mode & 0o777, 0o600)
    writeFileSync(path, '{"api_key": 1}')
    const ran = await world.run(['auth', 'whoami'], {
      environment: { XDG_CONFIG_HOME: join(world.folder, 'x') },
    })
    assert.deepEqual([ran.code, ran.err.includes('auth login')], [1, true])
  })
})
