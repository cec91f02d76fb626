// Runs below a replay: each replays the run that the recorded call made, or nothing where the record has none.

import type { TenantReader } from '../../storage/database.ts'
import { type NewRun, type RunRow, runById } from '../journal/run-store.ts'
import { recordedCall } from './recorded-calls.ts'
import { type ReplayChanges, replayChangesOf } from './replay-changes.ts'

export type ReplayFields = Pick<NewRun, 'replayOf' | 'replayFrom' | 'replayChanges'>

const NO_REPLAY: ReplayFields = { replayOf: null, replayFrom: null, replayChanges: null }

/**
 * What a run that a step of `run` starts says of its own replay, and the run that it replays. Its pins are those of its
 * counterpart where that ran the same version.
 */
export async function replayBelow(
  reader: TenantReader,
  run: Pick<RunRow, 'id' | 'replayOf' | 'replayChanges'>,
  step: number,
): Promise<{ readonly fields: ReplayFields; readonly counterpart: RunRow | undefined }> {
  const changes = replayChangesOf(run)
  if (changes === undefined) return { fields: NO_REPLAY, counterpart: undefined }
  const id = (await recordedCall(reader, run, step))?.childRunId
  const counterpart = id == null ? undefined : await reader.first(runById, { id })
  const { tools } = changes
  const own: ReplayChanges = counterpart === undefined ? { tools, counterpart: 'none' } : { tools }
  return {
    fields: {
      replayOf: counterpart?.id ?? run.replayOf,
      replayFrom: null,
      replayChanges: JSON.stringify(own),
    },
    counterpart,
  }
}
