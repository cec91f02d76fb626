// What an event claimed is handed on: data to the steps that waited, runs of the triggers that it set off.
// Each is claimed on record, so that whoever dies in between loses nothing, and done once.

import { AppError } from '../../base/errors.ts'
import type { RunId, TenantId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import { type EpochMs, formatTime } from '../../base/time.ts'
import { appendRunEvent } from '../../events/append.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import type { CapturePolicy } from '../agent/context.ts'
import { placeText, putBody } from '../journal/message-store.ts'
import { countEvent } from '../journal/run-store.ts'
import { answerStep } from '../journal/step-store.ts'
import { lockTree, wakeTree } from '../wake-tree.ts'
import { type FireDeps, failTick, fireTick, type Tick } from './fire.ts'
import {
  claimedWaits,
  deleteWait,
  type SignalRow,
  type SignalWaitRow,
  signalById,
  takeWait,
  waitByStep,
} from './signal-store.ts'
import { lockTrigger, pendingTicks, settleTick, type TickRow, tickOf, triggerById } from './trigger-store.ts'

export const DELIVERIES_EVERY_MS = 1_000
/** Waits and ticks that are looked at together, how many at a time, and how often in one turn: the rest is done in the next. */
const BATCH_MAX = 200
const AT_A_TIME = 10
const ROUNDS_MAX = 50

export interface DeliverDeps extends FireDeps {
  readonly capturePolicy: (tenantId: TenantId) => Promise<CapturePolicy>
  readonly woken: () => void
  readonly written: (runId: RunId) => void
}

type WaitKey = Pick<SignalWaitRow, 'tenantId' | 'runId' | 'step'>
type TickKey = Pick<TickRow, 'tenantId' | 'triggerId' | 'tick'>

/** Does what is claimed, up to `rounds` batches of it. */
export async function deliverSignals(deps: DeliverDeps, rounds: number = ROUNDS_MAX): Promise<void> {
  await inRounds(
    rounds,
    () => deps.db.system.read((reader) => reader.all(claimedWaits, { limit: BATCH_MAX })),
    (wait) =>
      guarded(deps, 'An event could not be handed on.', { run: wait.runId }, () => handOn(deps, wait)),
  )
  await inRounds(
    rounds,
    () => deps.db.system.read((reader) => reader.all(pendingTicks, { limit: BATCH_MAX })),
    (tick) =>
      guarded(deps, 'An event could not start its run.', { trigger: tick.triggerId }, () =>
        start(deps, tick),
      ),
  )
}

/** Goes on while there is a full batch and something of it was done. */
async function inRounds<T>(
  rounds: number,
  find: () => Promise<readonly T[]>,
  work: (item: T) => Promise<boolean>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const found = await find()
    let done = 0
    for (let i = 0; i < found.length; i += AT_A_TIME) {
      const results = await Promise.all(found.slice(i, i + AT_A_TIME).map(work))
      done += results.filter(Boolean).length
    }
    if (found.length < BATCH_MAX || done === 0) return
  }
}

/** One that fails keeps no other from its turn, and is tried again. */
async function guarded(
  deps: DeliverDeps,
  what: string,
  facts: Readonly<Record<string, unknown>>,
  work: () => Promise<void>,
): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    deps.observer.trouble(what, { ...facts, error })
    return false
  }
}

async function handOn(deps: DeliverDeps, { tenantId, runId, step }: WaitKey): Promise<void> {
  const at = deps.clock()
  const capture = await deps.capturePolicy(tenantId)
  const woken = await deps.db.tenant(tenantId).write(async (tx) => {
    const tree = await lockTree(tx, runId)
    const wait = await tx.first(waitByStep, { runId, step })
    if (wait?.state !== 'claimed' || wait.signalId === null) return false
    const signal = await tx.first(signalById, { id: wait.signalId })
    if (signal === undefined || !(await answer(tx, wait, signal, { capture, at }))) {
      // The run or the step has ended meanwhile: the event is another wait's, if there is one.
      await tx.run(deleteWait, { runId, step })
      return false
    }
    await tx.run(takeWait, { runId, step })
    await wakeTree(tx, tree, at)
    return true
  })
  if (!woken) return
  deps.written(runId)
  deps.woken()
}

/** Ends the step with the event's data. False where it does not wait any more. */
async function answer(
  tx: TenantTransaction,
  { runId, step }: WaitKey,
  signal: SignalRow,
  { capture, at }: { readonly capture: CapturePolicy; readonly at: EpochMs },
): Promise<boolean> {
  // Under a policy that keeps less, it lies where the policy finds it at the end.
  const { inline, hash } = capture === 'full' ? placeText(signal.data) : { inline: signal.data, hash: null }
  const answered = await tx.run(answerStep, {
    runId,
    seq: step,
    state: 'done',
    waitingReason: null,
    output: inline,
    outputHash: hash,
    errorCode: null,
    errorMessage: null,
    at,
    expected: 'event',
  })
  const counted = answered === 1 ? await tx.first(countEvent, { id: runId }) : undefined
  if (counted === undefined) return false
  if (hash !== null) await putBody(tx, hash, signal.data, at)
  await appendRunEvent(tx, {
    type: 'signal.received',
    runId,
    runSeq: counted.eventCount,
    actor: signal.createdBy,
    data: { step, signal: signal.id, name: signal.name },
    at,
  })
  return true
}

async function start(deps: DeliverDeps, { tenantId, triggerId, tick }: TickKey): Promise<void> {
  const found = await deps.db.tenant(tenantId).read(async (reader) => {
    const known = await reader.first(tickOf, { triggerId, tick })
    const trigger = await reader.first(triggerById, { id: triggerId })
    const signal = await reader.first(signalById, { id: tick as SignalRow['id'] })
    return known?.state === 'pending' && trigger ? { trigger, signal } : undefined
  })
  if (found === undefined) return
  const { trigger, signal } = found
  const claim: Tick['claim'] = async (tx, outcome) => {
    // It may have been paused since.
    const now = await tx.first(lockTrigger, { id: triggerId })
    if (outcome.state === 'started' && now?.state !== 'active') return false
    return (await tx.run(settleTick, { triggerId, tick, ...outcome })) === 1
  }
  if (trigger.state === 'paused' || signal === undefined) {
    const why =
      signal === undefined
        ? new AppError('trigger.failed', 'The event is not kept any more.')
        : new AppError('trigger.paused', 'The trigger was paused before its run was started.')
    await failTick(deps, trigger, { tick, claim }, why)
    return
  }
  const { id, name, correlation, data, createdAt, createdBy } = signal
  const event = { id, name, correlation, data: JSON.parse(data) as Json, sent_at: formatTime(createdAt) }
  await fireTick(deps, trigger, { tick, facts: { event }, setOffBy: createdBy, claim })
}
