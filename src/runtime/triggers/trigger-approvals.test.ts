// Runs that a trigger started, and the people who are asked: who set a run off is no other eye.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../../test/support/database.ts'
import { type Factory, openFactory } from '../../../test/support/factory.ts'
import { member } from '../../../test/support/members.ts'
import { isAppError } from '../../base/errors.ts'
import type { RunId } from '../../base/ids.ts'
import type { ApprovalPolicy } from '../../contract/approval.ts'
import { defineTool } from '../../define/define-tool.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import type { Database } from '../../storage/database.ts'

const context = { requestId: undefined }
const approve = { outcome: 'approve' } as const
const WAIT_MS = 20_000
const ON_PAID = {
  kind: 'event',
  name: 'pay',
  target: { agent: 'payer' },
  eventName: 'paid',
  input: '"Pay."',
} as const
const PAID = { name: 'paid', correlation: '', data: {} } as const
const notYours = (error: unknown) => isAppError(error, 'approval.not-yours')

/** An agent that pays at its first turn; what it does is asked for only where its text came from outside. */
async function openPayer(db: Database, approval?: ApprovalPolicy): Promise<Factory> {
  const pay = defineTool({
    name: 'pay',
    description: 'Pays.',
    input: { type: 'object' },
    effect: 'once',
    run: () => ({ paid: true }),
  })
  const model = createScriptedModel('scripted', (request) =>
    request.messages.length === 1 ? { toolCalls: [{ tool: 'pay', arguments: {} }] } : { text: 'Paid.' },
  )
  const factory = await openFactory({ db, models: [model], codeTools: [pay] })
  await factory.agent({ name: 'payer', tools: ['pay'], ...(approval === undefined ? {} : { approval }) })
  return factory
}

async function setOff({ runtime, tenantId }: Factory): Promise<RunId> {
  const [run] = (await runtime.list(tenantId, { limit: 5 })).items
  assert.ok(run)
  const waiting = await runtime.wait(tenantId, run.id, WAIT_MS)
  assert.deepEqual([waiting.state, waiting.waitingReason], ['waiting', 'approval'])
  return run.id
}

forEachDatabase((_, open) => {
  it('neither who sent the event nor the owner of the trigger answers what others must', async () => {
    await using db = await open()
    await using factory = await openPayer(db, { excludeRequester: true })
    const { runtime, tenantId, admin: owner } = factory
    const sender = await member(db, tenantId, 'CREATOR')
    const third = await member(db, tenantId, 'CREATOR')
    await runtime.triggers.create(owner, ON_PAID, context)
    await runtime.triggers.send(sender, PAID, context)
    const runId = await setOff(factory)
    const [asked] = (await runtime.approvals.list(tenantId, { limit: 5, runId })).items
    assert.ok(asked)
    assert.equal(asked.requestedBy, sender.userId)
    for (const person of [sender, owner]) {
      await assert.rejects(runtime.approvals.decide(person, asked.id, approve, context), notYours)
      await assert.rejects(runtime.approvals.createLink(person, asked.id, {}, context), notYours)
      const named = { userId: person.userId }
      await assert.rejects(runtime.approvals.createLink(third, asked.id, named, context), notYours)
    }
    await runtime.approvals.decide(third, asked.id, approve, context)
    assert.equal((await runtime.wait(tenantId, runId, WAIT_MS)).state, 'completed')
  })

  it('a replay of what came from outside asks before it acts, like the run that it replays', async () => {
    await using db = await open()
    await using factory = await openPayer(db)
    const { runtime, tenantId, admin } = factory
    await runtime.triggers.create(admin, ON_PAID, context)
    await runtime.triggers.send(admin, PAID, context)
    const runId = await setOff(factory)
    await runtime.cancel(admin, runId, context)
    await runtime.wait(tenantId, runId, WAIT_MS)
    const again = await runtime.replay(admin, runId, { tools: 'live' }, context)
    const waiting = await runtime.wait(tenantId, again.id, WAIT_MS)
    assert.deepEqual([waiting.state, waiting.waitingReason], ['waiting', 'approval'])
    // With words of one's own nothing is from outside.
    const own = await runtime.replay(admin, runId, { tools: 'live', input: 'Pay.' }, context)
    assert.equal((await runtime.wait(tenantId, own.id, WAIT_MS)).state, 'completed')
  })
})
