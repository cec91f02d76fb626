import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { leavesOf } from './program.ts'
import { referencePage } from './reference-page.ts'
import { createTestWorld } from './test-world.ts'

describe('what is made from the tree of commands', () => {
  const world = createTestWorld()
  const program = world.program()
  after(() => world[Symbol.dispose]())

  it('docs/cli.md is current', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/cli.md'), 'utf8')
    assert.equal(page, referencePage(program), 'run: node src/cli/reference-page.ts > docs/cli.md')
  })

  it('every command says what it does, and has the options of every command', () => {
    for (const leaf of leavesOf(program)) {
      assert.notEqual(leaf.description(), '', leaf.name())
      const names = leaf.options.map(({ long }) => long)
      for (const name of ['--json', '--api-url', '--api-key']) assert.ok(names.includes(name), leaf.name())
      assert.equal(new Set(names).size, names.length, leaf.name())
    }
  })

  it('bash completes commands, options and values', async () => {
    const { out: script } = await world.run(['completion', 'bash'])
    const complete = (...words: string[]): string => {
      const quoted = words.map((word) => `'${word}'`).join(' ')
      const line = `${script}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _agent_factory; echo "\${COMPREPLY[*]}"`
      return spawnSync('bash', ['-c', line], { encoding: 'utf8' }).stdout.trim()
    }
    assert.equal(complete('agent-factory', 'a'), 'agent approval auth audit')
    assert.equal(complete('agent-factory', 'agent', 'ru'), 'run')
    assert.equal(complete('agent-factory', 'run', 'list', '--st'), '--state')
    assert.equal(complete('agent-factory', 'run', 'list', '--state', 'c'), 'completed cancelled')
    assert.equal(complete('af', 'completion', ''), 'bash zsh fish')
    for (const shell of ['zsh', 'fish'])
      assert.match((await world.run(['completion', shell])).out, /agent-factory/)
  })

  it('help goes to standard output, and to standard error where a command is missing', async () => {
    const help = await world.run(['agent', 'run', '--help'])
    assert.deepEqual([help.code, help.err], [0, ''])
    assert.match(help.out, /--max-cost[\s\S]*Options of every command:[\s\S]*--api-key/)
    const missing = await world.run(['agent'])
    assert.deepEqual([missing.code, missing.out], [2, ''])
    assert.match((await world.run(['--version'])).out, /^\d+\.\d+\.\d+\n$/)
  })
})
