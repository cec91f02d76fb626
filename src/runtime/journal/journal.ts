// The journal of one run: what happened since the last write is gathered and written in one transaction, fenced by
// the lease. It decides nothing; the agent loop does.

import type { RunId } from '../../base/ids.ts'
import type { JsonObject } from '../../base/json.ts'
import type { Clock } from '../../base/time.ts'
import { type RunEventType, SETTLING_EVENTS } from '../../contract/event.ts'
import { appendRunEvent } from '../../events/append.ts'
import type { TenantDatabase, TenantTransaction } from '../../storage/database.ts'
import { advanceRun, lockRun, type RunRow } from './run-store.ts'

/** The lease was lost: another worker drives the run now, and this one may write nothing more. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

export interface Counts {
  readonly steps?: number
  readonly messages?: number
  readonly toolCalls?: number
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly costNanos?: bigint
  readonly unpriced?: number
}

export type Write = (tx: TenantTransaction) => Promise<unknown>

export interface JournalEvent {
  readonly type: RunEventType
  readonly data: JsonObject
}

export interface Journal {
  nextStep(): number
  nextMessage(): number
  /** Gathers writes for the next flush, in order. */
  add(write: Write, counts?: Counts): void
  /** Gathers an event for the next flush. */
  event(type: RunEventType, data: JsonObject): void
  /** The same for one that follows from what is decided in the flush. */
  eventOf(event: () => JournalEvent): void
  /**
   * Gathers what is to be found out in the next flush's transaction: after the writes that were gathered before it, which
   * it sees, and before the events and all later writes, which may follow from it. A transaction may be run again, and
   * then this is as well.
   */
  decide(work: Write): void
  /**
   * Writes all that is gathered as one transaction. Throws `LeaseLost` where the run has another worker. What failed to
   * be written is gone, so that a journal writes nothing more after a failure: the run is taken up again from its rows.
   */
  flush(): Promise<void>
  /** A transaction of its own, begun with the run's row, locked, once the lease is proved. Throws as `flush` does. */
  fenced<T>(work: (tx: TenantTransaction, run: RunRow) => Promise<T>): Promise<T>
}

export interface JournalDeps {
  readonly db: TenantDatabase
  readonly clock: Clock
  /** Who the events name: the worker. */
  readonly actor: string
  /** Something was written; `settled`: the run may have ended, or wait for somebody. */
  readonly written: (settled: boolean) => void
  /** Called when a write finds that somebody asked for the run to be cancelled. */
  readonly cancelAsked: () => void
}

interface Batch {
  readonly writes: Write[]
  /** What decides, and the writes that come before it. */
  readonly decisions: Write[]
  readonly events: (() => JournalEvent)[]
  steps: number
  messages: number
  toolCalls: number
  inputTokens: number
  outputTokens: number
  costNanos: bigint
  unpriced: number
}

export function createJournal(
  deps: JournalDeps,
  run: Pick<RunRow, 'id' | 'fence' | 'stepCount' | 'messageCount'>,
): Journal {
  let step = run.stepCount
  let message = run.messageCount
  let batch = emptyBatch()
  let failure: { readonly error: unknown } | undefined
  const attempt = async <T>(work: (tx: TenantTransaction) => Promise<T>): Promise<T> => {
    if (failure !== undefined) throw failure.error
    try {
      return await deps.db.write(work)
    } catch (error) {
      failure ??= { error }
      throw error
    }
  }
  return {
    nextStep: () => ++step,
    nextMessage: () => ++message,
    add(write, counts) {
      batch.writes.push(write)
      if (counts !== undefined) count(batch, counts)
    },
    event: (type, data) => {
      batch.events.push(() => ({ type, data }))
    },
    eventOf: (event) => {
      batch.events.push(event)
    },
    decide: (work) => {
      batch.decisions.push(...batch.writes.splice(0), work)
    },
    async flush() {
      if (batch.writes.length + batch.events.length + batch.decisions.length === 0) return
      const full = batch
      batch = emptyBatch()
      const cancelAsked = await attempt((tx) => write(tx, deps, run.id, run.fence, full))
      deps.written(full.events.some((event) => SETTLING_EVENTS.has(event().type)))
      if (cancelAsked) deps.cancelAsked()
    },
    async fenced(work) {
      const result = await attempt(async (tx) => {
        const row = await tx.first(lockRun, { id: run.id })
        if (row?.fence !== run.fence || row.state !== 'running') throw lost(run.id)
        return work(tx, row)
      })
      deps.written(true)
      return result
    },
  }
}

function lost(runId: RunId): LeaseLost {
  return new LeaseLost(`The lease of run ${runId} was lost.`)
}

async function write(
  tx: TenantTransaction,
  deps: JournalDeps,
  runId: RunId,
  fence: number,
  batch: Batch,
): Promise<boolean> {
  const { writes, events } = batch
  const advanced = await tx.first(advanceRun, {
    id: runId,
    fence,
    events: events.length,
    steps: batch.steps,
    messages: batch.messages,
    toolCalls: batch.toolCalls,
    inputTokens: batch.inputTokens,
    outputTokens: batch.outputTokens,
    costNanos: batch.costNanos,
    unpriced: batch.unpriced,
  })
  if (advanced === undefined) throw lost(runId)
  for (const decide of batch.decisions) await decide(tx)
  let runSeq = advanced.eventCount - events.length
  const at = deps.clock()
  for (const event of events) {
    runSeq += 1
    await appendRunEvent(tx, { ...event(), runId, runSeq, actor: deps.actor, at })
  }
  for (const write of writes) await write(tx)
  return advanced.cancelRequestedAt !== null
}

function emptyBatch(): Batch {
  return {
    writes: [],
    decisions: [],
    events: [],
    steps: 0,
    messages: 0,
    toolCalls: 0,
    inputTokens: 0,
    outputTokens: 0,
    costNanos: 0n,
    unpriced: 0,
  }
}

function count(batch: Batch, counts: Counts): void {
  batch.steps += counts.steps ?? 0
  batch.messages += counts.messages ?? 0
  batch.toolCalls += counts.toolCalls ?? 0
  batch.inputTokens += counts.inputTokens ?? 0
  batch.outputTokens += counts.outputTokens ?? 0
  batch.costNanos += counts.costNanos ?? 0n
  batch.unpriced += counts.unpriced ?? 0
}
