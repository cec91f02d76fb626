// What runtime/ gives the rest: runs are started, watched, cancelled and resolved here, and read from what is stored.

import type {
  DefinitionId,
  JobId,
  ModelCallId,
  ProjectId,
  RunId,
  SessionId,
  TenantId,
  TriggerId,
} from '../base/ids.ts'
import type { Json, JsonObject } from '../base/json.ts'
import type { Nanos } from '../base/money.ts'
import type { EpochMs } from '../base/time.ts'
import type { AgentLimits } from '../contract/agent.ts'
import type { RunEvent } from '../contract/event.ts'
import type { AssistantPart, Message } from '../contract/message.ts'
import type { Principal } from '../contract/principal.ts'
import type { ModelDelta } from '../models/model.ts'
import type { RegisteredWorker } from '../queue/registry.ts'
import type { TenantTransaction } from '../storage/database.ts'
import type { RowOf } from '../storage/schema/tables.ts'
import type { Approvals } from './approvals/approvals.ts'
import type { Triggers } from './triggers/trigger.ts'

export type RunState = RowOf<'runs'>['state']
export type WaitingReason = NonNullable<RowOf<'runs'>['waitingReason']>

export interface Run {
  readonly id: RunId
  readonly kind: 'agent' | 'workflow'
  readonly definitionId: string
  readonly definitionName: string
  readonly definitionVersion: number
  readonly state: RunState
  readonly waitingReason: WaitingReason | null
  readonly input: Json
  /** Text, or the object of a structured answer; null until the run has completed. */
  readonly output: Json
  readonly error: { readonly code: string; readonly message: string } | null
  /** Why no worker can drive it, while it is queued; or the budget that has no room for it, while it waits for one. */
  readonly blockedBy: { readonly code: string; readonly message: string } | null
  readonly sessionId: SessionId | null
  readonly parentRunId: RunId | null
  readonly replayOf: RunId | null
  /** Of a replay: the step that it began at; null where it began at the beginning. */
  readonly replayFrom: number | null
  readonly redriveOf: RunId | null
  readonly triggerId: string | null
  readonly projectId: ProjectId | null
  /** The queue entry that drives it: of the run at the top, where it is below one. */
  readonly jobId: JobId
  readonly stepCount: number
  readonly toolCallCount: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** What the priced attempts cost; see `unpricedCount` for the others. */
  readonly costNanos: Nanos
  readonly unpricedCount: number
  readonly traceId: string | null
  readonly createdBy: string
  readonly createdAt: EpochMs
  readonly startedAt: EpochMs | null
  readonly finishedAt: EpochMs | null
}

export interface Step {
  readonly seq: number
  readonly kind: RowOf<'steps'>['kind']
  readonly name: string
  /** Of a workflow's node: where it stands. */
  readonly path: string | null
  readonly state: RowOf<'steps'>['state']
  readonly waitingReason: RowOf<'steps'>['waitingReason']
  readonly dueAt: EpochMs | null
  readonly attempt: number
  readonly effect: 'read' | 'idempotent' | 'once' | null
  readonly input: Json
  readonly output: Json
  readonly error: { readonly code: string; readonly message: string } | null
  readonly childRunId: RunId | null
  readonly startedAt: EpochMs
  readonly finishedAt: EpochMs | null
}

/** One attempt at a model, as the prompt log has it. */
export interface ModelCall {
  readonly id: ModelCallId
  readonly runId: RunId
  readonly step: number
  readonly attempt: number
  readonly model: string
  readonly responseModel: string | null
  readonly responseId: string | null
  readonly status: 'answered' | 'failed' | 'interrupted'
  readonly finishReason: string | null
  readonly failure: {
    readonly kind: string
    readonly message: string
    readonly httpStatus: number | null
  } | null
  readonly usageState: 'known' | 'missing' | 'none'
  readonly inputTokens: number
  readonly cachedInputTokens: number
  readonly cacheWriteTokens: number
  readonly outputTokens: number
  readonly reasoningTokens: number
  readonly costState: 'priced' | 'unpriced' | 'usage_missing'
  readonly costNanos: Nanos | null
  readonly startedAt: EpochMs
  readonly firstTokenMs: number | null
  readonly totalMs: number
  readonly capture: 'full' | 'redacted' | 'metadata'
}

/** A model call with what was said; `request` and `response` are null where the capture policy kept only metadata. */
export interface ModelCallDetail extends ModelCall {
  readonly request: {
    readonly instructions: string
    readonly messages: readonly Message[]
    readonly tools: Json
    readonly settings: JsonObject
    readonly outputSchema: Json
  } | null
  readonly response: readonly AssistantPart[] | null
}

export interface StartRunInput {
  /** The project that its costs belong to. */
  readonly projectId?: ProjectId | undefined
  /** Of the agent, id or name; or of the workflow. One of the two. */
  readonly agent?: string | undefined
  readonly workflow?: string | undefined
  readonly input: string | JsonObject
  readonly sessionId?: SessionId | undefined
  /** May only narrow the definition's own limits. */
  readonly limits?: AgentLimits | undefined
  readonly priority?: 'high' | 'normal' | 'low' | undefined
  /** It begins not before this time. */
  readonly notBefore?: EpochMs | undefined
  /** While a run of the same kind with this key is open, that run is answered and none is made. */
  readonly dedupKey?: string | undefined
  /** The trigger that starts it. */
  readonly triggerId?: TriggerId | undefined
  /** Who sent the event that set the trigger off: it is their doing as well. */
  readonly setOffBy?: string | undefined
  readonly traceparent?: string | undefined
}

export interface ReplayInput {
  /** The step to begin at: all before it is taken over. */
  readonly from?: number | undefined
  readonly model?: string | undefined
  readonly instructions?: string | undefined
  /** The number of another version of the same definition. */
  readonly version?: number | undefined
  readonly input?: string | JsonObject | undefined
  /** `recorded`, the default: calls are answered from the record, and nothing with an effect is done. */
  readonly tools?: 'recorded' | 'live' | undefined
  readonly traceparent?: string | undefined
}

export interface StartContext {
  readonly requestId: string | undefined
  /** Called in the transaction of the change, with the id of what was made or changed. */
  readonly inTransaction?: ((tx: TenantTransaction, id: string) => Promise<void>) | undefined
}

export type Resolution =
  /** `approve` and `decline` answer a step that waits for approval. */
  | { readonly outcome: 'approve' }
  | { readonly outcome: 'decline'; readonly reason?: string | undefined }
  /** These answer a `once` step in doubt: it happened (with this output), it failed, or it did not happen: call it again. */
  | { readonly outcome: 'succeeded'; readonly output: Json }
  | { readonly outcome: 'failed'; readonly reason?: string | undefined }
  | { readonly outcome: 'retry' }

export interface RunFilter {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly state?: RunState | undefined
  readonly agent?: string | undefined
  /** Workflow id or name. */
  readonly workflow?: string | undefined
  readonly sessionId?: SessionId | undefined
  /** Only replays, or none of them. */
  readonly replays?: boolean | undefined
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | undefined
}

/** What a watcher of a run sees: stored events (they have an id and can be resumed from) and passing text. */
export type RunSignal =
  | { readonly type: 'event'; readonly event: RunEvent }
  /** Text as it arrives from the model: of this step and attempt; not stored, not resumed. A new attempt starts its text anew. */
  | { readonly type: 'delta'; readonly step: number; readonly attempt: number; readonly delta: ModelDelta }

export interface Session {
  readonly id: SessionId
  readonly agentId: string
  readonly turnCount: number
  readonly activeRunId: RunId | null
  readonly createdAt: EpochMs
  readonly updatedAt: EpochMs
}

export interface SessionTurn {
  readonly seq: number
  readonly runId: RunId
  readonly input: string
  readonly output: string
  readonly createdAt: EpochMs
}

export interface Job {
  readonly id: string
  readonly kind: string
  readonly runId: RunId | null
  readonly state: RowOf<'jobs'>['state']
  /** As `PRIORITY_CLASS` has it. */
  readonly priority: number
  readonly attempt: number
  readonly maxAttempts: number
  readonly leaseOwner: string | null
  readonly leaseUntil: EpochMs
  readonly notBefore: EpochMs
  readonly progress: Json
  readonly error: { readonly code: string; readonly message: string } | null
  readonly createdAt: EpochMs
  readonly finishedAt: EpochMs | null
}

export interface JobFilter {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly state?: Job['state'] | undefined
  readonly kind?: string | undefined
}

export interface RedriveFilter {
  readonly state: 'dead' | 'unroutable'
  readonly kind?: string | undefined
  readonly limit: number
}

export interface Redriven {
  readonly items: readonly Job[]
  readonly refused: readonly {
    readonly jobId: JobId
    readonly error: { readonly code: string; readonly message: string }
  }[]
  readonly more: boolean
}

export interface Jobs {
  list(tenantId: TenantId, filter: JobFilter): Promise<Page<Job>>
  /** Cancels the job and the run that it drives. Throws `job.state-conflict` where it has ended. */
  cancel(principal: Principal, id: JobId, context: StartContext): Promise<Job>
  /** Makes a job that waits for its next attempt or for a worker due now. Throws `job.state-conflict`. */
  retry(principal: Principal, id: JobId, context: StartContext): Promise<Job>
  /** Takes up a dead job again and answers the job that goes on: another one where it drove a run. */
  redrive(principal: Principal, id: JobId, context: StartContext): Promise<Job>
  /** The same for many, the oldest first, each for itself. */
  redriveMany(principal: Principal, filter: RedriveFilter, context: StartContext): Promise<Redriven>
  workers(): Promise<readonly RegisteredWorker[]>
}

export interface Runtime {
  /** Records the run (run row, event, job row in one transaction) and answers it as it is stored. */
  start(principal: Principal, input: StartRunInput, context: StartContext): Promise<Run>
  /** Waits until the run is terminal or waiting, or the time is over, and answers it as it is stored then. */
  wait(tenantId: TenantId, runId: RunId, timeoutMs: number, signal?: AbortSignal): Promise<Run>
  get(tenantId: TenantId, runId: RunId): Promise<Run>
  list(tenantId: TenantId, filter: RunFilter): Promise<Page<Run>>
  steps(
    tenantId: TenantId,
    runId: RunId,
    page: { readonly limit: number; readonly after: number },
  ): Promise<readonly Step[]>
  modelCalls(
    tenantId: TenantId,
    runId: RunId,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<ModelCall>>
  modelCall(tenantId: TenantId, id: ModelCallId): Promise<ModelCallDetail>
  events(
    tenantId: TenantId,
    runId: RunId,
    page: { readonly limit: number; readonly after: number },
  ): Promise<readonly RunEvent[]>
  /** Signals after `afterSeq`, live, until the run is terminal or the signal aborts. A slow reader loses deltas first, never events. */
  tail(tenantId: TenantId, runId: RunId, afterSeq: number, signal: AbortSignal): AsyncIterable<RunSignal>
  /** Asks the run to stop. Throws `run.finished` where it has ended. */
  cancel(principal: Principal, runId: RunId, context: StartContext): Promise<Run>
  /** Answers the waiting step; one of two answers at the same moment wins, the other gets `run.state-conflict`. */
  resolve(
    principal: Principal,
    runId: RunId,
    step: number,
    resolution: Resolution,
    context: StartContext,
  ): Promise<Run>
  /** Does a run again, marked as a replay. Throws `run.not-replayable` where that cannot be, with the reason. */
  replay(principal: Principal, runId: RunId, input: ReplayInput, context: StartContext): Promise<Run>
  /**
   * Orders, in the transaction that publishes a version, that the runs of other versions which are in flight are asked
   * to stop.
   */
  orderCancelOlder(
    tx: TenantTransaction,
    principal: Principal,
    definitionId: DefinitionId,
    context: Pick<StartContext, 'requestId'>,
  ): Promise<void>
  /** Goes on with a run whose job was given up, as a new run. Throws `run.state-conflict` where it was not. */
  redrive(principal: Principal, runId: RunId, context: StartContext): Promise<Run>
  /** Questions of waiting steps, and their answers. */
  readonly approvals: Approvals
  /** What starts runs by itself, and named events. */
  readonly triggers: Triggers
  createSession(principal: Principal, agent: string, context: StartContext): Promise<Session>
  session(tenantId: TenantId, id: SessionId): Promise<Session>
  sessionTurns(
    tenantId: TenantId,
    id: SessionId,
    page: { readonly limit: number; readonly after: number },
  ): Promise<readonly SessionTurn[]>
  job(tenantId: TenantId, id: string): Promise<Job>
  readonly jobs: Jobs
  /** Runs a tool by name outside a run, for `tool test`. */
  testTool(principal: Principal, tool: string, input: Json, context: StartContext): Promise<Json>
}
