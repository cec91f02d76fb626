import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { describe, it } from 'node:test'
import { createHealth } from './health.ts'
import { databaseCheck, diskCheck, workerCheck } from './health-checks.ts'

describe('health', () => {
  it('is ready when every check passes', async () => {
    const checks = [
      databaseCheck(async () => undefined),
      workerCheck(() => true),
      diskCheck(tmpdir(), async () => 1e9),
    ]
    const { ready, checks: results } = await createHealth({ checks, clock: Date.now }).ready()
    assert.equal(ready, true)
    assert.deepEqual(
      results.map(({ name, detail }) => `${name} ${detail}`),
      ['database answers', 'worker alive', 'disk 953 MiB free'],
    )
  })

  it('names what is wrong, without the words of the driver', async () => {
    const ping = () => Promise.reject(new Error('connect postgres://user:password@host failed'))
    const { ready, checks } = await createHealth({
      checks: [databaseCheck(ping), diskCheck('/', async () => 5)],
      clock: Date.now,
    }).ready()
    assert.equal(ready, false)
    assert.deepEqual(
      checks.map(({ detail }) => detail),
      ['does not answer', '0 MiB free, at least 64 MiB are needed'],
    )
  })

  it('asks its parts at most twice a second, however often it is asked', async () => {
    let asked = 0
    let now = 0
    const health = createHealth({
      checks: [{ name: 'a', run: async () => String(++asked) }],
      clock: () => now,
    })
    await Promise.all(Array.from({ length: 50 }, () => health.ready()))
    assert.equal(asked, 1)
    now = 500
    await health.ready()
    assert.equal(asked, 2)
  })

  it('does not wait for a part that hangs', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const answer = createHealth({
      checks: [{ name: 'a', run: () => new Promise(() => undefined) }],
      clock: () => 0,
    }).ready()
    t.mock.timers.tick(2_000)
    assert.deepEqual(await answer, {
      ready: false,
      checks: [{ name: 'a', ok: false, detail: 'no answer within 2000 ms' }],
    })
  })

  it('is not ready from the moment the server begins to stop', async () => {
    const health = createHealth({ checks: [], clock: Date.now })
    assert.equal((await health.ready()).ready, true)
    health.stopping()
    assert.equal((await health.ready()).ready, false)
  })
})
