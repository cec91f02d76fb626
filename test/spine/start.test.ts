// `npm start` as a newcomer meets it: a child process in an empty folder with an empty environment.

import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../..')
const ANSWER_MS_MAX = 60_000
const run = promisify(execFile)

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

describe('npm start', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'af-start-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const launch = (args: readonly string[], environment: Readonly<Record<string, string>>) => {
    const child = spawn(
      process.execPath,
      ['--conditions=agent-factory-source', join(ROOT, 'src/app/start.ts'), ...args],
      {
        cwd: folder,
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    const ended = new Promise<Ended>((resolve) => {
      let out = ''
      let error = ''
      child.stdout.on('data', (chunk) => {
        out += chunk
      })
      child.stderr.on('data', (chunk) => {
        error += chunk
      })
      child.on('close', (code) => resolve({ code, out, error }))
    })
    return { child, ended }
  }
  const once = (environment: Readonly<Record<string, string>> = { PORT: '0' }): Promise<Ended> =>
    launch(['--once'], environment).ended

  it('--once answers with a citation, tokens and cost, and ends with 0', async () => {
    const { code, out, error } = await once()
    assert.equal(error, '')
    assert.equal(code, 0)
    assert.match(out, /Answer .*\[[\w/-]+\.md\]/)
    assert.match(out, /3 steps · 1 tool call · \d+ tokens in, \d+ out · cost \$0/)
    assert.ok(!out.includes('\u001b'), 'no colours in a pipe')
    assert.equal(statSync(join(folder, '.agent-factory/credentials.json')).mode & 0o777, 0o600)
  })

  it('a second time reuses the key and the agent', async () => {
    const file = join(folder, '.agent-factory/credentials.json')
    const before = readFileSync(file, 'utf8')
    const { code, out } = await once()
    assert.equal(code, 0)
    assert.match(out, /found in/)
    assert.match(out, /guide, version 1,/)
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).api_key, JSON.parse(before).api_key)
  })

  it('serves until SIGTERM, and then ends with 0', async () => {
    const { child, ended } = launch([], { PORT: '0' })
    const url = await printedUrl(child)
    const { api_key: key, api_url: written } = JSON.parse(
      readFileSync(join(folder, '.agent-factory/credentials.json'), 'utf8'),
    )
    assert.equal(written, url)
    assert.equal((await fetch(`${url}/readyz`)).status, 200)
    const answer = await fetch(`${url}/api/v1/agents/guide/runs?wait=30`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ input: 'Where is order 1002?' }),
    })
    const run = (await answer.json()) as { state: string; output: string }
    assert.equal(run.state, 'completed')
    assert.match(run.output, /shipped/)
    child.kill('SIGTERM')
    const { code, out, error } = await ended
    assert.equal(error, '')
    assert.equal(code, 0)
    assert.doesNotMatch(out, /undefined|\.\/\//)
  })

  it('shows commands that work as they stand, and leaves the server alone when it is started twice', async () => {
    const environment = { PORT: '0', AGENT_FACTORY_DATA_DIR: join(folder, 'my data') }
    const { child, ended } = launch([], environment)
    const port = new URL(await printedUrl(child)).port
    const second = await launch([], { ...environment, PORT: port }).ended
    assert.equal(second.code, 1)
    assert.equal(
      second.error,
      `agent-factory: Port ${port} is in use: stop the other program, or choose another port with PORT.\n`,
    )
    const text = printed(child)
    const commands = text.split('\n').flatMap((line) => (line.startsWith('    ') ? [line.trim()] : []))
    assert.equal(commands.length, 3, text)
    const expected = [/shipped.*10:00/s, /"output":"[^"]*A Field Guide to Clouds/, /completed: .*shipped/]
    for (const [index, command] of commands.entries()) {
      const { stdout } = await run('sh', ['-c', command], {
        cwd: folder,
        env: { PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
      })
      assert.match(stdout, expected[index] ?? /^$/, command)
    }
    child.kill('SIGTERM')
    assert.equal((await ended).code, 0)
  })

  it('says in one line which setting is wrong', async () => {
    const { code, out, error } = await once({ PORT: 'many' })
    assert.equal(code, 1)
    assert.equal(out, '')
    assert.equal(
      error,
      'agent-factory: PORT="many" is not allowed; allowed: a whole number from 0 to 65535.\n',
    )
  })

  it('says in one line that the model cannot be reached, and what to do', async () => {
    const { code, error } = await once({
      PORT: '0',
      OPENAI_BASE_URL: 'http://127.0.0.1:1/v1',
      LOG_LEVEL: 'silent',
    })
    assert.equal(code, 1)
    assert.match(
      error,
      /^agent-factory: The guide did not answer: [^\n]*could not be reached[^\n]* start with AGENT_FACTORY_MODEL=offline\/extractive\.\n$/,
    )
  })

  it('says in one line what is wrong with the data folder', async () => {
    writeFileSync(join(folder, 'a-file'), '')
    const { code, error } = await once({ PORT: '0', AGENT_FACTORY_DATA_DIR: 'a-file' })
    assert.equal(code, 1)
    assert.match(error, /^agent-factory: [^\n]*a-file[^\n]*\n$/)
  })

  it('refuses an option that it does not know', async () => {
    const { code, error } = await launch(['--onec'], { PORT: '0' }).ended
    assert.equal(code, 2)
    assert.match(error, /^agent-factory: there is no option "--onec"\.\n/)
  })
})

const printedBy = new WeakMap<ChildProcess, string>()

function printed(child: ChildProcess): string {
  return printedBy.get(child) ?? ''
}

function printedUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The server printed no address.')), ANSWER_MS_MAX)
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
      printedBy.set(child, text)
      const url = /API +(http:\S+)/.exec(text)?.[1]
      // The address is printed before the commands; the last line says that all is written.
      if (url === undefined || !text.includes('Ctrl-C')) return
      clearTimeout(timer)
      resolve(url)
    })
  })
}
