// What expressions know of the run. A run that goes on from another's record decides as that one did, so it knows of it
// what the other knew.

import type { RunId } from '../../base/ids.ts'
import type { JsonObject } from '../../base/json.ts'
import type { RUN_FACTS } from '../../contract/workflow.ts'
import type { TenantDatabase, TenantReader } from '../../storage/database.ts'
import { type RunRow, runById } from '../journal/run-store.ts'
import { replayChangesOf } from '../replay/replay-changes.ts'

type RunFacts = JsonObject & Readonly<Record<(typeof RUN_FACTS)[number], string | number>>

/** The same in every drive of the run. */
export async function runFacts(db: TenantDatabase, run: RunRow): Promise<RunFacts> {
  const first = goesOnFrom(run) === null ? run : await db.read((reader) => firstOf(reader, run))
  return {
    id: first.id,
    started_at: new Date(first.startedAt ?? first.createdAt).toISOString(),
    workflow: run.definitionName,
    version: run.definitionVersion,
  }
}

async function firstOf(reader: TenantReader, run: RunRow): Promise<RunRow> {
  let first = run
  for (let next = goesOnFrom(first); next !== null; next = goesOnFrom(first)) {
    const row = await reader.first(runById, { id: next })
    if (row === undefined) return first
    first = row
  }
  return first
}

/** The run whose record answers for this one. A replay that does all anew with real calls is a run of its own. */
function goesOnFrom(run: RunRow): RunId | null {
  if (run.redriveOf !== null) return run.redriveOf
  const changes = replayChangesOf(run)
  if (changes === undefined || changes.counterpart === 'none') return null
  return changes.tools === 'recorded' || run.replayFrom !== null ? run.replayOf : null
}
