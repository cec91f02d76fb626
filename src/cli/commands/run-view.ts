// A run as a command shows it.

import type { Run } from '../../contract/run.ts'
import { costText, counted } from '../output/cost-text.ts'
import { showBlock, showDetails } from '../output/details.ts'
import { visible } from '../output/escape.ts'
import { outputText, runSummary, shortInput } from '../output/run-text.ts'
import { fullTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'

/** A run with its answer. */
export function showRun(session: Session, found: Run): void {
  const { out } = session
  const now = session.now()
  const definition = found.agent ?? found.workflow
  showDetails(out, [
    ['id', found.id],
    [found.kind, definition === null ? undefined : `${definition.name}, version ${definition.version}`],
    ['state', found.waitingReason === null ? found.state : `${found.state} (${found.waitingReason})`],
    ['error', found.error === null ? undefined : `${found.error.message} (${found.error.code})`],
    [
      'blocked by',
      found.blockedBy === null ? undefined : `${found.blockedBy.message} (${found.blockedBy.code})`,
    ],
    ['project', found.projectId ?? undefined],
    ['session', found.sessionId ?? undefined],
    ['parent', found.parentRunId ?? undefined],
    [
      'replay of',
      found.replayOf === null
        ? undefined
        : `${found.replayOf}${found.replayFrom === null ? '' : `, from step ${found.replayFrom}`}`,
    ],
    ['redrive of', found.redriveOf ?? undefined],
    ['job', found.jobId],
    ['steps', `${counted(found.stepCount, 'step')}, ${counted(found.toolCallCount, 'tool call')}`],
    ['tokens', `${found.usage.inputTokens} in, ${found.usage.outputTokens} out`],
    ['cost', costText(found.costUsd, found.unpricedCalls)],
    ['trace', found.traceId ?? undefined],
    ['by', found.createdBy],
    ['created', fullTime(found.createdAt, now)],
    ['started', fullTime(found.startedAt, now)],
    ['finished', fullTime(found.finishedAt, now)],
  ])
  showBlock(out, 'input', shortInput(found))
  if (found.output !== null) showBlock(out, 'output', outputText(found))
}

/** What became of a run, on standard error. */
export function noteSummary(session: Session, found: Run): void {
  session.note(session.err.paint('dim', visible(runSummary(found))))
}
