import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createTestWorld, type TestWorld } from '../test-world.ts'

const AGENT = 'name: guide2\ninstructions: Answer.\nmodel: offline/extractive\n'

describe('commands on jobs', () => {
  let world: TestWorld
  before(async () => {
    // No worker: what is queued stays queued.
    world = createTestWorld({ WORKER_CONCURRENCY: '0' })
    const made = await world.run(['agent', 'create', '-', '--publish', '--local'], { stdin: AGENT })
    assert.equal(made.code, 0, made.err)
  })
  after(() => world[Symbol.dispose]())

  const done = async (...args: readonly string[]) => {
    const ran = await world.run([...args, '--local'])
    assert.equal(ran.code, 0, ran.err)
    return ran
  }
  const json = async (...args: readonly string[]) =>
    (await done(...args, '--json')).json() as Record<string, unknown>
  const fails = async (code: number, message: RegExp, ...args: readonly string[]): Promise<void> => {
    const ran = await world.run([...args, '--local'])
    assert.equal(ran.code, code, ran.err)
    assert.match(ran.err, message)
  }

  it('enqueue-run prints the run and its job, and does not wait', async () => {
    const shown = await done('enqueue-run', 'guide2', '--input', 'What is 1 + 1?', '--delay', '10m')
    assert.match(
      shown.out,
      /^run +run_\w{26}\njob +job_\w{26}\nstate +queued\nnot before +\d{4}-[^\n]+in \d+ min/,
    )
    const run = await json(
      'enqueue-run',
      'guide2',
      '--input',
      '{"a": 1}',
      '--priority',
      'high',
      '--at',
      '2099-01-31',
    )
    assert.deepEqual(run.input, { a: 1 })
    const job = await json('jobs', 'get', String(run.job_id))
    assert.deepEqual(
      [job.priority, job.not_before, job.state, job.run_id],
      ['high', '2099-01-31T00:00:00.000Z', 'scheduled', run.id],
    )
    const again = await json('enqueue-run', 'guide2', '--input', 'x', '--dedup-key', 'k')
    assert.equal((await json('enqueue-run', 'guide2', '--input', 'y', '--dedup-key', 'k')).id, again.id)
  })

  it('enqueue-run says in one line what is wrong', async () => {
    const run = (...args: string[]) => ['enqueue-run', 'guide2', '--input', 'x', ...args]
    await fails(2, /must be a duration such as/, ...run('--delay', 'soon'))
    await fails(2, /must be a time such as/, ...run('--at', 'noon'))
    await fails(2, /cannot be used with/, ...run('--at', '2099-01-31', '--delay', '1m'))
    await fails(2, /Allowed choices are high, normal, low/, ...run('--priority', 'first'))
    await fails(2, /Give --input/, 'enqueue-run', 'guide2')
    await fails(2, /JSON object/, ...run('--workflow'))
    await fails(3, /no agent/i, 'enqueue-run', 'nobody', '--input', 'x')
  })

  it('jobs are listed, cancelled and taken up again', async () => {
    const run = await json('enqueue-run', 'guide2', '--input', 'x')
    const id = String(run.job_id)
    const listed = (await done('jobs', 'list', '--state', 'queued', '--kind', 'agent', '--json')).json()
    assert.ok((listed as { id: string }[]).some((job) => job.id === id))
    assert.match((await done('jobs', 'list')).out, /^ID +KIND +STATE/)
    await fails(1, /this cannot be done with it now/, 'jobs', 'retry', id)
    assert.match((await done('jobs', 'cancel', id)).out, /state +cancelled/)
    await fails(1, /this cannot be done with it now/, 'jobs', 'redrive', id)
    await fails(2, /Give the id of a job, or --all/, 'jobs', 'redrive')
    await fails(2, /go with --all/, 'jobs', 'redrive', id, '--kind', 'agent')
    assert.deepEqual(await json('jobs', 'redrive', '--all'), { items: [], refused: [], more: false })
    await fails(3, /no job|nothing with that id/i, 'jobs', 'get', 'job_01kb2m3n4p5q6r7s8t9v0w1x2y')
  })

  it('worker list shows who is there; tenant update sets how much a tenant may take', async () => {
    const none = await done('worker', 'list')
    assert.match(none.err, /There are none/)
    assert.match(
      (await done('tenant', 'update', '--max-concurrent-jobs', '3')).out,
      /concurrent jobs +at most 3/,
    )
    assert.equal((await json('tenant', 'update', '--max-concurrent-jobs', 'none')).max_concurrent_jobs, null)
    await fails(2, /whole number from 1/, 'tenant', 'update', '--max-concurrent-jobs', '0')
  })
})
