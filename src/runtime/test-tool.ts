// Runs a tool outside a run, for whoever writes it: the same binding, checks and limits, no journal.

import { AppError } from '../base/errors.ts'
import { newId } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import type { Clock } from '../base/time.ts'
import { actorOf, type Principal } from '../contract/principal.ts'
import { appendAudit } from '../events/append.ts'
import type { Database } from '../storage/database.ts'
import { timed } from './agent/interruption.ts'
import type { Planner } from './agent/plan.ts'
import { checkToolOutput, oneLine } from './agent/tool-output.ts'
import type { StartContext } from './runtime.ts'

export interface TestToolDeps {
  readonly db: Database
  readonly clock: Clock
  readonly planner: Planner
}

/** The tool's answer. Throws `tool.not-found`, `tool.input-invalid`, or what the tool failed with. Recorded before it is called. */
export async function testTool(
  deps: TestToolDeps,
  principal: Principal,
  name: string,
  input: Json,
  context: StartContext,
): Promise<Json> {
  const { tenantId } = principal
  const tool = await deps.planner.tool(tenantId, name)
  const wrong = tool.checkInput(input)
  if (wrong.length > 0)
    throw new AppError('tool.input-invalid', `The input does not fit the tool "${name}".`, { errors: wrong })
  const at = deps.clock()
  const runId = newId('run', at)
  await deps.db.tenant(tenantId).write((tx) =>
    appendAudit(tx, {
      type: 'tool.tested',
      actor: actorOf(principal),
      subject: name,
      data: { tool: name, effect: tool.effect },
      requestId: context.requestId,
      at,
    }),
  )
  const result = await timed(tool.timeoutMs, new AbortController().signal, (signal) =>
    tool.call(input, { tenantId, runId, idempotencyKey: `${runId}:1`, signal, nowMs: at }),
  )
  switch (result.status) {
    case 'done': {
      const end = checkToolOutput(tool, result.value)
      if (end.status === 'failed') throw new AppError(end.code, end.message)
      return end.output
    }
    case 'threw':
      if (result.error instanceof AppError) throw result.error
      throw new AppError('tool.failed', `The tool "${name}" failed: ${oneLine(result.error)}`)
    default:
      throw new AppError('tool.timeout', `The tool "${name}" did not answer within ${tool.timeoutMs} ms.`)
  }
}
