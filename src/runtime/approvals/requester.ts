// Who started a run. In the name of a trigger's owner somebody else may have: who sent the event that set it off.

import type { AppError } from '../../base/errors.ts'
import type { RunId } from '../../base/ids.ts'
import { isJsonObject, type Json } from '../../base/json.ts'
import type { TenantReader } from '../../storage/database.ts'
import { type Bind, statement } from '../../storage/statement.ts'
import { runById } from '../journal/run-store.ts'
import type { ApprovalRow } from './approval-store.ts'
import { type Answerer, refusalOf, startedIt, userOf } from './may-answer.ts'

/** The user whose doing the run is: who sent its event, else in whose name it runs. */
export async function requesterOf(reader: TenantReader, runId: RunId, createdBy: string): Promise<string> {
  const run = await reader.first(runById, { id: runId })
  let root = run && (await reader.first(runById, { id: run.rootRunId }))
  // What was taken up again was begun by whoever began the first one.
  while (root?.redriveOf) root = await reader.first(runById, { id: root.redriveOf })
  if (root === undefined || root.triggerId === null) return userOf(reader, createdBy)
  const begun = await reader.first(firstEvent, { runId: root.id })
  const data = begun === undefined ? null : (JSON.parse(begun.data) as Json)
  const sender = isJsonObject(data) ? data.set_off_by : undefined
  return userOf(reader, typeof sender === 'string' ? sender : createdBy)
}

/** `refusalOf`, and where who started the run may not answer, also for in whose name it runs. */
export async function refusalIn(
  reader: TenantReader,
  approval: ApprovalRow,
  answerer: Answerer,
): Promise<AppError | undefined> {
  const refusal = refusalOf(approval, answerer)
  if (refusal !== undefined || approval.excludeRequester !== 1) return refusal
  const run = await reader.first(runById, { id: approval.runId })
  if (run === undefined || (await userOf(reader, run.createdBy)) !== answerer.userId) return undefined
  return startedIt()
}

const firstEvent = statement('approvals.run-begun', (db, p: Bind<{ runId: RunId }>) =>
  db
    .selectFrom('events')
    .select('data')
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('runSeq', '=', 1),
)
