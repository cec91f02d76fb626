// The one place where a replay changes tools: each is answered from the record, so that nothing with an effect is done.

import type { ErrorCode } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import type { TenantDatabase } from '../../storage/database.ts'
import { RecordedFailure, type ToolBinding, type ToolCallContext } from '../agent/tool-binding.ts'
import { checkToolOutput } from '../agent/tool-output.ts'
import { readText } from '../journal/message-store.ts'
import type { RunRow } from '../journal/run-store.ts'
import type { StepRow } from '../journal/step-store.ts'
import { recordedCall } from './recorded-calls.ts'
import { replayChangesOf } from './replay-changes.ts'

/**
 * The tool as the run may use it. A run that replays another with recorded tools gets one that reads the record: its
 * effect is `read`, whatever the tool's is, and nobody is asked to approve it. Any other run gets the tool itself.
 */
export function toolForRun(db: TenantDatabase, run: RunRow, tool: ToolBinding): ToolBinding {
  if (replayChangesOf(run)?.tools !== 'recorded') return tool
  return {
    ...tool,
    effect: 'read',
    fromRecord: true,
    approval: 'never',
    maxAttempts: 1,
    reconcile: undefined,
    // What is on record was checked when it was made, or a person vouched for it.
    checkOutput: () => [],
    call: (input, context) => answer(db, run, tool, input, context),
  }
}

async function answer(
  db: TenantDatabase,
  run: RunRow,
  tool: ToolBinding,
  input: Json,
  context: ToolCallContext,
): Promise<Json> {
  const { step } = context
  const found =
    step === undefined
      ? undefined
      : await db.read(async (reader) => {
          const recorded = await recordedCall(reader, run, step)
          if (recorded?.state !== 'done') return { recorded, output: null }
          const { output, outputHash } = recorded
          return { recorded, output: await readText(reader, { inline: output, hash: outputHash }) }
        })
  const recorded = found?.recorded
  if (recorded?.state === 'done') return JSON.parse(found?.output ?? 'null') as Json
  if (recorded?.state === 'failed') throw failureOf(recorded)
  if (tool.effect === 'read') return live(tool, input, context)
  const why =
    recorded === undefined
      ? 'the run that is replayed made no such call'
      : 'the call has no result in the run that is replayed'
  throw new RecordedFailure(
    'tool.failed',
    `This run replays another one, and ${why}. "${tool.name}" was not called: a replay does nothing that has an effect.`,
  )
}

function failureOf(step: StepRow): RecordedFailure {
  const code = (step.errorCode ?? 'tool.failed') as ErrorCode
  const message = step.errorMessage ?? 'The call failed.'
  // A node's failure names the node, and will again.
  const named = `Node "${step.path ?? ''}": `
  return new RecordedFailure(code, message.startsWith(named) ? message.slice(named.length) : message)
}

/** A call that only reads, and that the record does not have. */
async function live(tool: ToolBinding, input: Json, context: ToolCallContext): Promise<Json> {
  const end = checkToolOutput(tool, await tool.call(input, context))
  if (end.status === 'failed') throw new RecordedFailure(end.code, end.message)
  return end.output
}
