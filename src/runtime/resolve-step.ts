// A person answers a waiting step: lets a call go ahead or not, or says what became of one in doubt.

import { AppError } from '../base/errors.ts'
import type { RunId, TenantId } from '../base/ids.ts'
import { withoutNul } from '../base/json.ts'
import { TOOL_OUTPUT_BYTES_MAX } from '../base/limits.ts'
import type { Clock, EpochMs } from '../base/time.ts'
import { actorOf, type Principal } from '../contract/principal.ts'
import type { Database, TenantTransaction } from '../storage/database.ts'
import type { CapturePolicy } from './agent/context.ts'
import { approvalOfStep } from './approvals/approval-store.ts'
import { answerApproval, answerOf } from './approvals/decide.ts'
import { appendFact } from './approvals/run-fact.ts'
import { placeText, putBody } from './journal/message-store.ts'
import { type RunRow, runById } from './journal/run-store.ts'
import { answerStep, type StepEnd, type StepRow, stepBySeq } from './journal/step-store.ts'
import { isTerminal } from './run-state.ts'
import type { Resolution, StartContext } from './runtime.ts'
import { lockTree, wakeTree } from './wake-tree.ts'

export interface ResolveStepDeps {
  readonly db: Database
  readonly clock: Clock
  readonly capturePolicy: (tenantId: TenantId) => Promise<CapturePolicy>
  readonly woken: () => void
  readonly written: (runId: RunId) => void
}

/**
 * One of two answers at the same moment wins; the other is refused with `run.state-conflict`. To approve or decline is a
 * vote, by the rules of the step's approval: who may, how many, by when.
 */
export async function resolveStep(
  deps: ResolveStepDeps,
  principal: Principal,
  runId: RunId,
  seq: number,
  resolution: Resolution,
  context: StartContext,
): Promise<RunRow> {
  const at = deps.clock()
  const capture = await deps.capturePolicy(principal.tenantId)
  const row = await deps.db.tenant(principal.tenantId).write(async (tx) => {
    const tree = await lockTree(tx, runId)
    const run = tree.at(-1)
    if (run === undefined) throw new AppError('run.not-found', `There is no run "${runId}".`)
    if (isTerminal(run.state))
      throw new AppError('run.finished', `The run "${runId}" has ended: ${run.state}.`)
    const step = await tx.first(stepBySeq, { runId, seq })
    if (step === undefined) throw new AppError('step.not-found', `The run "${runId}" has no step ${seq}.`)
    const expected = REASON[resolution.outcome]
    if (step.state !== 'waiting' || step.waitingReason !== expected) throw conflict(step, resolution)
    const { outcome } = resolution
    const approval =
      expected === 'approval' ? await tx.first(approvalOfStep, { runId, step: seq }) : undefined
    if (approval !== undefined && (outcome === 'approve' || outcome === 'decline')) {
      const reason = outcome === 'decline' ? resolution.reason : undefined
      const answer = answerOf(principal, { outcome, reason }, { requestId: context.requestId })
      await answerApproval(tx, tree, approval, { ...answer, at })
    } else {
      const ended = await endOf(tx, resolution, capture, at)
      if ((await tx.run(answerStep, { ...ended, runId, seq, at, expected })) !== 1)
        throw conflict(step, resolution)
      await tell(tx, principal, step, resolution, context, at)
      await wakeTree(tx, tree, at)
    }
    await context.inTransaction?.(tx, runId)
    return tx.first(runById, { id: runId })
  })
  if (row === undefined) throw new AppError('run.not-found', `There is no run "${runId}".`)
  deps.written(runId)
  deps.woken()
  return row
}

async function tell(
  tx: TenantTransaction,
  principal: Principal,
  step: StepRow,
  resolution: Resolution,
  { requestId }: StartContext,
  at: EpochMs,
): Promise<void> {
  const said = 'reason' in resolution ? { reason: resolution.reason ?? null } : {}
  await appendFact(tx, {
    type: 'step.resolved',
    runId: step.runId,
    actor: actorOf(principal),
    requestId,
    data: { step: step.seq, tool: step.name, outcome: resolution.outcome, ...said },
    at,
  })
}

const REASON: Readonly<Record<Resolution['outcome'], NonNullable<StepRow['waitingReason']>>> = {
  approve: 'approval',
  decline: 'approval',
  succeeded: 'in_doubt',
  failed: 'in_doubt',
  retry: 'in_doubt',
}

async function endOf(
  tx: TenantTransaction,
  resolution: Resolution,
  capture: CapturePolicy,
  at: EpochMs,
): Promise<Omit<StepEnd, 'runId' | 'seq' | 'at' | 'waitingReason'> & { waitingReason: null }> {
  const nothing = { output: null, outputHash: null, errorCode: null, errorMessage: null, waitingReason: null }
  switch (resolution.outcome) {
    case 'approve':
    case 'retry':
      return { ...nothing, state: 'approved' }
    case 'decline':
      return {
        ...nothing,
        state: 'failed',
        errorCode: 'tool.declined',
        errorMessage: said('A person declined this call', resolution.reason),
      }
    case 'failed':
      return {
        ...nothing,
        state: 'failed',
        errorCode: 'tool.failed',
        errorMessage: said('A person found that this call failed', resolution.reason),
      }
    case 'succeeded': {
      const text = JSON.stringify(resolution.output)
      if (Buffer.byteLength(text) > TOOL_OUTPUT_BYTES_MAX) {
        throw new AppError(
          'request.too-large',
          `The output has more than ${TOOL_OUTPUT_BYTES_MAX} bytes of JSON.`,
        )
      }
      // Under a policy that keeps less, it lies where the policy finds it at the end.
      const { inline, hash } = capture === 'full' ? placeText(text) : { inline: text, hash: null }
      if (hash !== null) await putBody(tx, hash, text, at)
      return { ...nothing, state: 'done', output: inline, outputHash: hash }
    }
    default:
      return resolution satisfies never
  }
}

function said(what: string, reason: string | undefined): string {
  return reason === undefined || reason === '' ? `${what}.` : `${what}: ${withoutNul(reason)}`
}

function conflict(step: StepRow, resolution: Resolution): AppError {
  if (step.state !== 'waiting') {
    return new AppError(
      'run.state-conflict',
      `Step ${step.seq} does not wait for an answer: it is ${step.state}.`,
    )
  }
  const allowed = Object.entries(REASON).filter(([, reason]) => reason === step.waitingReason)
  const names = allowed.map(([outcome]) => outcome).join(', ')
  return new AppError(
    'run.state-conflict',
    `Step ${step.seq} waits (${step.waitingReason ?? ''}): "${resolution.outcome}" does not answer it; ${names} do.`,
  )
}
