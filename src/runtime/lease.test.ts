import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { openFactory } from '../../test/support/factory.ts'
import { defineTool } from '../define/define-tool.ts'
import { createScriptedModel } from '../models/scripted/scripted-model.ts'
import { LEASE_MS } from '../queue/job.ts'

const context = { requestId: undefined }

forEachDatabase((_name, open) => {
  it('a worker whose lease lapsed is refused at its next write, and the run ends once', async () => {
    await using db = await open()
    let calls = 0
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const read = defineTool({
      name: 'read',
      description: 'Reads something.',
      input: { type: 'object' },
      effect: 'read',
      run: async () => {
        calls += 1
        // The first worker is paused in the middle of the call, as by SIGSTOP.
        if (calls === 1) await held
        return { calls }
      },
    })
    const model = createScriptedModel('scripted', (request) =>
      request.messages.length === 1
        ? { toolCalls: [{ tool: 'read', arguments: {} }] }
        : { text: 'Finished.' },
    )
    await using first = await openFactory({ db, models: [model], codeTools: [read] })
    await first.agent({ name: 'reader', tools: ['read'] })
    const { id } = await first.runtime.start(first.admin, { agent: 'reader', input: 'Go.' }, context)
    while (calls === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    // The second worker lives after the lease: it takes the run up from its last step.
    const later = () => Date.now() + LEASE_MS + 1_000
    await using second = await openFactory({ db, models: [model], codeTools: [read], clock: later })
    const end = await second.runtime.wait(first.tenantId, id, 10_000)
    assert.equal(end.state, 'completed', JSON.stringify(end.error))
    release()
    await first.worker.stop(1_000)
    const events = await second.runtime.events(first.tenantId, id, { limit: 100, after: 0 })
    assert.equal(events.filter(({ type }) => type === 'run.completed').length, 1)
    assert.equal(events.filter(({ type }) => type === 'tool.finished').length, 1)
    const steps = await second.runtime.steps(first.tenantId, id, { limit: 100, after: 0 })
    assert.deepEqual(steps[1]?.output, { calls: 2 })
    assert.equal(model.calls(), 2)
  })

  it('writes nothing into a run that another worker drives at that moment', async () => {
    await using db = await open()
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let calls = 0
    const read = defineTool({
      name: 'read',
      description: 'Reads something.',
      input: { type: 'object' },
      effect: 'read',
      run: async () => {
        calls += 1
        const call = calls
        await gates[call - 1]?.promise
        return { call }
      },
    })
    const model = createScriptedModel('scripted', (request) =>
      request.messages.length === 1
        ? { toolCalls: [{ tool: 'read', arguments: {} }] }
        : { text: 'Finished.' },
    )
    await using first = await openFactory({ db, models: [model], codeTools: [read] })
    await first.agent({ name: 'reader', tools: ['read'] })
    const { tenantId, runtime } = first
    const { id } = await runtime.start(first.admin, { agent: 'reader', input: 'Go.' }, context)
    while (calls < 1) await new Promise((resolve) => setTimeout(resolve, 5))
    const later = () => Date.now() + LEASE_MS + 1_000
    await using second = await openFactory({ db, models: [model], codeTools: [read], clock: later })
    while (calls < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    // The first worker wakes up in the middle of the second one's call, and has a result to write.
    const before = await runtime.events(tenantId, id, { limit: 100, after: 0 })
    gates[0]?.resolve()
    while (first.worker.active() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal((await runtime.get(tenantId, id)).state, 'running')
    assert.deepEqual(await runtime.events(tenantId, id, { limit: 100, after: 0 }), before)
    assert.equal((await runtime.steps(tenantId, id, { limit: 10, after: 0 }))[1]?.state, 'intended')
    gates[1]?.resolve()
    assert.equal((await second.runtime.wait(tenantId, id, 10_000)).state, 'completed')
    assert.deepEqual((await runtime.steps(tenantId, id, { limit: 10, after: 0 }))[1]?.output, { call: 2 })
  })

  it('two workers share a queue and no job runs twice', async () => {
    await using db = await open()
    const answered = new Map<string, number>()
    const model = createScriptedModel('scripted', (request) => {
      const first = request.messages[0]
      const text = first?.role === 'user' ? first.text : ''
      answered.set(text, (answered.get(text) ?? 0) + 1)
      return { text: 'Done.', delayMs: 2 }
    })
    await using first = await openFactory({ db, models: [model], concurrency: 3 })
    await using second = await openFactory({ db, models: [model], concurrency: 3 })
    await first.agent({ name: 'answerer' })
    const ids = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        const { runtime, admin } = n % 2 === 0 ? first : second
        return (await runtime.start(admin, { agent: 'answerer', input: `Question ${n}` }, context)).id
      }),
    )
    for (const id of ids)
      assert.equal((await first.runtime.wait(first.tenantId, id, 10_000)).state, 'completed')
    assert.equal(answered.size, 30)
    assert.ok([...answered.values()].every((times) => times === 1))
  })
})
