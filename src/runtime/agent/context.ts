// What the loop knows of the run that it drives. One context belongs to one run: nothing in it is shared between runs.

import type { RunId, TenantId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { Clock } from '../../base/time.ts'
import type { Message, ToolResult } from '../../contract/message.ts'
import type { ModelDelta, ModelRegistry } from '../../models/model.ts'
import type { Database, TenantDatabase } from '../../storage/database.ts'
import type { Budgets } from '../budgets.ts'
import type { Journal } from '../journal/journal.ts'
import type { RunRow } from '../journal/run-store.ts'
import type { StepRow } from '../journal/step-store.ts'
import type { Metering, RunPrices } from '../metering.ts'
import type { ObservedRun, RuntimeObserver } from '../observer.ts'
import type { RunLimits, RunTally } from '../run-limits.ts'
import type { WorkflowPlanner } from '../workflow/workflow-plan.ts'
import type { Allowance } from './allowance.ts'
import type { Interruption } from './interruption.ts'
import type { AgentPlan, Planner } from './plan.ts'

export type CapturePolicy = 'full' | 'redacted' | 'metadata'

export interface DriveDeps {
  readonly db: Database
  readonly clock: Clock
  readonly random: () => number
  /** Who the events name. */
  readonly worker: string
  readonly planner: Planner
  readonly workflows: WorkflowPlanner
  readonly models: ModelRegistry
  readonly metering: Metering
  readonly budgets: Budgets
  /** The runs that this process drives now, those below others included. */
  readonly active: Map<RunId, Interruption>
  /** Heads of prompts that are known to be stored. */
  readonly bodies: {
    has(tenantId: TenantId, hash: string): boolean
    add(tenantId: TenantId, hash: string): void
  }
  readonly capturePolicy: (tenantId: TenantId) => Promise<CapturePolicy>
  readonly observer: RuntimeObserver
  /** Tells watchers that the run's log has grown; not `settled`: it goes on for certain. */
  readonly written: (runId: RunId, settled: boolean) => void
  readonly delta: (runId: RunId, step: number, attempt: number, delta: ModelDelta) => void
}

/** A tool call of the last model answer that has no result in the messages yet. */
export interface OpenCall {
  readonly step: number
  readonly callId: string
  readonly name: string
  readonly kind: 'tool' | 'agent'
  input: Json
  state: StepRow['state']
  waitingReason: StepRow['waitingReason']
  readonly effect: StepRow['effect']
  readonly idempotencyKey: string
  readonly childRunId: RunId | null
  /** Intended by an earlier process, which may have made the call. */
  readonly stale: boolean
  /** This process has made the call, or an earlier one may have. */
  made: boolean
  result: ToolResult['output'] | undefined
}

/** What every run that is driven has, whatever it runs. */
export interface DrivenRun {
  readonly deps: DriveDeps
  readonly run: RunRow
  readonly tenantId: TenantId
  readonly db: TenantDatabase
  readonly limits: Pick<RunLimits, 'maxTokens' | 'maxCostNanos' | 'timeoutMs'>
  readonly journal: Journal
  readonly interruption: Interruption
  readonly capture: CapturePolicy
  readonly observed: ObservedRun
  readonly tally: RunTally
  /** What it may still spend, under its own limit and those above it. */
  readonly allowance: Allowance
  /** As they were when the run was taken up; an attempt asks for those of its own time. */
  readonly prices: RunPrices
  /** Text from outside is in play: it may try to steer what is called. */
  untrusted: boolean
}

export interface RunContext extends DrivenRun {
  readonly plan: AgentPlan
  readonly limits: RunLimits
  readonly messages: Message[]
  /** How often each call (tool and arguments) was made. */
  readonly callCounts: Map<string, number>
  /** The calls of the last answer, while results are missing. */
  turn: OpenCall[] | undefined
  /** The step that gave the last answer. */
  answerStep: number
  /** The step of a model call that had to wait for a budget, and is tried again as the same step. */
  heldBack: number | undefined
  /** Attempts at the model since the last answer. */
  attempts: number
  repairs: number
}

/** What a guardrail or tool of the host's code is told of the run. */
export function codeContext(ctx: RunContext): {
  tenantId: string
  runId: string
  signal: AbortSignal
  nowMs: number
} {
  return {
    tenantId: ctx.tenantId,
    runId: ctx.run.id,
    signal: ctx.interruption.signal,
    nowMs: ctx.deps.clock(),
  }
}
