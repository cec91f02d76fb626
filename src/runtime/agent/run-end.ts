// What the end of a run is on record as, beside its state: its usage, and what its time cost. What it left open that may
// have cost something is counted, and what was set aside for it is settled.

import type { RunId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import type { Bind } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'
import { type Budgets, holdOwner } from '../budgets.ts'
import { dimensionsOf } from '../dimensions.ts'
import type { RunRow } from '../journal/run-store.ts'
import { type Metering, type RunPrices, toolFact } from '../metering.ts'
import { replayChangesOf } from '../replay/replay-changes.ts'

export interface Accounts {
  readonly metering: Metering
  readonly budgets: Budgets
  readonly prices: RunPrices
}

/** In the transaction that ends a run. One that never began is nobody's usage. */
export async function accountForRun(
  tx: TenantTransaction,
  { metering, budgets, prices }: Accounts,
  run: RunRow,
  at: EpochMs,
): Promise<void> {
  if (run.startedAt === null) return
  const of = dimensionsOf(run)
  const compute = await computeOf(tx, prices, run, at)
  const { id, kind } = run
  await metering.runEnded(tx, { runId: id, kind, of, replay: run.replayOf !== null, compute, at })
  if (compute !== undefined && compute.costNanos > 0n)
    await budgets.charge(tx, of, run.rootRunId, compute.costNanos, at)
}

export interface OpenTool {
  readonly step: number
  /** `toolFact` of the call. */
  readonly fact: string
  readonly tool: string
  readonly made: boolean
}

/** A tool step that was open when its run ended. */
export function openTool(row: {
  readonly seq: number
  readonly name: string
  readonly state: string
  readonly attempt: number
  readonly idempotencyKey: string | null
}): OpenTool {
  const { seq, name, state, attempt, idempotencyKey } = row
  return { step: seq, fact: toolFact(idempotencyKey ?? '', attempt), tool: name, made: state === 'intended' }
}

/** A call that was intended when its run, or its part of it, was given up: it may have been made, and counts as such. */
export async function accountForTool(
  tx: TenantTransaction,
  { metering, budgets, prices }: Accounts,
  run: RunRow,
  { step, fact, tool, made }: OpenTool,
  at: EpochMs,
): Promise<void> {
  if (replayChangesOf(run)?.tools === 'recorded') return
  const costNanos = prices.toolPrice(tool, at)
  const owner = holdOwner(run.id, step)
  if (!made) {
    if (costNanos !== undefined) await budgets.release(tx, owner, at)
    return
  }
  const replay = run.replayOf !== null
  const called = { runId: run.id, of: dimensionsOf(run), replay, fact, tool, costNanos, at }
  const isNew = await metering.toolCalled(tx, called)
  if (costNanos === undefined) return
  if (isNew) await budgets.settle(tx, owner, costNanos, at)
  else await budgets.release(tx, owner, at)
}

/**
 * Where the time of runs has a price: how long one was driven, as its events say, and what that costs. Runs below another
 * are driven in its time, so that it counts for the one at the top alone.
 */
async function computeOf(
  tx: TenantTransaction,
  prices: RunPrices,
  run: RunRow,
  at: EpochMs,
): Promise<{ readonly activeMs: number; readonly costNanos: bigint } | undefined> {
  if (run.parentRunId !== null || prices.computeCost(0, at) === undefined) return undefined
  const activeMs = activeTime(await tx.all(turnsOfRun, { runId: run.id }), at)
  const costNanos = prices.computeCost(activeMs, at)
  return costNanos === undefined ? undefined : { activeMs, costNanos }
}

interface Turn {
  readonly type: string
  readonly occurredAt: EpochMs
}

/** From each start or resumption until the run waits, is set aside, or ends; a crash counts until it is taken up again. */
export function activeTime(turns: readonly Turn[], endsAt: EpochMs): number {
  let sum = 0
  let since: EpochMs | undefined
  for (const { type, occurredAt } of turns) {
    const works = type === 'run.started' || type === 'run.resumed'
    if (works) since ??= occurredAt
    else if (since !== undefined) {
      sum += Math.max(0, occurredAt - since)
      since = undefined
    }
  }
  return since === undefined ? sum : sum + Math.max(0, endsAt - since)
}

const turnsOfRun = statement('runs.turns', (db, p: Bind<{ runId: RunId }>) =>
  db
    .selectFrom('events')
    .select(['type', 'occurredAt'])
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('type', 'in', ['run.started', 'run.resumed', 'run.waiting', 'run.unroutable'])
    .orderBy('runSeq'),
)
