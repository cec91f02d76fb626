import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { openFactory } from '../../../test/support/factory.ts'
import { keyOf, member } from '../../../test/support/members.ts'
import { newId } from '../../base/ids.ts'
import { defineTool } from '../../define/define-tool.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import { askNode, context, payers, refused } from './approval-case.test.ts'
import { argumentsHash } from './arguments-hash.ts'

forEachDatabase((_name, open) => {
  it('an answer is bound to the exact arguments that were shown', async () => {
    await using db = await open()
    await using world = await payers(db)
    const [asked] = await world.asked()
    assert.ok(asked)
    assert.deepEqual(asked.arguments, { amount: 5 })
    assert.equal(asked.argumentsHash, argumentsHash({ amount: 5 }))
    const decide = (hash: string) =>
      world.approvals.decide(world.admin, asked.id, { outcome: 'approve', argumentsHash: hash }, context)
    await refused(decide(argumentsHash({ amount: 6 })), 'approval.arguments-changed')
    assert.deepEqual(world.paid, [])
    const decided = await decide(argumentsHash({ amount: 5 }))
    assert.equal(decided.state, 'approved')
    assert.equal(decided.decidedBy, world.admin.userId)
    assert.equal((await world.ended(asked.runId)).state, 'completed')
    assert.deepEqual(world.paid, [5])
  })

  it('is used once: of two answers at the same moment one wins, and later ones are refused', async () => {
    await using db = await open()
    await using world = await payers(db)
    const other = await member(db, world.tenantId, 'ADMIN')
    const [asked] = await world.asked()
    assert.ok(asked)
    const answers = await Promise.allSettled([world.approve(world.admin, asked), world.decline(other, asked)])
    assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1)
    const lost = answers.find((answer) => answer.status === 'rejected')
    await refused(Promise.reject(lost?.reason), 'approval.decided')
    await refused(world.approve(world.admin, asked), 'approval.decided')
    assert.equal((await world.ended(asked.runId)).state, 'completed')
    const { votes } = await world.approvals.get(world.tenantId, asked.id)
    assert.equal(votes.length, 1)
    const events = await world.runtime.events(world.tenantId, asked.runId, { limit: 100, after: 0 })
    const told = events.map(({ type }) => type).filter((type) => type.startsWith('approval.'))
    assert.deepEqual(told, ['approval.requested', 'approval.voted', 'approval.decided'])
    assert.deepEqual(
      events.map(({ runSeq }) => runSeq),
      events.map((_, index) => index + 1),
    )
  })

  it('waits for as many different people as the quorum says; one with two keys is one', async () => {
    await using db = await open()
    await using world = await payers(db, { policy: { quorum: 2 } })
    const ann = await member(db, world.tenantId, 'CREATOR')
    const [asked] = await world.asked()
    assert.ok(asked)
    assert.equal((await world.approve(ann, asked)).state, 'pending')
    const again = { ...ann, apiKeyId: await keyOf(db, ann) }
    await refused(world.approve(again, asked), 'approval.decided')
    // The first answer stays, also where the second is another.
    await refused(world.decline(again, asked), 'approval.decided')
    assert.equal((await world.runtime.get(world.tenantId, asked.runId)).state, 'waiting')
    // `run resolve` is a vote by the same rules.
    const resolve = (by: typeof ann) =>
      world.runtime.resolve(by, asked.runId, asked.step, { outcome: 'approve' }, context)
    await refused(resolve(again), 'approval.decided')
    await resolve(world.admin)
    assert.equal((await world.ended(asked.runId)).state, 'completed')
    assert.deepEqual(world.paid, [5])
  })

  it('one who declines ends it, whatever the quorum', async () => {
    await using db = await open()
    await using world = await payers(db, { policy: { quorum: 3 } })
    const [asked] = await world.asked()
    assert.ok(asked)
    const decided = await world.approvals.decide(
      world.admin,
      asked.id,
      { outcome: 'decline', reason: 'too dear' },
      context,
    )
    assert.deepEqual([decided.state, decided.reason], ['declined', 'too dear'])
    assert.equal((await world.ended(asked.runId)).state, 'completed')
    assert.deepEqual(world.paid, [])
    assert.match(JSON.stringify(world.model.requests().at(-1)?.messages), /declined this call: too dear/)
  })

  it('is for a role or above, as the user is now, and not for who started the run', async () => {
    await using db = await open()
    await using world = await payers(db, { policy: { role: 'ADMIN', excludeRequester: true } })
    const creator = await member(db, world.tenantId, 'CREATOR')
    const boss = await member(db, world.tenantId, 'ADMIN')
    const other = await member(db, world.tenantId, 'ADMIN')
    const [asked] = await world.asked(boss)
    assert.ok(asked)
    assert.equal(asked.requestedBy, boss.userId)
    await refused(world.approve(creator, asked), 'approval.not-yours')
    await refused(world.approve(boss, asked), 'approval.not-yours')
    await refused(world.approve({ ...boss, apiKeyId: await keyOf(db, boss) }, asked), 'approval.not-yours')
    const resolved = world.runtime.resolve(creator, asked.runId, asked.step, { outcome: 'approve' }, context)
    await refused(resolved, 'approval.not-yours')
    assert.equal((await world.approve(other, asked)).state, 'approved')
    await world.ended(asked.runId)
  })

  it('parallel questions of one run are answered in any order', async () => {
    await using db = await open()
    await using world = await payers(db, { amounts: [1, 2, 3] })
    const asked = await world.asked()
    assert.equal(asked.length, 3)
    for (const one of asked.toReversed()) await world.approve(world.admin, one)
    assert.equal((await world.ended(asked[0]?.runId ?? assert.fail())).state, 'completed')
    assert.deepEqual(world.paid.toSorted(), [1, 2, 3])
  })

  it('wakes the whole tree from three runs below', async () => {
    await using db = await open()
    const paid: string[] = []
    const pay = defineTool({
      name: 'pay',
      description: 'Pays.',
      input: { type: 'object' },
      effect: 'once',
      approval: 'always',
      run: async (_input, { idempotencyKey }) => paid.push(idempotencyKey),
    })
    const model = createScriptedModel('scripted', (request) => {
      const name = request.tools[0]?.name ?? ''
      if (request.messages.length > 1) return { text: 'Finished.' }
      return { toolCalls: [{ tool: name, arguments: name === 'pay' ? {} : { input: 'Please.' } }] }
    })
    await using factory = await openFactory({ db, models: [model], codeTools: [pay] })
    const { runtime, admin, tenantId } = factory
    await factory.agent({ name: 'fourth', tools: ['pay'], approval: { excludeRequester: true } })
    await factory.agent({ name: 'third', subAgents: ['fourth'] })
    await factory.agent({ name: 'second', subAgents: ['third'] })
    await factory.agent({ name: 'first', subAgents: ['second'] })
    const waiting = await factory.run('first', 'Pay.')
    assert.equal(waiting.state, 'waiting')
    const { items } = await runtime.approvals.list(tenantId, { limit: 10, state: 'pending' })
    assert.equal(items.length, 1)
    const [asked] = items
    assert.ok(asked)
    assert.notEqual(asked.runId, waiting.id)
    // Who started the run at the top is who asks, at any depth.
    await refused(
      runtime.approvals.decide(admin, asked.id, { outcome: 'approve' }, context),
      'approval.not-yours',
    )
    const other = await member(db, tenantId, 'CREATOR')
    await runtime.approvals.decide(other, asked.id, { outcome: 'approve' }, context)
    assert.equal((await runtime.wait(tenantId, waiting.id, 10_000)).state, 'completed')
    assert.equal(paid.length, 1)
  })

  it('is withdrawn where its run ends, and an answer then is refused', async () => {
    await using db = await open()
    await using world = await payers(db, { amounts: [1, 2] })
    const asked = await world.asked()
    const [first, second] = asked
    assert.ok(first && second)
    await world.runtime.cancel(world.admin, first.runId, context)
    for (const { id } of asked)
      assert.equal((await world.approvals.get(world.tenantId, id)).state, 'withdrawn')
    await refused(world.approve(world.admin, first), 'approval.decided')
    assert.deepEqual(world.paid, [])
    const absent = { id: newId('approval') }
    await refused(world.approve(world.admin, absent), 'approval.not-found')
  })

  it('a node is done with who decided, or fails', async () => {
    await using db = await open()
    await using world = await payers(db)
    await world.factory.worker.stop(0)
    const { runtime, admin, tenantId } = world
    const { id } = await runtime.start(admin, { agent: 'payer', input: 'x' }, context)
    const input = { invoice: 7 }
    for (const [seq, path] of [
      [1, 'a'],
      [2, 'b'],
    ] as const)
      assert.deepEqual(await askNode(db, admin, id, { seq, path, input }), { outcome: 'pending' })
    const asked = (await world.approvals.list(tenantId, { limit: 10, runId: id })).items.toReversed()
    const [a, b] = asked
    assert.ok(a && b)
    await world.approvals.decide(admin, a.id, { outcome: 'approve', reason: 'fine' }, context)
    await world.approvals.decide(admin, b.id, { outcome: 'decline', reason: 'no' }, context)
    const [done, failed] = await runtime.steps(tenantId, id, { limit: 10, after: 0 })
    assert.equal(done?.state, 'done')
    assert.deepEqual(done?.output, {
      approved: true,
      decided_by: admin.userId,
      reason: 'fine',
      votes: [{ by: admin.userId, outcome: 'approve', reason: 'fine' }],
    })
    assert.deepEqual(failed?.error, { code: 'approval.declined', message: 'A person declined this: no' })
  })

  it('what was asked follows the capture policy once the run has ended', async () => {
    await using db = await open()
    await using world = await payers(db)
    const [asked] = await world.asked()
    assert.ok(asked)
    await using strict = await openFactory({ db, working: false, capture: 'metadata' })
    await strict.runtime.cancel(world.admin, asked.runId, context)
    const kept = await world.approvals.get(world.tenantId, asked.id)
    assert.equal(kept.arguments, null)
    assert.equal(kept.argumentsHash, asked.argumentsHash)
  })
})
