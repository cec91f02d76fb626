import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createTestWorld, type TestWorld } from '../test-world.ts'

describe('commands on prices and projects', () => {
  let world: TestWorld
  before(() => {
    world = createTestWorld({ WORKER_CONCURRENCY: '0' })
  })
  after(() => world[Symbol.dispose]())

  const run = (...args: readonly string[]) => world.run([...args, '--local'])
  const done = async (...args: readonly string[]) => {
    const ran = await run(...args)
    assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.err}`)
    return ran
  }
  const fails = async (code: number, message: RegExp, ...args: readonly string[]): Promise<void> => {
    const ran = await run(...args)
    assert.equal(ran.code, code, ran.err)
    assert.match(ran.err, message)
  }

  it('prices are set, shown, listed and withdrawn', async () => {
    const made = await done(
      ...['prices', 'set', 'openai/gpt-4o', '--input', '2', '--output', '8.5', '--cached-input', '1'],
      ...['--note', 'Contract 17'],
    )
    assert.match(made.out, /cached input +1 per million tokens/)
    const [, id = ''] = /id +(prc_\w+)/.exec(made.out) ?? []
    assert.match((await done('prices', 'get', 'openai/gpt-4o')).out, new RegExp(`id +${id}\n`))
    assert.match((await done('prices', 'list')).out, /input 2, cached input 1, output 8.5 .*Contract 17/)
    const book = await done('prices', 'list', '--book', '--provider', 'openai', '--json')
    assert.ok((book.json() as { source: string }[]).every(({ source }) => source === 'book'))
    const gone = await done('prices', 'withdraw', id)
    assert.match(gone.out, /withdrawn +2/)
    assert.match(gone.err, /Now the price of the book holds: input 2.5/)
    const call = await done('prices', 'set', 'tool/lookup', '--price', '0.01', '--from', '2026-01-01')
    assert.match(call.out, /price +0.01 per call\n.*from +2026-01-01/s)
    await done('prices', 'set', 'local/m', '--amounts', '{"input": "1", "output": "2", "audio_input": "9"}')
    assert.match((await done('prices', 'get', 'local/m')).out, /audio input +9 per/)
  })

  it('prices say in one line what is wrong', async () => {
    await fails(2, /--input USD and --output USD/, 'prices', 'set', 'a/b')
    await fails(2, /not both/, 'prices', 'set', 'a/b', '--amounts', '{}', '--price', '1')
    await fails(2, /--amounts: \/inptu/, 'prices', 'set', 'a/b', '--amounts', '{"inptu": "1"}')
    await fails(1, /must not be negative/, 'prices', 'set', 'a/b', '--input=-1', '--output', '1')
    await fails(3, /no price of "a\/b"/, 'prices', 'get', 'a/b')
    await fails(2, /cannot be read/, 'prices', 'diff', '--source', 'nowhere.json')
  })

  it('prices diff ends with 1 only where it is asked to check', async () => {
    const shown = await done('prices', 'diff')
    assert.match(shown.out, /^MODEL +FIELD +OURS +THEIRS +RATIO/)
    assert.match(shown.err, /\d+ models compared, \d+ agree; \d+ only here, \d+ only there\./)
    await fails(1, /disagree in \d+ prices/, 'prices', 'diff', '--check')
    const file = join(world.folder, 'theirs.json')
    const entry = { litellm_provider: 'openai', input_cost_per_token: 2.5e-6, output_cost_per_token: 1.1e-5 }
    writeFileSync(file, JSON.stringify({ 'gpt-4o': entry }))
    const diff = (await done('prices', 'diff', '--source', file, '--json')).json() as {
      disagreements: unknown[]
    }
    assert.deepEqual(diff.disagreements, [
      {
        model: 'openai/gpt-4o',
        field: 'output',
        ours: '10',
        theirs: '11',
        ratio: '1.1',
        theirs_is_earlier: false,
      },
    ])
  })

  it('projects are made, listed and archived, and runs name them', async () => {
    const made = (await done('project', 'create', 'Customer support', '--json')).json() as { id: string }
    assert.match((await done('project', 'list')).out, new RegExp(`${made.id} +Customer support +active`))
    assert.match((await done('project', 'rename', made.id, 'Help desk')).out, /name +Help desk/)
    const stdin = 'name: asker\ninstructions: Answer.\nmodel: offline/extractive\n'
    const agent = await world.run(['agent', 'create', '-', '--publish', '--local'], { stdin })
    assert.equal(agent.code, 0, agent.err)
    const enqueue = ['enqueue-run', 'asker', '--input', 'x', '--project', made.id]
    const queued = (await done(...enqueue, '--json')).json() as { project_id: string }
    assert.equal(queued.project_id, made.id)
    const detached = await done('agent', 'run', 'asker', 'x', '--detach', '--project', made.id)
    assert.match(detached.out, new RegExp(`project +${made.id}`))
    assert.match((await done('project', 'archive', made.id)).out, /state +archived/)
    await fails(3, /archived/, ...enqueue)
    await done('project', 'restore', made.id)
    await done(...enqueue)
  })
})
