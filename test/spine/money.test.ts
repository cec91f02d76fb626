// The README's section about money: its commands as they stand there, from an own price to the explanation of an invoice.

import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../..')
const HEADING = '## What it costs, and no more'
const START_MS_MAX = 60_000
const BUDGET_ID = /bud_[0-9a-z]{26}/
const RUN_ID = /run_[0-9a-z]{26}/
const INVOICE_ID = /inv_[0-9a-z]{26}/
const BUDGET_EXIT = 5
const run = promisify(execFile)

interface Ended {
  readonly code: number
  readonly text: string
}

/** The commands of the section's blocks, one list for each block. */
function readmeCommands(): readonly (readonly string[])[] {
  const [, section = ''] = readFileSync(join(ROOT, 'README.md'), 'utf8').split(`${HEADING}\n`)
  const [text = ''] = section.split('\n## ')
  return [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) =>
    block.split('\n').flatMap((line) => line.split(/ +# /)[0]?.trim() || []),
  )
}

describe('the money of the README', () => {
  const blocks = readmeCommands()
  let folder = ''
  let server: ChildProcess

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'af-money-'))
    server = spawn(process.execPath, ['--conditions=agent-factory-source', join(ROOT, 'src/app/start.ts')], {
      cwd: folder,
      env: { PORT: '0', AGENT_FACTORY_DATA_DIR: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await printed(server, 'Ctrl-C')
  })
  after(async () => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGTERM')
      await once(server, 'exit')
    }
    rmSync(folder, { recursive: true, force: true })
  })

  /** What the command printed, and its exit code. */
  const shell = async (command: string): Promise<Ended> => {
    const program = `node ${join(ROOT, 'bin/agent-factory.cjs')}`
    try {
      const { stdout, stderr } = await run('sh', ['-c', command.replace('npx agent-factory', program)], {
        cwd: folder,
        env: { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, AGENT_FACTORY_DATA_DIR: folder },
      })
      return { code: 0, text: stdout + stderr }
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
      return { code, text: stdout + stderr }
    }
  }
  /** What the command printed; it worked. */
  const done = async (command: string): Promise<string> => {
    const { code, text } = await shell(command)
    assert.equal(code, 0, `${command}\n${text}`)
    return text
  }

  let budgetId = ''

  it('is spent up to a hard budget, and no more', async () => {
    assert.equal(blocks.length, 3)
    const [price = '', estimate = '', create = '', first = '', second = '', costs = '', list = ''] =
      blocks[0] ?? []
    assert.match(await done(price), /^input +1 per million tokens$/m)
    assert.match(await done(estimate), /^a call +at least \$0\.00/m)
    budgetId = found(await done(create), BUDGET_ID)
    assert.match(await done(first), /shipped.* completed .*\$0\.002/s)
    const refused = await shell(second)
    assert.equal(refused.code, BUDGET_EXIT, refused.text)
    assert.match(refused.text, /The budget "first-cent" has 0\.00\d+ USD left of 0\.01 USD/)
    assert.match(refused.text, /budget\.exceeded/)
    const [, cost = ''] = /^cost +(\$0\.00\d+)$/m.exec(await done(costs)) ?? []
    assert.match(await done(list), new RegExp(`${budgetId} .*hard .*${RegExp.escape(cost)} +\\$0 `))
  })

  it('is waited for where the budget asks', async () => {
    const fill = (command = ''): string => command.replace('<budget id>', budgetId)
    const [ask = '', again = '', get = '', topUp = '', watch = '', archive = ''] = blocks[1] ?? []
    assert.match(await done(fill(ask)), /^mode +ask$/m)
    const waits = await shell(again)
    assert.equal(waits.code, BUDGET_EXIT, waits.text)
    assert.match(waits.text, /waiting \(budget\)/)
    const runId = found(waits.text, RUN_ID)
    assert.match(await done(fill(get)), new RegExp(`WAITING RUN.*${runId}`, 's'))
    assert.match(await done(fill(topUp)), /^topped up +\$0\.01$/m)
    assert.match(await done(watch.replace('<run id>', runId)), /run\.completed/)
    await done(fill(archive))
  })

  it('is invoiced, and the invoice says for which model calls', async () => {
    const [plan = '', account = '', subscribe = '', ask = '', ...rest] = blocks[2] ?? []
    const [summary = '', cancel = '', invoices = '', explain = '', print = '', again = ''] = rest
    assert.match(await done(plan), /by-use \(version 1\)/)
    assert.match(await done(account), /Corner Bookshop/)
    assert.match(await done(subscribe), /^state +active$/m)
    const runId = found(await done(ask), RUN_ID)
    const next = await done(summary)
    assert.match(next, /usage +Agent runs +1 +0\.25 +0\.25$/m)
    const tokens = /usage +Tokens +(\d+)/.exec(next)?.[1]
    assert.match(await done(cancel), /^state +cancelled$/m)
    const drafts = await done(invoices)
    assert.equal(drafts.match(/ draft /g)?.length, 2, drafts)
    const fill = (command: string): string => command.replace('<invoice id>', found(drafts, INVOICE_ID))
    const explained = await done(fill(explain))
    assert.match(explained, new RegExp(`^quantity +${tokens}$`, 'm'))
    assert.match(explained, /^cost +\$0\.002\d+ of providers$/m)
    const call = new RegExp(`model_call +\\d+ +${runId} +offline/extractive +\\$0\\.00\\d+ +prc_`, 'g')
    assert.equal(explained.match(call)?.length, 2, explained)
    await done(fill(print))
    assert.equal(readFileSync(join(folder, 'invoice.pdf')).subarray(0, 5).toString(), '%PDF-')
    assert.match(await done(again), /^state +active$/m)
  })
})

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
