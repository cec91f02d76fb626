// What the runtime tells of itself while it works: metrics and traces are made from it. An observer never throws and never waits.

import type { RunId, TenantId } from '../base/ids.ts'
import type { ModelUsage } from '../contract/usage.ts'
import type { ModelTiming } from '../models/model.ts'
import type { RunState } from './runtime.ts'

export interface ObservedRun {
  readonly tenantId: TenantId
  readonly runId: RunId
  readonly agent: string
  readonly traceId: string | undefined
  readonly parentRunId: RunId | undefined
}

export interface RuntimeObserver {
  runStarted(run: ObservedRun): void
  /** The run ended or waits; `ms` since it was requested. */
  runEnded(
    run: ObservedRun,
    end: { readonly state: RunState; readonly errorCode: string | undefined; readonly ms: number },
  ): void
  modelCalled(
    run: ObservedRun,
    call: {
      readonly step: number
      readonly attempt: number
      readonly model: string
      /** `answered`, or the kind of the failure. */
      readonly outcome: string
      readonly timing: ModelTiming
      readonly usage: ModelUsage
      readonly startedAt: number
    },
  ): void
  toolCalled(
    run: ObservedRun,
    call: {
      readonly step: number
      readonly tool: string
      readonly outcome: 'done' | 'failed' | 'in_doubt'
      readonly ms: number
      readonly startedAt: number
    },
  ): void
  /** Something went wrong that no caller sees: for the log. */
  trouble(message: string, facts: Readonly<Record<string, unknown>>): void
}

export const silentObserver: RuntimeObserver = {
  runStarted: () => undefined,
  runEnded: () => undefined,
  modelCalled: () => undefined,
  toolCalled: () => undefined,
  trouble: () => undefined,
}
