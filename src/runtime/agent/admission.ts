// Money is set aside before a step that costs, in a transaction of the run's journal: the intent of a model call, or what
// precedes the call of a tool that has a price. Where no budget applies, that is one read.

import type { ErrorCode } from '../../base/errors.ts'
import type { Nanos } from '../../base/money.ts'
import { formatUsd } from '../../base/money.ts'
import type { EpochMs } from '../../base/time.ts'
import { formatTime } from '../../base/time.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { appendFact } from '../approvals/run-fact.ts'
import { openBudgetWait } from '../budget-waits.ts'
import { holdOwner, type Reserved } from '../budgets.ts'
import { dimensionsOf } from '../dimensions.ts'
import type { JournalEvent } from '../journal/journal.ts'
import { waitForBudget } from '../journal/step-store.ts'
import { giveBackAside, setAside, settle } from './allowance.ts'
import type { DrivenRun } from './context.ts'
import type { ToolBinding } from './tool-binding.ts'
import type { CallEnd } from './tool-call.ts'

/** After a step's own time: that long a worker may be gone before what it set aside counts as spent. */
const HOLD_GRACE_MS = 900_000

/** A step waits until a budget has room: the run lets go of its worker. */
export class BudgetWait extends Error {
  override readonly name = 'BudgetWait'
}

export interface Spending {
  readonly step: number
  readonly worstNanos: Nanos | undefined
  readonly estimateNanos: Nanos
  readonly at: EpochMs
  /** How long the step may take. */
  readonly lastsMs: number
}

/** Sets money aside for a step. Where it has to wait, that is on record as well; its row is the caller's to write. */
export async function reserveFor(
  { deps, run }: Pick<DrivenRun, 'deps' | 'run'>,
  tx: TenantTransaction,
  { step, worstNanos, estimateNanos, at, lastsMs }: Spending,
): Promise<Reserved> {
  const reserved = await deps.budgets.reserve(tx, {
    owner: holdOwner(run.id, step),
    of: dimensionsOf(run),
    rootRunId: run.rootRunId,
    worstNanos,
    estimateNanos,
    at,
    expiresAt: at + lastsMs + HOLD_GRACE_MS,
  })
  if (reserved.outcome !== 'wait') return reserved
  const { budgetId, neededNanos, againAt = null } = reserved
  await openBudgetWait(tx, { runId: run.id, step, budgetId, neededNanos, againAt, createdAt: at })
  return reserved
}

/** What is told of money that was not to be had. */
export function unmetEvent(
  step: number,
  reserved: Extract<Reserved, { outcome: 'refused' | 'wait' }>,
): JournalEvent {
  const { budgetId, message } = reserved
  const data = { step, budget_id: budgetId, message }
  if (reserved.outcome === 'refused')
    return { type: 'budget.refused', data: { ...data, code: reserved.code } }
  const { neededNanos, againAt } = reserved
  const again = againAt === undefined ? null : formatTime(againAt)
  return { type: 'budget.waiting', data: { ...data, needed_usd: formatUsd(neededNanos), again_at: again } }
}

/** What a call of a tool costs, and whether money is set aside for it. */
export interface Paid {
  readonly costNanos: Nanos | undefined
  readonly held: boolean
}

export type ToolAdmission =
  | { readonly status: 'admitted'; readonly paid: Paid }
  | { readonly status: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly status: 'waiting' }

/** Sets the price of a tool aside before the intended step calls it. A tool without a price is free to call. */
export async function admitTool(ctx: DrivenRun, step: number, tool: ToolBinding): Promise<ToolAdmission> {
  const { deps, run, journal, tenantId } = ctx
  const at = deps.clock()
  const costNanos = isReal(tool) ? (await deps.metering.prices(tenantId)).toolPrice(tool.name, at) : undefined
  if (costNanos === undefined) return { status: 'admitted', paid: { costNanos, held: false } }
  const owner = holdOwner(run.id, step)
  const ask = { owner, what: `a call of ${tool.name}`, wantedNanos: costNanos, leastNanos: costNanos }
  const granted = await setAside(ctx.allowance, ask, ctx.interruption)
  if (granted.outcome === 'refused') {
    const { code, message } = granted.error
    return { status: 'failed', code, message }
  }
  const amounts = { worstNanos: costNanos, estimateNanos: costNanos }
  const lastsMs = tool.timeoutMs * tool.maxAttempts
  let reserved: Reserved = { outcome: 'free' }
  journal.decide(async (tx) => {
    reserved = await reserveFor(ctx, tx, { step, ...amounts, at, lastsMs })
    if (reserved.outcome === 'wait') await tx.run(waitForBudget, { runId: run.id, seq: step })
    if (reserved.outcome === 'wait' || reserved.outcome === 'refused')
      await appendFact(tx, { runId: run.id, actor: deps.worker, at, ...unmetEvent(step, reserved) })
  })
  try {
    await journal.flush()
  } catch (error) {
    giveBackAside(ctx.allowance, owner)
    throw error
  }
  const found = reserved as Reserved
  if (found.outcome === 'wait' || found.outcome === 'refused') giveBackAside(ctx.allowance, owner)
  if (found.outcome === 'wait') return { status: 'waiting' }
  if (found.outcome === 'refused') return { status: 'failed', code: found.code, message: found.message }
  return { status: 'admitted', paid: { costNanos, held: found.outcome === 'held' } }
}

/**
 * Gathers what a call that was made is on record as, with its result: usage, its cost, and the budgets' due. One of which
 * nobody knows the end counts as made; one that was stopped is on record with what stopped it.
 */
export function meterTool(
  ctx: DrivenRun,
  { step, fact }: { readonly step: number; readonly fact: string },
  tool: ToolBinding,
  { costNanos, held }: Paid,
  end: CallEnd,
): void {
  if (!isReal(tool)) return
  const { deps, run } = ctx
  if (costNanos !== undefined) settle(ctx.allowance, holdOwner(run.id, step), costNanos)
  if (end.status === 'stopped') return
  const at = deps.clock()
  ctx.journal.add(async (tx) => {
    const replay = run.replayOf !== null
    const of = dimensionsOf(run)
    const called = { runId: run.id, of, replay, fact, tool: tool.name, costNanos, at }
    const isNew = await deps.metering.toolCalled(tx, called)
    if (!held) return
    const owner = holdOwner(run.id, step)
    // A dead run's record has it already, where this one goes on for it.
    if (isNew) await deps.budgets.settle(tx, owner, costNanos, at)
    else await deps.budgets.release(tx, owner, at)
  })
}

/** A replay's tool that answers from the record is not called. */
function isReal({ fromRecord }: ToolBinding): boolean {
  return fromRecord !== true
}
