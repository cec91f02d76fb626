import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createTestWorld, type TestWorld } from './test-world.ts'

const ROOT = join(import.meta.dirname, '../..')
const MAIN = join(import.meta.dirname, 'main.ts')
const CONDITION = '--conditions=agent-factory-source'
const WAIT_MS_MAX = 30_000
const SCRIPT = '/usr/bin/script'

/** The environment of a process of its own: nothing of whoever runs the tests. */
function environment(home: string, more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: home, NODE_OPTIONS: CONDITION, TERM: 'xterm', ...more }
}

describe('the process of the command line', () => {
  let folder = ''
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'af-process-'))
    using world = createTestWorld()
    const made = await world.run(['init', join(folder, 'shop')])
    assert.equal(made.code, 0, made.err)
    mkdirSync(join(folder, 'shop', 'node_modules', '@types'), { recursive: true })
    symlinkSync(ROOT, join(folder, 'shop', 'node_modules', 'agent-factory'))
    symlinkSync(join(ROOT, 'node_modules/@types/node'), join(folder, 'shop', 'node_modules/@types/node'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('the test of a new project passes, and its types are right', async () => {
    const project = join(folder, 'shop')
    const options = { cwd: project, env: environment(folder) }
    const run = promisify(execFile)
    const tested = await run(process.execPath, ['--test', 'test/**/*.test.ts'], options)
    assert.match(tested.stdout, /pass 1\b/)
    const tsc = join(ROOT, 'node_modules/.bin/tsc')
    await run(tsc, ['--noEmit', '--customConditions', 'agent-factory-source'], options).catch(
      ({ stdout }: { stdout: string }) => assert.fail(stdout),
    )
  })

  it('dev serves, loads changes, keeps the last good version, and ends with code 0', async () => {
    const project = join(folder, 'shop')
    const tool = join(project, 'tools', 'opening-hours.ts')
    const child = spawn(process.execPath, [MAIN, 'dev', '--port', '0'], {
      cwd: project,
      env: environment(folder, { LOG_LEVEL: 'warn' }),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const said = collect(child)
    try {
      const [, url = ''] = await said(/Serving 1 agent, 1 tool on (\S+)/)
      assert.equal((await fetch(`${url}/readyz`)).status, 200)
      using world = createTestWorld({ AGENT_FACTORY_DATA_DIR: join(project, '.agent-factory') })
      const ask = async (): Promise<string> =>
        (await world.run(['agent', 'run', 'hello', 'When is the shop open on monday?'])).out
      assert.match(await ask(), /closed/)
      const before = readFileSync(tool, 'utf8')
      writeFileSync(tool, before.replace("monday: 'closed'", "monday: '7:00 to 8:00'"))
      await said(/Loaded 1 agent, 1 tool/)
      assert.match(await ask(), /7:00 to 8:00/)
      writeFileSync(tool, 'export const openingHours = (')
      await said(/Not loaded; the version before goes on:\n.*opening-hours\.ts: SyntaxError/)
      assert.match(await ask(), /7:00 to 8:00/)
      child.kill('SIGINT')
      assert.equal(await exitCode(child), 0)
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('serve tells its address, runs agents, and ends with code 0', async () => {
    const project = join(folder, 'served')
    mkdirSync(project)
    await using silent = await silentServer()
    const env = environment(folder, { PORT: '0', NO_COLOR: '1', MODEL_PROVIDERS: `silent=${silent.url}` })
    const child = spawn(process.execPath, [MAIN, 'serve'], {
      cwd: project,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = collect(child)
    try {
      const [, url = ''] = await said(/API: (\S+)\/docs/)
      using world = createTestWorld({ AGENT_FACTORY_DATA_DIR: join(project, '.agent-factory') })
      assert.equal((await world.run(['auth', 'whoami'])).code, 0)
      const cwd = mkdtempSync(join(folder, 'other-'))
      const taken = execFile(process.execPath, [MAIN, 'serve', '--port', new URL(url).port], { cwd, env })
      await collect(taken)(/^agent-factory: Port \d+ is in use[^\n]+\n$/)
      assert.equal(await exitCode(taken), 1)
      await interruptWatch(world, project, env)
      child.kill('SIGTERM')
      assert.equal(await exitCode(child), 0)
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('has colours and a live answer on a terminal, and ends quietly when its reader has seen enough', {
    skip: existsSync(SCRIPT) ? false : 'there is no script(1) here',
  }, async () => {
    const options = { cwd: folder, env: environment(folder) }
    const cli = `${process.execPath} ${MAIN}`
    const command = `stty cols 70; ${cli} agent run guide What is a run; ${cli} run list`
    const { stdout } = await promisify(execFile)(SCRIPT, ['-qec', command, '/dev/null'], options)
    assert.ok(stdout.includes('\u001b[2mrun_'), stdout)
    assert.ok(stdout.includes('\u001b[1mID'), stdout)
    const head = await promisify(execFile)(
      '/bin/sh',
      ['-c', `${cli} audit list --json | head -c 10`],
      options,
    )
    assert.deepEqual([head.stdout.length, head.stderr], [10, ''])
  })
})

/** Ctrl-C while a run is watched: the watcher ends with 130, the run goes on. */
async function interruptWatch(world: TestWorld, cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  const agent = 'name: waiter\ninstructions: Wait.\nmodel: silent/any\n'
  assert.equal((await world.run(['agent', 'create', '-', '--publish'], { stdin: agent })).code, 0)
  const { id } = (await world.run(['agent', 'run', 'waiter', 'x', '--detach', '--json'])).json() as {
    id: string
  }
  const child = spawn(process.execPath, [MAIN, 'run', 'watch', id], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  await collect(child)(/^agent-factory: Stopped watching; the run goes on[^\n]+\n$/)
  assert.equal(await exitCode(child), 130)
  const found = (await world.run(['run', 'cancel', id, '--json'])).json() as { state: string }
  assert.notEqual(found.state, 'completed')
}

/** A model server that takes requests and never answers. */
async function silentServer() {
  const server = createServer(() => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit')
  return child.exitCode
}

/** Waits for a text on standard error, after what was found before. */
function collect(child: ChildProcess): (pattern: RegExp) => Promise<RegExpExecArray> {
  let text = ''
  child.stderr?.on('data', (chunk) => {
    text += String(chunk)
  })
  return async (pattern) => {
    for (const until = Date.now() + WAIT_MS_MAX; Date.now() < until; await sleep(20)) {
      const found = pattern.exec(text)
      if (found !== null) {
        text = text.slice(found.index + found[0].length)
        return found
      }
      if (child.exitCode !== null) assert.fail(`it ended with ${child.exitCode}: ${text}`)
    }
    return assert.fail(`nothing like ${pattern} within ${WAIT_MS_MAX} ms: ${text}`)
  }
}
