// The first question to the starter agent, and its answer on the terminal with sources, steps, tokens and cost.

import { AppError } from '../../base/errors.ts'
import { formatUsd } from '../../base/money.ts'
import type { Principal } from '../../contract/principal.ts'
import type { Run } from '../../runtime/runtime.ts'
import type { App } from '../compose.ts'
import { STARTER_AGENT } from '../starter/starter.ts'
import type { Terminal } from './terminal.ts'

const FIRST_QUESTION = 'What happens to a run when the server crashes?'
/** A real model may take its time; a start must end. */
const ANSWER_MS_MAX = 180_000

/** Throws with the run's own error where it did not complete. */
export async function ask(terminal: Terminal, app: Pick<App, 'runtime'>, principal: Principal): Promise<Run> {
  const { tenantId } = principal
  let run = await app.runtime.start(
    principal,
    { agent: STARTER_AGENT, input: FIRST_QUESTION },
    { requestId: undefined },
  )
  await terminal.step('Run', async (say) => {
    say('the agent works')
    run = await app.runtime.wait(tenantId, run.id, ANSWER_MS_MAX)
    if (run.state !== 'completed') throw notCompleted(run)
    return run.id
  })
  return run
}

export function showAnswer(terminal: Terminal, run: Run): void {
  terminal.line()
  terminal.entry('Question', FIRST_QUESTION)
  terminal.line()
  terminal.entry('Answer', typeof run.output === 'string' ? run.output : JSON.stringify(run.output))
  terminal.line()
  terminal.entry('Run', summary(run))
}

/** `5 steps, 1 tool call, 812 tokens in, 64 out, $0.000123`. */
function summary(run: Run): string {
  const cost =
    run.unpricedCount > 0
      ? `at least $${formatUsd(run.costNanos)} (no price for ${run.unpricedCount} calls)`
      : `$${formatUsd(run.costNanos)}`
  const parts = [
    counted(run.stepCount, 'step'),
    counted(run.toolCallCount, 'tool call'),
    `${run.inputTokens} tokens in, ${run.outputTokens} out`,
    `cost ${cost}`,
    ...(run.finishedAt === null ? [] : [`${((run.finishedAt - run.createdAt) / 1_000).toFixed(2)} s`]),
  ]
  return parts.join(' · ')
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function notCompleted(run: Run): AppError {
  const reason =
    run.error === null
      ? `it is ${run.state} after ${ANSWER_MS_MAX / 1_000} seconds`
      : `${run.error.message.replace(/[.\s]+$/, '')} (${run.error.code})`
  const advice =
    'Check the key and the address of the model, or start with AGENT_FACTORY_MODEL=offline/extractive.'
  return new AppError('model.failed', `The guide did not answer: ${reason}. ${advice}`)
}
