// What a session had said before the run that is replayed: a replay begins with the same words, and touches no session.

import type { Message } from '../../contract/message.ts'
import type { TenantReader } from '../../storage/database.ts'
import { readMessages } from '../agent/message-log.ts'
import { firstAnswer } from '../journal/message-store.ts'
import { type RunRow, runById } from '../journal/run-store.ts'
import { replayChangesOf } from './replay-changes.ts'

/** The messages before the user's own text in the run that is replayed. */
export async function recordedHistory(reader: TenantReader, run: RunRow): Promise<readonly Message[]> {
  const { replayOf } = run
  if (replayOf === null || replayChangesOf(run)?.counterpart === 'none') return []
  const recorded = await reader.first(runById, { id: replayOf })
  const answer = await reader.first(firstAnswer, { runId: replayOf })
  const until = answer === undefined ? (recorded?.messageCount ?? 0) : answer.seq - 1
  // None of them carries the results of a step: no model had been asked.
  const said = await readMessages(reader, replayOf, until, async () => undefined)
  return said?.slice(0, -1) ?? []
}
