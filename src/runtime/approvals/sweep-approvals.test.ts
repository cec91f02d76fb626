import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { member } from '../../../test/support/members.ts'
import type { ApprovalPolicy } from '../../contract/approval.ts'
import { context, payers, refused } from './approval-case.test.ts'
import { SYSTEM_ACTOR } from './settle-approval.ts'
import { sweepApprovals } from './sweep-approvals.ts'

const MINUTE = 60_000

forEachDatabase((_name, open) => {
  async function swept(policy: ApprovalPolicy) {
    const db = await open()
    const now = { ms: Date.now() }
    const world = await payers(db, { policy, clock: () => now.ms })
    const [asked] = await world.asked()
    assert.ok(asked)
    const deps = { db, woken: () => world.factory.worker.wake(), written: () => undefined }
    const sweep = (at: number) => sweepApprovals(deps, at)
    return {
      ...world,
      db,
      now,
      question: asked,
      sweep,
      facts: async (type: string) =>
        (await world.runtime.events(world.tenantId, asked.runId, { limit: 100, after: 0 })).filter(
          (event) => event.type === type,
        ),
      async [Symbol.asyncDispose]() {
        await world[Symbol.asyncDispose]()
        await db[Symbol.asyncDispose]()
      },
    }
  }

  for (const [onExpiry, paid] of [
    ['approve', [5]],
    ['decline', []],
    [undefined, []],
  ] as const) {
    it(`once its time is over the default stands (${onExpiry ?? 'none given'}), exactly once with three sweepers`, async () => {
      await using world = await swept({
        expiresAfter: '10m',
        ...(onExpiry === undefined ? {} : { onExpiry }),
      })
      const { question, now, tenantId, sweep } = world
      assert.equal(question.expiresAt, question.createdAt + 10 * MINUTE)
      assert.deepEqual(await sweep(question.createdAt + 9 * MINUTE), { expired: 0, escalated: 0 })
      now.ms = question.createdAt + 10 * MINUTE
      // Its time is over, swept or not.
      await refused(world.approve(world.admin, question), 'approval.decided')
      const sweeps = await Promise.all([sweep(now.ms), sweep(now.ms), sweep(now.ms)])
      assert.equal(
        sweeps.reduce((sum, { expired }) => sum + expired, 0),
        1,
      )
      assert.equal((await world.ended(question.runId)).state, 'completed')
      assert.deepEqual(world.paid, paid)
      const end = await world.approvals.get(tenantId, question.id)
      assert.deepEqual([end.state, end.decidedBy], ['expired', SYSTEM_ACTOR])
      const [expired, ...more] = await world.facts('approval.expired')
      assert.deepEqual([expired?.actor, more.length], [SYSTEM_ACTOR, 0])
      assert.equal((await world.facts('approval.decided')).length, 0)
    })
  }

  it('a clock that jumps five minutes back and forth decides nothing twice', async () => {
    await using world = await swept({ expiresAfter: '10m', onExpiry: 'approve' })
    const { question, sweep, now } = world
    const due = question.createdAt + 10 * MINUTE
    assert.equal((await sweep(due - 5 * MINUTE)).expired, 0)
    assert.equal((await sweep(due + 5 * MINUTE)).expired, 1)
    for (const jump of [-5, 5, 0, -5]) {
      now.ms = due + jump * MINUTE
      assert.equal((await sweep(now.ms)).expired, 0)
      await refused(world.approve(world.admin, question), 'approval.decided')
    }
    assert.equal((await world.ended(question.runId)).state, 'completed')
    assert.deepEqual(world.paid, [5])
  })

  it('escalates once to a higher role, which alone may answer from then on', async () => {
    await using world = await swept({ role: 'CREATOR', escalate: { after: '5m', role: 'ADMIN' } })
    const { question, sweep, db, tenantId } = world
    const creator = await member(db, tenantId, 'CREATOR')
    const due = question.createdAt + 5 * MINUTE
    assert.equal((await sweep(due - 1)).escalated, 0)
    const sweeps = await Promise.all([sweep(due), sweep(due), sweep(due + 5 * MINUTE)])
    assert.equal(
      sweeps.reduce((sum, { escalated }) => sum + escalated, 0),
      1,
    )
    const [fact, ...more] = await world.facts('approval.escalated')
    assert.deepEqual([fact?.data.from, fact?.data.to, more.length], ['CREATOR', 'ADMIN', 0])
    await refused(world.approve(creator, question), 'approval.not-yours')
    assert.equal((await world.approve(world.admin, question)).state, 'approved')
    await world.ended(question.runId)
  })

  it('to escalate never lowers the role', async () => {
    await using world = await swept({ role: 'ADMIN', escalate: { after: '5m', role: 'USER' } })
    const { question, sweep, tenantId } = world
    assert.equal((await sweep(question.createdAt + 5 * MINUTE)).escalated, 1)
    assert.equal((await world.approvals.get(tenantId, question.id)).role, 'ADMIN')
  })

  it('of a person and a sweep at the same moment one decides', async () => {
    await using world = await swept({ expiresAfter: '10m', onExpiry: 'decline' })
    const { question, sweep, tenantId } = world
    const [answered, { expired }] = await Promise.all([
      // By the clock of this process the question is open still.
      world.approve(world.admin, question).then(
        () => 1,
        () => 0,
      ),
      sweep(question.createdAt + 10 * MINUTE),
    ])
    assert.equal(answered + expired, 1)
    assert.equal((await world.ended(question.runId)).state, 'completed')
    assert.deepEqual(world.paid, answered === 1 ? [5] : [])
    const { state } = await world.approvals.get(tenantId, question.id)
    assert.equal(state, answered === 1 ? 'approved' : 'expired')
  })

  it('leaves alone what was withdrawn', async () => {
    await using world = await swept({ expiresAfter: '10m', onExpiry: 'approve' })
    const { question, sweep, tenantId } = world
    await world.runtime.cancel(world.admin, question.runId, context)
    assert.deepEqual(await sweep(question.createdAt + 20 * MINUTE), { expired: 0, escalated: 0 })
    assert.equal((await world.approvals.get(tenantId, question.id)).state, 'withdrawn')
    assert.deepEqual(world.paid, [])
  })
})
