// What a run that replays another says of itself, in `runs.replayChanges`.

import type { RunRow } from '../journal/run-store.ts'

/**
 * `recorded`: tool calls are answered from the record and nothing with an effect is done; `live`: they are made.
 * A run below a replay that has no counterpart in the record says so; its `replayOf` is the run that its caller replays.
 */
export interface ReplayChanges {
  readonly tools: 'recorded' | 'live'
  readonly model?: string | undefined
  readonly instructions?: string | undefined
  /** The number of another version of the same definition. */
  readonly version?: number | undefined
  /** The input is another one. */
  readonly input?: true | undefined
  readonly counterpart?: 'none' | undefined
}

/** Undefined where the run replays nothing. */
export function replayChangesOf(run: Pick<RunRow, 'replayOf' | 'replayChanges'>): ReplayChanges | undefined {
  if (run.replayOf === null) return undefined
  return run.replayChanges === null ? { tools: 'recorded' } : (JSON.parse(run.replayChanges) as ReplayChanges)
}
