// A fact of a run that is appended outside the journal's own numbering: it takes the run's next place.

import { AppError } from '../../base/errors.ts'
import type { RunId } from '../../base/ids.ts'
import { appendRunEvent, type NewRunEvent } from '../../events/append.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { countEvent } from '../journal/run-store.ts'

/** Also within a journal's batch: its own events are numbered before its writes run. */
export async function appendFact(
  tx: TenantTransaction,
  fact: Omit<NewRunEvent, 'runSeq' | 'runId'> & { readonly runId: RunId },
): Promise<void> {
  const counted = await tx.first(countEvent, { id: fact.runId })
  if (counted === undefined) throw new AppError('run.finished', `The run "${fact.runId}" has ended.`)
  await appendRunEvent(tx, { ...fact, runSeq: counted.eventCount })
}
