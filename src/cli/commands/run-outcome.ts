// How a run that did not complete becomes the failure of a command.

import { ERROR_CODES, type ErrorCode } from '../../base/errors.ts'
import { statusByCode } from '../../contract/problem.ts'
import { type Run, TERMINAL_STATES } from '../../contract/run.ts'
import { CliFailure, type FailureKind } from '../cli-failure.ts'

/** Throws where the run has not completed: with its own error, or with how it is. */
export function failUnlessCompleted(run: Run): void {
  if (run.state === 'completed') return
  if (run.state === 'waiting' && run.waitingReason === 'budget')
    throw new CliFailure(
      'budget',
      `The run ${run.id} waits: ${run.blockedBy?.message ?? 'a money limit was reached.'}`,
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
