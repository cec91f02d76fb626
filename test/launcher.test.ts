import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const LAUNCHER = join(import.meta.dirname, '..', 'scripts', 'run.cjs')

describe('the launcher', () => {
  const launch = (...args: string[]) => spawnSync(process.execPath, [LAUNCHER, ...args], { encoding: 'utf8' })

  it('passes arguments, output and the exit code on', () => {
    const result = launch('-e', 'console.log(process.argv[1]); process.exitCode = 7', 'two words')
    assert.deepEqual([result.stdout, result.status], ['two words\n', 7])
  })

  it('ends by the signal that ended its command', () => {
    assert.equal(launch('-e', 'process.kill(process.pid, "SIGKILL")').signal, 'SIGKILL')
  })

  it('lets the command answer a signal itself', async () => {
    const program =
      'process.on("SIGTERM", () => process.exit(5)); console.log("up"); setInterval(() => 0, 1000)'
    const child = spawn(process.execPath, [LAUNCHER, '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    assert.deepEqual(await once(child, 'exit'), [5, null])
  })

  it('runs a command of node_modules/.bin with the same Node', () => {
    const result = launch('--exec', 'tsc', '--version')
    assert.match(result.stdout, /^Version 7\./)
  })

  it('says in one line that a command does not exist', () => {
    const result = launch('--exec', 'no-such-command')
    assert.equal(result.status, 1)
    assert.match(result.stderr, /^agent-factory: there is no command "no-such-command" .*\n$/)
  })

  it('makes the package name mean the source', () => {
    const result = launch('-p', 'process.env.NODE_OPTIONS')
    assert.match(result.stdout, /--conditions=agent-factory-source/)
  })
})
