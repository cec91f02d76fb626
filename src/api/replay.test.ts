import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { PERMISSIONS } from '../contract/permission.ts'
import type { Script } from '../models/scripted/script.ts'
import { AGENT, at, errorPaths, isProblem, openApiBench } from './api-bench.test.ts'

const ECHO: Script = ({ instructions }) => ({ text: instructions })

forEachDatabase((_, open) => {
  it('a run is replayed, once for a key, by those who may run agents and read prompts', async () => {
    await using bench = await openApiBench({ db: await open(), script: ECHO })
    await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
    const run = await bench.send('POST', '/api/v1/agents/guide/runs?wait=20', { body: { input: 'Hi.' } })
    const path = `/api/v1/runs/${String(at(run.json, 'id'))}/replay`
    const plain = await bench.send('POST', `${path}?wait=20`)
    assert.equal(plain.status, 200, plain.text)
    assert.equal(at(plain.json, 'output'), 'Help.')
    assert.equal(at(plain.json, 'replay_of'), at(run.json, 'id'))
    assert.equal(at(plain.json, 'replay_from'), null)
    assert.equal(at(plain.json, 'blocked_by'), null)
    const body = { instructions: 'Otherwise.' }
    const headers = { 'idempotency-key': 'one' }
    const first = await bench.send('POST', `${path}?wait=20`, { body, headers })
    const second = await bench.send('POST', `${path}?wait=20`, { body, headers })
    assert.equal(at(first.json, 'output'), 'Otherwise.')
    assert.equal(at(first.json, 'id'), at(second.json, 'id'))
    const replays = await bench.send('GET', '/api/v1/runs?replays=true')
    assert.equal((at(replays.json, 'items') as unknown[]).length, 2)
    const others = await bench.send('GET', '/api/v1/runs?replays=false')
    assert.equal((at(others.json, 'items') as unknown[]).length, 1)
    for (const lacking of ['RUN_AGENTS', 'READ_PROMPTS']) {
      const permissions = PERMISSIONS.filter((one) => one !== lacking && one !== 'ADMIN')
      const { key } = await bench.account({ tenantId: bench.ada.tenantId, permissions })
      isProblem(await bench.send('POST', path, { key }), 'access.denied', lacking)
    }
    const stranger = await bench.account()
    isProblem(await bench.send('POST', path, { key: stranger.key }), 'run.not-found', 'another tenant')
    isProblem(await bench.send('POST', path, { body: { from: 2 } }), 'run.not-replayable', 'from')
    const wrong = await bench.send('POST', path, { body: { tools: 'some', model: 'x' } })
    isProblem(wrong, 'request.invalid', 'wrong fields')
    assert.deepEqual(errorPaths(wrong).toSorted(), ['/model', '/tools'])
  })

  it('a publish says what becomes of runs in flight', async () => {
    await using bench = await openApiBench({ db: await open(), working: false })
    await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
    const first = await bench.send('POST', '/api/v1/agents/guide/runs', { body: { input: 'Hi.' } })
    await bench.send('PUT', '/api/v1/agents/guide', { body: { ...(AGENT as object), instructions: 'New.' } })
    const headers = { 'idempotency-key': 'one' }
    const body = { in_flight: 'cancel' }
    for (let time = 0; time < 2; time++) {
      const published = await bench.send('POST', '/api/v1/agents/guide/publish', { body, headers })
      assert.equal(published.status, 200, published.text)
      assert.equal(at(published.json, 'published_version'), 2)
    }
    const second = await bench.send('POST', '/api/v1/agents/guide/runs', { body: { input: 'Hi.' } })
    await bench.worker.start()
    const end = async (run: typeof first) =>
      at((await bench.send('GET', `/api/v1/runs/${String(at(run.json, 'id'))}?wait=20`)).json, 'state')
    assert.equal(await end(second), 'completed')
    const jobs = await bench.send('GET', '/api/v1/jobs?kind=cancel-older')
    assert.equal((at(jobs.json, 'items') as unknown[]).length, 1)
    isProblem(
      await bench.send('POST', '/api/v1/agents/guide/publish', { body: { in_flight: 'maybe' } }),
      'request.invalid',
      'policy',
    )
    isProblem(
      await bench.send('POST', '/api/v1/tools/x/publish', { body: { in_flight: 'cancel' } }),
      'request.invalid',
      'a tool',
    )
  })
})
