// What every run that is driven has, made of its row.

import { createJournal } from '../journal/journal.ts'
import type { RunRow } from '../journal/run-store.ts'
import type { DriveDeps, DrivenRun } from './context.ts'
import type { Interruption } from './interruption.ts'

/** `cancelAsked` is called when a write finds that somebody asked for the run to be cancelled. */
export async function drivenRun(
  deps: DriveDeps,
  run: RunRow,
  interruption: Interruption,
  untrusted: boolean,
  cancelAsked: () => void,
): Promise<Omit<DrivenRun, 'limits' | 'allowance'>> {
  const { tenantId } = run
  const db = deps.db.tenant(tenantId)
  const written = (settled: boolean): void => deps.written(run.id, settled)
  return {
    deps,
    run,
    tenantId,
    db,
    journal: createJournal({ db, clock: deps.clock, actor: deps.worker, written, cancelAsked }, run),
    interruption,
    capture: await deps.capturePolicy(tenantId),
    prices: await deps.metering.prices(tenantId),
    observed: {
      tenantId,
      runId: run.id,
      agent: run.definitionName,
      traceId: run.traceId ?? undefined,
      parentRunId: run.parentRunId ?? undefined,
    },
    tally: {
      modelTurns: 0,
      toolCalls: run.toolCallCount,
      tokens: run.inputTokens + run.outputTokens,
      costNanos: run.costNanos,
      unpriced: run.unpricedCount,
    },
    // What a trigger brought came from outside.
    untrusted: untrusted || run.triggerId !== null,
  }
}
