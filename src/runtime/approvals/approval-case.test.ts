// What the tests of approvals share: an agent that pays once somebody said yes, and a run whose node asks.

import assert from 'node:assert/strict'
import { openFactory } from '../../../test/support/factory.ts'
import { payTool } from '../../../test/support/pay-tool.ts'
import { type ErrorCode, isAppError } from '../../base/errors.ts'
import type { RunId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { Clock } from '../../base/time.ts'
import type { ApprovalPolicy } from '../../contract/approval.ts'
import type { Principal } from '../../contract/principal.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import type { Database } from '../../storage/database.ts'
import { insertStep } from '../journal/step-store.ts'
import type { Approval, ApprovalDetail } from './approvals.ts'
import { type Requested, requestApproval } from './request-approval.ts'

export const context = { requestId: undefined }

/** A factory with the agent `payer`, which asks to pay these amounts, all at once, and then ends. */
export async function payers(
  db: Database,
  more: {
    policy?: ApprovalPolicy
    amounts?: readonly number[]
    clock?: Clock
    /** The agent is there already. */
    defined?: boolean
  } = {},
) {
  const paid: number[] = []
  const pay = payTool(paid)
  const calls = (more.amounts ?? [5]).map((amount) => ({ tool: 'pay', arguments: { amount } }))
  const model = createScriptedModel('scripted', (request) =>
    request.messages.length === 1 ? { toolCalls: calls } : { text: 'Finished.' },
  )
  const factory = await openFactory({
    db,
    models: [model],
    codeTools: [pay],
    ...(more.clock === undefined ? {} : { clock: more.clock }),
  })
  const approval = more.policy === undefined ? {} : { approval: more.policy }
  if (more.defined !== true) await factory.agent({ name: 'payer', tools: ['pay'], ...approval })
  const { runtime, tenantId, admin } = factory
  const { approvals } = runtime
  return {
    factory,
    runtime,
    approvals,
    tenantId,
    admin,
    paid,
    model,
    async [Symbol.asyncDispose]() {
      await factory[Symbol.asyncDispose]()
    },
    /** Starts a run in the name of somebody and answers what it asks, in the order of its steps. */
    async asked(by: Principal = admin) {
      const { id } = await runtime.start(by, { agent: 'payer', input: 'Pay.' }, context)
      const run = await runtime.wait(tenantId, id, 10_000)
      assert.equal(run.state, 'waiting', JSON.stringify(run.error))
      const { items } = await approvals.list(tenantId, { limit: 10, runId: id })
      return items.toSorted((a, b) => a.step - b.step)
    },
    /** The run's end. */
    async ended(id: RunId) {
      for (;;) {
        const run = await runtime.wait(tenantId, id, 10_000)
        assert.notEqual(run.state, 'running')
        if (run.state !== 'waiting') return run
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    approve: (by: Principal, { id }: Pick<Approval, 'id'>) =>
      approvals.decide(by, id, { outcome: 'approve' }, context),
    decline: (by: Principal, { id }: Pick<Approval, 'id'>): Promise<ApprovalDetail> =>
      approvals.decide(by, id, { outcome: 'decline' }, context),
  }
}

/** A run that nobody drives, whose node asks: as the step and the question are written together. */
export async function askNode(
  db: Database,
  by: Principal,
  runId: RunId,
  question: { seq: number; path: string; input: Json; policy?: ApprovalPolicy; at?: number },
): Promise<Requested> {
  const { seq, path, input, at = Date.now() } = question
  return db.tenant(by.tenantId).write(async (tx) => {
    await tx.run(insertStep, {
      runId,
      seq,
      kind: 'approval',
      name: path,
      path,
      state: 'waiting',
      waitingReason: 'approval',
      dueAt: null,
      attempt: 1,
      callId: null,
      parentStep: null,
      effect: null,
      idempotencyKey: null,
      input: JSON.stringify(input),
      inputHash: null,
      output: null,
      outputHash: null,
      errorCode: null,
      errorMessage: null,
      childRunId: null,
      startedAt: at,
      finishedAt: null,
    })
    return requestApproval(tx, {
      runId,
      step: seq,
      kind: 'node',
      subject: path,
      arguments: input,
      policy: question.policy,
      requestedBy: by.userId,
      actor: 'test',
      at,
    })
  })
}

export function refused(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  return assert.rejects(work, (error) => {
    assert.ok(isAppError(error, code), `${code} was expected: ${error}`)
    return true
  })
}
