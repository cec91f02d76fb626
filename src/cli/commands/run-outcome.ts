// How a run that did not complete becomes the failure of a command.

import { ERROR_CODES, type ErrorCode } from '../../base/errors.ts'
import { statusByCode } from '../../contract/problem.ts'
import { type Run, TERMINAL_STATES } from '../../contract/run.ts'
import { CliFailure, type FailureKind } from '../cli-failure.ts'

/** Throws where the run has not completed: with its own error, or with what it waits for. */
export function failUnlessCompleted(run: Run, waitingSteps: readonly number[] = []): void {
  if (run.state === 'completed') return
  if (run.state === 'waiting') throw new CliFailure(waitingKind(run), waitingText(run, waitingSteps))
  if (run.blockedBy !== null)
    throw new CliFailure(
      'failed',
      `The run ${run.id} waits for a worker that can drive it: ${run.blockedBy.message} (${run.blockedBy.code})`,
    )
  if (!TERMINAL_STATES.has(run.state))
    throw new CliFailure(
      'failed',
      `The run ${run.id} is ${run.state}: "agent-factory run watch ${run.id}" follows it.`,
    )
  if (run.error === null) throw new CliFailure('failed', `The run ${run.id} was ${run.state}.`)
  throw new CliFailure(
    kindOf(run.error.code),
    `${run.error.message} (${run.error.code}; "agent-factory run steps ${run.id}" shows what was done)`,
  )
}

function kindOf(code: string): FailureKind {
  const known = ERROR_CODES.find((one): one is ErrorCode => one === code)
  const status = known === undefined ? 500 : statusByCode[known]
  if (status === 402) return 'budget'
  return status === 401 || status === 403 ? 'denied' : 'failed'
}

function waitingKind({ waitingReason }: Run): FailureKind {
  return waitingReason === 'budget' ? 'budget' : 'failed'
}

function waitingText(run: Run, steps: readonly number[]): string {
  const step = steps[0] ?? 'STEP'
  const answers = run.waitingReason === 'in_doubt' ? 'succeeded|failed|retry' : 'approve|decline'
  if (run.waitingReason !== 'approval' && run.waitingReason !== 'in_doubt')
    return `The run ${run.id} waits (${run.waitingReason ?? 'for no known reason'}).`
  const what = run.waitingReason === 'approval' ? 'waits for approval' : 'is in doubt about a call'
  return `The run ${run.id} ${what}: "agent-factory run resolve ${run.id} ${step} ${answers}".`
}
