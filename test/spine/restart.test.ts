// The README's workflow that waits for a person: its commands as they stand there, with a kill -9 of the server in between.

import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../..')
const HEADING = '## A workflow that waits for a person'
const START_MS_MAX = 60_000
const RUN_ID = /run_[0-9a-z]{26}/
const APPROVAL_ID = /apr_[0-9a-z]{26}/
const run = promisify(execFile)

/** The commands of the section's blocks, one list for each block. */
function readmeCommands(): readonly (readonly string[])[] {
  const [, section = ''] = readFileSync(join(ROOT, 'README.md'), 'utf8').split(`${HEADING}\n`)
  const [text = ''] = section.split('\n## ')
  return [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) =>
    block.split('\n').flatMap((line) => line.split(/ +# /)[0]?.trim() || []),
  )
}

describe('the workflow of the README that waits for a person', () => {
  const servers: ChildProcess[] = []
  let folder = ''
  let port = ''
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'af-restart-'))
    port = String(await freePair())
  })
  after(async () => {
    for (const server of servers) await stop(server, 'SIGTERM')
    rmSync(folder, { recursive: true, force: true })
  })

  /** Starts the server as `npm start` does, and answers when it serves. */
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(
      process.execPath,
      ['--conditions=agent-factory-source', join(ROOT, 'src/app/start.ts')],
      {
        cwd: folder,
        env: { PORT: port, AGENT_FACTORY_DATA_DIR: folder },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    servers.push(child)
    await printed(child, 'Ctrl-C')
    return child
  }
  /** What the command printed, also where it ends with 1, as one does whose run waits for somebody. */
  const shell = async (command: string): Promise<string> => {
    const program = `node ${join(ROOT, 'bin/agent-factory.cjs')}`
    const { stdout, stderr } = await run('sh', ['-c', command.replace('npx agent-factory', program)], {
      cwd: folder,
      env: { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, AGENT_FACTORY_DATA_DIR: folder },
    }).catch((error: Error & { stdout: string; stderr: string }) => error)
    return stdout + stderr
  }

  it('waits, survives kill -9, is approved, and completes', async () => {
    const [first, second] = readmeCommands()
    const [small = '', large = ''] = first ?? []
    const [list = '', approve = '', look = ''] = second ?? []
    const server = await start()
    assert.match(await shell(small), /"refunded_usd": "14\.50"/)
    const waits = await shell(large)
    assert.match(waits, /waiting \(approval\)/)
    const runId = found(waits, RUN_ID)
    await stop(server, 'SIGKILL')

    await start()
    const pending = await shell(list)
    assert.match(pending, new RegExp(`pending .*${runId} .*"amount_usd":"62\\.00"`))
    const approved = await shell(approve.replace('<approval id>', found(pending, APPROVAL_ID)))
    assert.match(approved, /^state +approved$/m)
    const shown = await shell(look.replace('<run id>', runId))
    assert.match(shown, /^state +completed$/m)
    assert.match(shown, /"refunded_usd": "62\.00"/)
    assert.match(shown, /pay +done/)
  })
})

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

function found(text: string, pattern: RegExp): string {
  const match = pattern.exec(text)
  assert.ok(match, text)
  return match[0]
}

function printed(child: ChildProcess, last: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The server did not start in time.')), START_MS_MAX)
    let text = ''
    child.on('exit', () => reject(new Error(`The server ended: ${text}`)))
    child.stdout?.on('data', (chunk) => {
      text += chunk
      if (!text.includes(last)) return
      clearTimeout(timer)
      resolve()
    })
  })
}

/** A port that is free, as the next one is: the example shop takes that, at both starts. */
async function freePair(): Promise<number> {
  for (;;) {
    const first = await listen(0)
    const { port } = first.address() as AddressInfo
    const second = await listen(port + 1).catch(() => undefined)
    await Promise.all([first, second].map((server) => server?.[Symbol.asyncDispose]()))
    if (second !== undefined) return port
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer()
  await once(server.listen(port, '127.0.0.1'), 'listening')
  return server
}
