// Jobs and workers over HTTP: looked at, cancelled, tried now, taken up again; and what starts them later or once.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { type JobId, newId } from '../base/ids.ts'
import type { Json, JsonObject } from '../base/json.ts'
import { listAudit } from '../events/audit-log.ts'
import { enqueueJob } from '../queue/enqueue.ts'
import { recordWorker } from '../queue/registry.ts'
import { adminOf } from '../storage/admin.ts'
import { AGENT, type ApiBench, at, isProblem, openApiBench, type Received } from './api-bench.test.ts'

forEachDatabase((_, open) => {
  const sql = (bench: ApiBench, text: string) => adminOf(bench.db).session((session) => session.script(text))
  const post = (bench: ApiBench, path: string, body: Json = {}) =>
    bench.send('POST', `/api/v1${path}`, { body })
  const get = (bench: ApiBench, path: string) => bench.send('GET', `/api/v1${path}`)
  const ids = ({ json }: Received) => (at(json, 'items') as readonly JsonObject[]).map(({ id }) => String(id))
  const start = async (bench: ApiBench, body: JsonObject = {}): Promise<JsonObject> => {
    const started = await post(bench, '/agents/guide/runs', { input: 'x', ...body })
    assert.equal(started.status, 202, started.text)
    return started.json as JsonObject
  }
  const openWithAgent = async (working = false): Promise<ApiBench> => {
    const bench = await openApiBench({ db: await open(), working })
    await post(bench, '/agents?publish=true', AGENT)
    return bench
  }
  /** A job that drives no run. */
  const enqueue = async (bench: ApiBench, state: string): Promise<JobId> => {
    const id = newId('job')
    await bench.db
      .tenant(bench.ada.tenantId)
      .write((tx) => enqueueJob(tx, { id, kind: 'report', at: bench.deps.clock() }))
    await sql(bench, `update jobs set state = '${state}', attempt = 3 where id = '${id}'`)
    return id
  }
  const facts = async (bench: ApiBench) => {
    const { items } = await listAudit(bench.db, bench.ada.tenantId, { limit: 100 })
    return items
      .filter(({ type }) => type.startsWith('job.'))
      .map(({ type, subject }) => `${type} ${subject}`)
  }

  it('jobs are listed by state and kind, in pages, newest first', async () => {
    await using bench = await openWithAgent()
    const first = await start(bench)
    const second = await start(bench)
    const report = await enqueue(bench, 'dead')
    assert.deepEqual(ids(await get(bench, '/jobs')), [report, second.job_id, first.job_id])
    assert.deepEqual(ids(await get(bench, '/jobs?kind=agent&state=queued')), [second.job_id, first.job_id])
    assert.deepEqual(ids(await get(bench, '/jobs?state=dead')), [report])
    const page = await get(bench, '/jobs?kind=agent&limit=1')
    const next = await get(bench, `/jobs?kind=agent&limit=1&cursor=${at(page.json, 'next_cursor')}`)
    assert.deepEqual([...ids(page), ...ids(next)], [second.job_id, first.job_id])
    isProblem(
      await get(bench, `/jobs?kind=report&cursor=${at(page.json, 'next_cursor')}`),
      'cursor.invalid',
      'x',
    )
    isProblem(await get(bench, '/jobs?state=lost'), 'request.invalid', 'a state that there is not')
  })

  it('a job is cancelled with its run, once', async () => {
    await using bench = await openWithAgent()
    const { id, job_id: job } = await start(bench)
    const cancelled = await post(bench, `/jobs/${job}/cancel`)
    assert.deepEqual([cancelled.status, at(cancelled.json, 'state')], [200, 'cancelled'], cancelled.text)
    assert.equal(at((await get(bench, `/runs/${id}`)).json, 'state'), 'cancelled')
    isProblem(await post(bench, `/jobs/${job}/cancel`), 'job.state-conflict', 'again')
    const report = await enqueue(bench, 'scheduled')
    assert.equal(at((await post(bench, `/jobs/${report}/cancel`)).json, 'state'), 'cancelled')
    isProblem(await post(bench, `/jobs/${report}/cancel`), 'job.state-conflict', 'again')
    assert.deepEqual(await facts(bench), [`job.cancelled ${report}`])
  })

  it('a job that waits for its attempt or for a worker is tried now; one that waits for nothing is not', async () => {
    await using bench = await openWithAgent()
    for (const state of ['scheduled', 'unroutable']) {
      const report = await enqueue(bench, state)
      const retried = await post(bench, `/jobs/${report}/retry`)
      assert.deepEqual([at(retried.json, 'state'), at(retried.json, 'attempt')], ['queued', 3], retried.text)
      isProblem(await post(bench, `/jobs/${report}/retry`), 'job.state-conflict', state)
    }
    isProblem(await post(bench, `/jobs/${newId('job')}/retry`), 'job.not-found', 'none')
    isProblem(await post(bench, `/jobs/${await enqueue(bench, 'dead')}/retry`), 'job.state-conflict', 'dead')
    assert.equal((await facts(bench)).length, 2)
  })

  it('a dead job is taken up again: itself, or by a new run where it drove one', async () => {
    await using bench = await openWithAgent()
    const report = await enqueue(bench, 'dead')
    const again = await post(bench, `/jobs/${report}/redrive`)
    assert.deepEqual(
      [
        at(again.json, 'id'),
        at(again.json, 'state'),
        at(again.json, 'attempt'),
        at(again.json, 'finished_at'),
      ],
      [report, 'queued', 0, null],
      again.text,
    )
    isProblem(await post(bench, `/jobs/${report}/redrive`), 'job.state-conflict', 'again')
    const { id, job_id: job } = await start(bench)
    isProblem(await post(bench, `/jobs/${job}/redrive`), 'job.state-conflict', 'it is not dead')
    await sql(
      bench,
      `update jobs set state = 'dead' where id = '${job}'; update runs set state = 'failed' where id = '${id}'`,
    )
    const redriven = await post(bench, `/jobs/${job}/redrive`)
    assert.equal(redriven.status, 200, redriven.text)
    const run = await get(bench, `/runs/${at(redriven.json, 'run_id')}`)
    assert.deepEqual([at(run.json, 'redrive_of'), at(run.json, 'state')], [id, 'queued'])
    const twice = await post(bench, `/jobs/${job}/redrive`)
    assert.equal(twice.status, 409, twice.text)
    assert.deepEqual(await facts(bench), [`job.redriven ${job}`, `job.redriven ${report}`])
  })

  it('many dead jobs are taken up again, the oldest first; one that cannot be keeps no other', async () => {
    await using bench = await openWithAgent()
    const { id, job_id: job } = await start(bench)
    // Its run has completed all the same: nothing is left to take up.
    await sql(
      bench,
      `update jobs set state = 'dead' where id = '${job}'; update runs set state = 'completed' where id = '${id}'`,
    )
    const reports = [
      await enqueue(bench, 'dead'),
      await enqueue(bench, 'dead'),
      await enqueue(bench, 'unroutable'),
    ]
    const some = await post(bench, '/jobs/redrive', { limit: 2 })
    assert.deepEqual(ids(some), [reports[0]], some.text)
    assert.deepEqual([at(some.json, 'refused', 0, 'job_id'), at(some.json, 'more')], [job, true])
    const rest = await post(bench, '/jobs/redrive', { kind: 'report' })
    assert.deepEqual([ids(rest), at(rest.json, 'more')], [[reports[1]], false])
    assert.deepEqual(ids(await post(bench, '/jobs/redrive', { state: 'unroutable' })), [reports[2]])
  })

  it('a run begins not before its time, before others if it may, and once while its key is open', async () => {
    await using bench = await openWithAgent()
    const notBefore = new Date(bench.deps.clock() + 3_600_000).toISOString()
    const later = await start(bench, { not_before: notBefore, priority: 'high', dedup_key: 'nightly' })
    const job = (await get(bench, `/jobs/${later.job_id}`)).json
    assert.deepEqual(
      [at(job, 'state'), at(job, 'not_before'), at(job, 'priority')],
      ['scheduled', notBefore, 'high'],
    )
    const same = await start(bench, { dedup_key: 'nightly' })
    assert.equal(same.id, later.id)
    assert.notEqual((await start(bench, { dedup_key: 'other' })).id, later.id)
    const [one, two] = await Promise.all([
      start(bench, { dedup_key: 'race' }),
      start(bench, { dedup_key: 'race' }),
    ])
    assert.equal(one.id, two.id)
    assert.equal(ids(await get(bench, '/runs')).length, 3)
    await post(bench, `/runs/${later.id}/cancel`)
    assert.notEqual((await start(bench, { dedup_key: 'nightly' })).id, later.id)
  })

  it('workers are shown to the operator of the platform, and to nobody else', async () => {
    await using bench = await openWithAgent()
    const heartbeatAt = bench.deps.clock()
    await bench.db.system.write((tx) =>
      recordWorker(tx, {
        id: 'host/x/1/y',
        version: '1.2.3',
        engine: 'database',
        kinds: ['agent'],
        codeTools: ['secret_tool'],
        concurrency: 4,
        active: 1,
        startedAt: heartbeatAt,
        heartbeatAt,
        drainingAt: heartbeatAt,
      }),
    )
    const { json, text } = await get(bench, '/workers')
    assert.deepEqual(
      [at(json, 'items', 0, 'id'), at(json, 'items', 0, 'state'), at(json, 'items', 0, 'kinds', 0)],
      ['host/x/1/y', 'draining', 'agent'],
    )
    assert.ok(!text.includes('secret_tool'))
    const other = await bench.account()
    isProblem(await bench.send('GET', '/api/v1/workers', { key: other.key }), 'access.denied', 'a tenant')
  })
})
