import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { member } from '../../../test/support/members.ts'
import type { RunId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { Principal } from '../../contract/principal.ts'
import { type Bind, statement } from '../../storage/statement.ts'
import { askNode, context, payers, refused } from './approval-case.test.ts'
import { argumentsHash } from './arguments-hash.ts'

const markWorkflow = statement('test.mark-workflow', (db, p: Bind<{ id: RunId }>) =>
  db.updateTable('runs').set({ kind: 'workflow' }).where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

forEachDatabase((_name, open) => {
  /** A run that nobody drives yet, and how somebody answers before it asks. */
  async function early(more: Parameters<typeof payers>[1] = {}) {
    const db = await open()
    const world = await payers(db, more)
    const { runtime, admin } = world
    await world.factory.worker.stop(0)
    const { id } = await runtime.start(admin, { agent: 'payer', input: 'Pay.' }, context)
    // Who answers does so where the run is driven, so that nobody waits for a poll.
    let { approvals } = world
    const say = (
      asked: Json | undefined,
      outcome: 'approve' | 'decline' = 'approve',
      by: Principal = admin,
      subject = 'pay',
    ) => approvals.decideEarly(by, id, { subject, arguments: asked, outcome }, context)
    /** Lets a second process drive what was started. */
    const drive = async () => {
      const second = await payers(db, { ...more, defined: true })
      approvals = second.approvals
      return {
        run: await second.runtime.wait(world.tenantId, id, 10_000),
        paid: second.paid,
        [Symbol.asyncDispose]: () => second.factory[Symbol.asyncDispose](),
      }
    }
    return {
      db,
      ...world,
      id,
      say,
      drive,
      async [Symbol.asyncDispose]() {
        await world[Symbol.asyncDispose]()
        await db[Symbol.asyncDispose]()
      },
    }
  }

  it('an answer before the wait is kept, and the call is made without waiting', async () => {
    await using world = await early()
    const kept = await world.say({ amount: 5 })
    assert.deepEqual([kept.approvalId, kept.argumentsHash], [null, argumentsHash({ amount: 5 })])
    // To say the same again changes nothing; to say another thing is refused.
    await world.say({ amount: 5 })
    await refused(world.say({ amount: 5 }, 'decline'), 'approval.decided')
    await using driven = await world.drive()
    assert.equal(driven.run.state, 'completed', JSON.stringify(driven.run.error))
    assert.deepEqual(driven.paid, [5])
    const [asked] = (await world.approvals.list(world.tenantId, { limit: 10 })).items
    assert.equal(asked?.state, 'approved')
    const events = await world.runtime.events(world.tenantId, world.id, { limit: 100, after: 0 })
    assert.ok(!events.some(({ type }) => type === 'run.waiting'))
    assert.deepEqual(
      events.map(({ runSeq }) => runSeq),
      events.map((_, index) => index + 1),
    )
  })

  it('a decline before the wait is told to the model at once', async () => {
    await using world = await early()
    await world.say({ amount: 5 }, 'decline')
    await using driven = await world.drive()
    assert.equal(driven.run.state, 'completed')
    assert.deepEqual(driven.paid, [])
  })

  it('an answer for other arguments does not count; one that comes after the question does', async () => {
    await using world = await early()
    await world.say({ amount: 6 })
    await refused(world.say(undefined), 'request.invalid')
    await using driven = await world.drive()
    assert.equal(driven.run.state, 'waiting')
    await world.say({ amount: 7 })
    assert.equal((await world.runtime.get(world.tenantId, world.id)).state, 'waiting')
    const answered = await world.say({ amount: 5 })
    assert.notEqual(answered.approvalId, null)
    const ended = await world.ended(world.id)
    assert.equal(ended.state, 'completed')
    assert.deepEqual(driven.paid, [5])
    await refused(world.say({ amount: 5 }), 'run.finished')
  })

  it('is used once: the same question again waits', async () => {
    await using world = await early({ amounts: [5, 5] })
    await world.say({ amount: 5 })
    await using driven = await world.drive()
    assert.equal(driven.run.state, 'waiting')
    assert.deepEqual(driven.paid, [5])
    const { items } = await world.approvals.list(world.tenantId, { limit: 10, state: 'pending' })
    assert.equal(items.length, 1)
  })

  it('counts by the rules of the question: roles, who asked, and how many', async () => {
    const policy = { role: 'ADMIN', excludeRequester: true, quorum: 2 } as const
    await using world = await early({ policy })
    const { db, tenantId } = world
    const people = {
      creator: await member(db, tenantId, 'CREATOR'),
      one: await member(db, tenantId, 'ADMIN'),
      two: await member(db, tenantId, 'ADMIN'),
    }
    await world.say({ amount: 5 })
    await world.say({ amount: 5 }, 'approve', people.creator)
    await world.say({ amount: 5 }, 'approve', people.one)
    await using driven = await world.drive()
    assert.equal(driven.run.state, 'waiting')
    const [asked] = (await world.approvals.list(tenantId, { limit: 10 })).items
    assert.ok(asked)
    const { votes } = await world.approvals.get(tenantId, asked.id)
    assert.deepEqual(
      votes.map(({ userId }) => userId),
      [people.one.userId],
    )
    assert.equal((await world.say({ amount: 5 }, 'approve', people.two)).approvalId, asked.id)
    assert.equal((await world.ended(world.id)).state, 'completed')
  })

  it('an answer at the very moment of the question is neither lost nor counted twice', async () => {
    await using world = await early()
    const { db, admin, tenantId, id } = world
    for (let seq = 1; seq <= 5; seq++) {
      const [, kept] = await Promise.all([
        askNode(db, admin, id, { seq, path: `node-${seq}`, input: { seq } }),
        world.say({ seq }, 'approve', admin, `node-${seq}`),
      ])
      assert.equal(kept.subject, `node-${seq}`)
    }
    const { items } = await world.approvals.list(tenantId, { limit: 10 })
    assert.deepEqual(
      items.map(({ state }) => state),
      Array.from({ length: 5 }, () => 'approved'),
    )
    for (const asked of items) assert.equal((await world.approvals.get(tenantId, asked.id)).votes.length, 1)
  })

  it('a node takes an answer for whatever its arguments are, or for exactly these', async () => {
    await using world = await early()
    const { db, admin, tenantId, id } = world
    await db.tenant(tenantId).write((tx) => tx.run(markWorkflow, { id }))
    await world.say(undefined, 'approve', admin, 'release')
    await world.say({ to: 'prod' }, 'decline', admin, 'deploy')
    const ask = (seq: number, path: string, input: Json) => askNode(db, admin, id, { seq, path, input })
    const released = await ask(1, 'release', { version: 3 })
    assert.equal(released.outcome, 'approved')
    assert.equal((await ask(2, 'deploy', { to: 'test' })).outcome, 'pending')
    const declined = await ask(3, 'deploy', { to: 'prod' })
    assert.deepEqual(declined.outcome === 'declined' && declined.error.code, 'approval.declined')
    const steps = await world.runtime.steps(tenantId, id, { limit: 10, after: 0 })
    assert.deepEqual(
      steps.map(({ state }) => state),
      ['done', 'waiting', 'failed'],
    )
    // Used, it makes way for the next one.
    await world.say(undefined, 'decline', admin, 'release')
    assert.equal((await ask(4, 'release', { version: 4 })).outcome, 'declined')
  })
})
