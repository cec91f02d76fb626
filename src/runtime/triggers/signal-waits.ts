// A step begins to wait for a named event, and stops waiting. An event that came earlier in the run is not lost.

import type { RunId, SignalId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import {
  deleteWait,
  insertWait,
  lockTopic,
  type SignalTopic,
  signalById,
  topicKey,
  untakenSignal,
  waitByStep,
} from './signal-store.ts'

export interface SignalWait extends SignalTopic {
  readonly runId: RunId
  readonly step: number
  /** Events from this moment on count: the beginning of the run. */
  readonly since: EpochMs
  readonly at: EpochMs
}

export interface TakenSignal {
  readonly signalId: SignalId
  readonly data: Json
}

/**
 * Call it in the transaction that makes the step wait (`waiting`, reason `event`). Answers an event that has come and
 * that no other wait of this run has: the step is then done with its data, and the caller says so. Otherwise the wait is on
 * record: the event, when it comes, ends the step and wakes the run. Asked again for the same step, it answers the same.
 */
export async function openSignalWait(
  tx: TenantTransaction,
  wait: SignalWait,
): Promise<TakenSignal | undefined> {
  const { runId, step, name, correlation, at } = wait
  await tx.first(lockTopic, { key: topicKey(tx.tenantId, wait) })
  const known = await tx.first(waitByStep, { runId, step })
  if (known !== undefined) return known.signalId === null ? undefined : signalOf(tx, known.signalId)
  const found = await tx.first(untakenSignal, { runId, name, correlation, since: wait.since })
  const state = found === undefined ? 'open' : 'taken'
  const signalId = found?.id ?? null
  await tx.run(insertWait, { runId, step, name, correlation, state, signalId, createdAt: at })
  return found === undefined ? undefined : { signalId: found.id, data: JSON.parse(found.data) as Json }
}

/** The step no longer waits (its time was over, its branch was left). An event that was on its way may be taken by another. */
export async function closeSignalWait(
  tx: TenantTransaction,
  wait: { readonly runId: RunId; readonly step: number },
): Promise<void> {
  await tx.run(deleteWait, { runId: wait.runId, step: wait.step })
}

async function signalOf(tx: TenantTransaction, signalId: SignalId): Promise<TakenSignal | undefined> {
  const row = await tx.first(signalById, { id: signalId })
  return row === undefined ? undefined : { signalId, data: JSON.parse(row.data) as Json }
}
