import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { definitionSetOf } from './definition-set.ts'
import type { HostProject } from './host-project.ts'
import { loadHostProject } from './load-host-project.ts'

const DEFINE = pathToFileURL(join(import.meta.dirname, '../../define.ts')).href
const TOOL = `import { defineTool } from '${DEFINE}'
export const add = defineTool({ name: 'add', description: 'Adds.', effect: 'read',
  input: { type: 'object', properties: { a: { type: 'number' } } }, run: () => 3 })`
const AGENT = `import { defineAgent } from '${DEFINE}'
import { add } from '../tools/add.ts'
export const helper = defineAgent({ name: 'helper', instructions: 'Help.', model: 'offline/extractive' })
export default defineAgent({ name: 'boss', instructions: 'Lead.', model: 'offline/extractive', tools: [add], subAgents: [helper] })`

async function load(files: Readonly<Record<string, string>>): Promise<HostProject> {
  const folder = mkdtempSync(join(tmpdir(), 'af-host-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    return await loadHostProject(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('the host project', () => {
  it('gives its tools and agents, each once, called agents first', async () => {
    const project = await load({
      'tools/add.ts': TOOL,
      'agents/boss.ts': AGENT,
      'agents/boss.test.ts': 'throw 1',
      'agents/notes.md': '',
    })
    assert.deepEqual(project.problems, [])
    assert.equal(project.codeTools.length, 1)
    const set = definitionSetOf(project)
    assert.deepEqual(
      set.agents.map(({ name }) => name),
      ['helper', 'boss'],
    )
    assert.deepEqual(
      set.tools.map(({ name }) => name),
      ['add'],
    )
  })

  it('gives what workflows hold at any depth, called workflows first', async () => {
    const project = await load({
      'workflows/outer.ts': `import { defineAgent, defineTool, defineWorkflow } from '${DEFINE}'
const helper = defineAgent({ name: 'helper', instructions: 'Help.', model: 'offline/extractive' })
const boss = defineAgent({ name: 'boss', instructions: 'Lead.', model: 'offline/extractive', subAgents: [helper] })
const look = defineTool({ name: 'look', description: 'Looks.', input: { type: 'object' }, run: () => 3 })
const inner = defineWorkflow({ name: 'inner', nodes: [{ id: 'a', type: 'tool', tool: look, input: 'input' }] })
export const outer = defineWorkflow({ name: 'outer', nodes: [
  { id: 'each', type: 'for_each', items: 'input', nodes: [
    { id: 'ask', type: 'agent', agent: boss, input: 'item' },
    { id: 'call', type: 'workflow', workflow: inner, input: 'item' },
  ] },
] })`,
    })
    assert.deepEqual(project.problems, [])
    const set = definitionSetOf(project)
    const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name)
    assert.deepEqual(
      [names(set.tools), names(set.agents), names(set.workflows)],
      [['look'], ['helper', 'boss'], ['inner', 'outer']],
    )
  })

  it('is empty where the folders are absent', async () => {
    const project = await load({ 'readme.md': '' })
    assert.deepEqual([project.agents, project.problems], [[], []])
  })

  it('names each file that cannot be used, with the reason, and takes the others', async () => {
    const project = await load({
      'tools/add.ts': TOOL,
      'tools/broken.ts': 'export const = 3',
      'tools/throws.ts': "throw new Error('no key\\nsecond line')",
      'agents/empty.ts': 'export const limit = 3',
      'agents/wrong.ts': `import { defineAgent } from '${DEFINE}'\nexport default defineAgent({ name: 'Bad Name', instructions: '', model: 'x' })`,
      'workflows/twice.ts': TOOL.replace("'Adds.'", "'Adds more.'"),
    })
    assert.equal(project.codeTools.length, 1)
    const reasons = new Map(project.problems.map(({ file, reason }) => [file, reason]))
    assert.deepEqual([...reasons.keys()].toSorted(), [
      'agents/empty.ts',
      'agents/wrong.ts',
      'tools/broken.ts',
      'tools/throws.ts',
      'workflows/twice.ts',
    ])
    assert.equal(reasons.get('tools/throws.ts'), 'Error: no key')
    assert.match(reasons.get('agents/wrong.ts') ?? '', /\/name/)
    assert.match(reasons.get('workflows/twice.ts') ?? '', /"add", which tools\/add.ts defines as well/)
    assert.match(reasons.get('agents/empty.ts') ?? '', /exports nothing/)
  })
})
