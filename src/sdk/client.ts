// The client: one method for each route. It owns its open requests and streams, and ends them when it is closed.

import type { Json } from '../base/json.ts'
import type { AgentDefinition } from '../contract/agent.ts'
import type {
  Approval,
  ApprovalDetail,
  ApprovalLink,
  CreateApprovalLink,
  DecideApproval,
  DecideEarly,
  EarlyDecision,
} from '../contract/approval-resource.ts'
import type { Job, RedriveJobs, RedrivenJobs, Worker } from '../contract/job.ts'
import type { ModelCall, ModelCallDetail } from '../contract/model-call.ts'
import type { VersionDiff } from '../contract/resource.ts'
import type { Agent, AgentVersion } from '../contract/routes/agents.ts'
import type { ImportedTools, ImportTools, Tool, ToolVersion } from '../contract/routes/tools.ts'
import type { Workflow, WorkflowVersion } from '../contract/routes/workflows.ts'
import { ROUTES, type Routes } from '../contract/routes.ts'
import type {
  ReplayRun,
  Run,
  RunEventResource,
  RunResolution,
  StartRun,
  StartWorkflow,
  Step,
} from '../contract/run.ts'
import type { Session, SessionTurn } from '../contract/session.ts'
import type { ToolDefinition } from '../contract/tool.ts'
import type {
  CreatedTrigger,
  RotatedSecret,
  SendEvent,
  SentEvent,
  Trigger,
  TriggerChange,
  TriggerInput,
} from '../contract/trigger.ts'
import type { WorkflowDefinition } from '../contract/workflow.ts'
import { BudgetClient } from './budget-client.ts'
import { type ListOptions, listRoute } from './list-route.ts'
import type { PageList } from './page-list.ts'
import { type RunStreamItem, type StreamOptions, streamRun } from './stream-run.ts'
import { type CallOptions, type ClientOptions, createTransport, type Transport } from './transport.ts'
import { hasSettled, POLL_SECONDS, type WaitOptions, waitForRun } from './wait-for-run.ts'

export interface CreateOptions extends CallOptions {
  /** Publish the new version at once. */
  readonly publish?: boolean | undefined
}
export interface UpdateOptions extends CreateOptions {
  /** Refuses the change (`version.conflict`) where the latest version is another one. */
  readonly expectedVersion?: number | undefined
}
export interface VersionOptions extends CallOptions {
  readonly version?: number | undefined
}
export interface PublishOptions extends VersionOptions {
  /** What becomes of runs of other versions that are in flight: they finish (the default), or are asked to stop. */
  readonly inFlight?: 'finish' | 'cancel' | undefined
}
export interface RunOptions extends WaitOptions {
  /** `false` answers as soon as the run is recorded. */
  readonly wait?: boolean | undefined
}
type Listing<Id extends keyof Routes> = ListOptions<Routes[Id]>

/** Speaks to a server with one credential. An `id` of an agent, tool or workflow may be its name. */
export class Client extends BudgetClient implements AsyncDisposable {
  readonly #transport: Transport

  /** Throws where `baseUrl` is no URL of http or https. */
  constructor(options: ClientOptions) {
    const transport = createTransport(options)
    super(transport)
    this.#transport = transport
  }

  createAgent(definition: AgentDefinition, options: CreateOptions = {}): Promise<Agent> {
    return this.#transport.send(ROUTES.createAgent, { body: definition, query: publish(options) }, options)
  }
  listAgents(options: Listing<'listAgents'> = {}): PageList<Agent> {
    return listRoute(this.#transport, ROUTES.listAgents, {}, options)
  }
  getAgent(id: string, options?: CallOptions): Promise<Agent> {
    return this.#transport.send(ROUTES.getAgent, { params: { id } }, options)
  }
  /** Adds a version; `definition` is the whole of it. */
  updateAgent(id: string, definition: AgentDefinition, options: UpdateOptions = {}): Promise<Agent> {
    return this.#transport.send(
      ROUTES.updateAgent,
      { params: { id }, body: definition, query: update(options) },
      options,
    )
  }
  publishAgent(id: string, options: PublishOptions = {}): Promise<Agent> {
    return this.#transport.send(ROUTES.publishAgent, { params: { id }, body: publishing(options) }, options)
  }
  rollbackAgent(id: string, options: VersionOptions = {}): Promise<Agent> {
    return this.#transport.send(ROUTES.rollbackAgent, { params: { id }, body: version(options) }, options)
  }
  diffAgent(id: string, from: number, to: number, options?: CallOptions): Promise<VersionDiff> {
    return this.#transport.send(ROUTES.diffAgent, { params: { id }, query: { from, to } }, options)
  }
  listAgentVersions(id: string, options: Listing<'listAgentVersions'> = {}): PageList<AgentVersion> {
    return listRoute(this.#transport, ROUTES.listAgentVersions, { id }, options)
  }
  getAgentVersion(id: string, number: number, options?: CallOptions): Promise<AgentVersion> {
    return this.#transport.send(ROUTES.getAgentVersion, { params: { id, version: String(number) } }, options)
  }
  /** Archives it. */
  async deleteAgent(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.send(ROUTES.deleteAgent, { params: { id } }, options)
  }

  /**
   * Runs an agent and waits until the run has ended or waits for somebody; see `RunOptions` for other ways.
   * `request` is the input itself when it is a text.
   */
  async runAgent(id: string, request: string | StartRun, options: RunOptions = {}): Promise<Run> {
    const body: StartRun = typeof request === 'string' ? { input: request } : request
    const query =
      options.wait === false ? {} : { wait: Math.min(POLL_SECONDS, (options.waitMs ?? Infinity) / 1_000) }
    const begunAt = Date.now()
    const run = await this.#transport.send(ROUTES.startRun, { params: { id }, body, query }, options)
    if (options.wait === false || hasSettled(run, options.untilEnded === true)) return run
    const waitMs =
      options.waitMs === undefined ? undefined : Math.max(0, options.waitMs - (Date.now() - begunAt))
    return waitForRun(this.#transport, run.id, { ...options, waitMs })
  }
  getRun(id: string, options?: CallOptions): Promise<Run> {
    return this.#transport.send(ROUTES.getRun, { params: { id } }, options)
  }
  waitForRun(id: string, options?: WaitOptions): Promise<Run> {
    return waitForRun(this.#transport, id, options)
  }
  /** Events as they happen, once each and in order, and text as it arrives; ends with the run. */
  streamRun(id: string, options?: StreamOptions): AsyncIterable<RunStreamItem> {
    return streamRun(this.#transport, id, options)
  }
  listRuns(options: Listing<'listRuns'> = {}): PageList<Run> {
    return listRoute(this.#transport, ROUTES.listRuns, {}, options)
  }
  listSteps(id: string, options: Listing<'listSteps'> = {}): PageList<Step> {
    return listRoute(this.#transport, ROUTES.listSteps, { id }, options)
  }
  listRunEvents(id: string, options: Listing<'listRunEvents'> = {}): PageList<RunEventResource> {
    return listRoute(this.#transport, ROUTES.listRunEvents, { id }, options)
  }
  cancelRun(id: string, options?: CallOptions): Promise<Run> {
    return this.#transport.send(ROUTES.cancelRun, { params: { id } }, options)
  }
  /** Does a run again, as a replay, and waits as `runAgent` does. */
  async replayRun(id: string, request: ReplayRun = {}, options: RunOptions = {}): Promise<Run> {
    const sent = { params: { id }, body: request, query: {} }
    const run = await this.#transport.send(ROUTES.replayRun, sent, options)
    return options.wait === false ? run : waitForRun(this.#transport, run.id, options)
  }
  /** Answers the step that waits. */
  resolveRun(id: string, resolution: RunResolution, options?: CallOptions): Promise<Run> {
    return this.#transport.send(ROUTES.resolveRun, { params: { id }, body: resolution }, options)
  }
  listApprovals(options: Listing<'listApprovals'> = {}): PageList<Approval> {
    return listRoute(this.#transport, ROUTES.listApprovals, {}, options)
  }
  /** With its votes. */
  getApproval(id: string, options?: CallOptions): Promise<ApprovalDetail> {
    return this.#transport.send(ROUTES.getApproval, { params: { id } }, options)
  }
  /** With `argumentsHash`, the answer is refused where what is asked is not what you looked at. */
  decideApproval(id: string, decision: DecideApproval, options?: CallOptions): Promise<ApprovalDetail> {
    return this.#transport.send(ROUTES.decideApproval, { params: { id }, body: decision }, options)
  }
  /** Answers what the run has not asked yet. */
  decideEarly(runId: string, decision: DecideEarly, options?: CallOptions): Promise<EarlyDecision> {
    return this.#transport.send(ROUTES.decideEarly, { params: { id: runId }, body: decision }, options)
  }
  /** `url` is shown this once: whoever opens it may answer, once, in the user's name. */
  async createApprovalLink(
    id: string,
    request: CreateApprovalLink = {},
    options?: CallOptions,
  ): Promise<ApprovalLink> {
    const sent = { params: { id }, body: request }
    const link = await this.#transport.send(ROUTES.createApprovalLink, sent, options)
    return { ...link, url: this.#transport.baseUrl + link.url }
  }
  listModelCalls(id: string, options: Listing<'listModelCalls'> = {}): PageList<ModelCall> {
    return listRoute(this.#transport, ROUTES.listModelCalls, { id }, options)
  }
  getModelCall(id: string, options?: CallOptions): Promise<ModelCallDetail> {
    return this.#transport.send(ROUTES.getModelCall, { params: { id } }, options)
  }
  getJob(id: string, options?: CallOptions): Promise<Job> {
    return this.#transport.send(ROUTES.getJob, { params: { id } }, options)
  }
  listJobs(options: Listing<'listJobs'> = {}): PageList<Job> {
    return listRoute(this.#transport, ROUTES.listJobs, {}, options)
  }
  /** Cancels the job, and the run that it drives. */
  cancelJob(id: string, options?: CallOptions): Promise<Job> {
    return this.#transport.send(ROUTES.cancelJob, { params: { id } }, options)
  }
  /** Lets a job that waits for its next attempt or for a worker be tried now. */
  retryJob(id: string, options?: CallOptions): Promise<Job> {
    return this.#transport.send(ROUTES.retryJob, { params: { id } }, options)
  }
  /** Takes up a dead job again; answers the job that goes on. */
  redriveJob(id: string, options?: CallOptions): Promise<Job> {
    return this.#transport.send(ROUTES.redriveJob, { params: { id } }, options)
  }
  redriveJobs(request: RedriveJobs = {}, options?: CallOptions): Promise<RedrivenJobs> {
    return this.#transport.send(ROUTES.redriveJobs, { body: request }, options)
  }
  /** For the operator of the platform. */
  async listWorkers(options?: CallOptions): Promise<readonly Worker[]> {
    const { items } = await this.#transport.send(ROUTES.listWorkers, {}, options)
    return items
  }

  /** A schedule, a webhook or an event that starts runs. The secret of a webhook is in the answer, this once. */
  createTrigger(input: TriggerInput, options?: CallOptions): Promise<CreatedTrigger> {
    return this.#transport.send(ROUTES.createTrigger, { body: input }, options)
  }
  listTriggers(options: Listing<'listTriggers'> = {}): PageList<Trigger> {
    return listRoute(this.#transport, ROUTES.listTriggers, {}, options)
  }
  getTrigger(id: string, options?: CallOptions): Promise<Trigger> {
    return this.#transport.send(ROUTES.getTrigger, { params: { id } }, options)
  }
  updateTrigger(id: string, change: TriggerChange, options?: CallOptions): Promise<Trigger> {
    return this.#transport.send(ROUTES.updateTrigger, { params: { id }, body: change }, options)
  }
  async deleteTrigger(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.send(ROUTES.deleteTrigger, { params: { id } }, options)
  }
  /** The secret before counts for a day more. Never repeated by the client. */
  rotateTriggerSecret(id: string, options?: CallOptions): Promise<RotatedSecret> {
    return this.#transport.send(ROUTES.rotateTriggerSecret, { params: { id } }, options)
  }
  /** Sends a named event to the runs that wait for it, and to the triggers that it sets off. */
  sendEvent(event: SendEvent, options?: CallOptions): Promise<SentEvent> {
    return this.#transport.send(ROUTES.sendEvent, { body: event }, options)
  }

  /** Begins a conversation: runs that name the session see its earlier turns. */
  createSession(agent: string, options?: CallOptions): Promise<Session> {
    return this.#transport.send(ROUTES.createSession, { body: { agent } }, options)
  }
  getSession(id: string, options?: CallOptions): Promise<Session> {
    return this.#transport.send(ROUTES.getSession, { params: { id } }, options)
  }
  listSessionTurns(id: string, options: Listing<'listSessionTurns'> = {}): PageList<SessionTurn> {
    return listRoute(this.#transport, ROUTES.listSessionTurns, { id }, options)
  }

  createTool(definition: ToolDefinition, options: CreateOptions = {}): Promise<Tool> {
    return this.#transport.send(ROUTES.createTool, { body: definition, query: publish(options) }, options)
  }
  listTools(options: Listing<'listTools'> = {}): PageList<Tool> {
    return listRoute(this.#transport, ROUTES.listTools, {}, options)
  }
  getTool(id: string, options?: CallOptions): Promise<Tool> {
    return this.#transport.send(ROUTES.getTool, { params: { id } }, options)
  }
  updateTool(id: string, definition: ToolDefinition, options: UpdateOptions = {}): Promise<Tool> {
    return this.#transport.send(
      ROUTES.updateTool,
      { params: { id }, body: definition, query: update(options) },
      options,
    )
  }
  publishTool(id: string, options: VersionOptions = {}): Promise<Tool> {
    return this.#transport.send(ROUTES.publishTool, { params: { id }, body: version(options) }, options)
  }
  rollbackTool(id: string, options: VersionOptions = {}): Promise<Tool> {
    return this.#transport.send(ROUTES.rollbackTool, { params: { id }, body: version(options) }, options)
  }
  diffTool(id: string, from: number, to: number, options?: CallOptions): Promise<VersionDiff> {
    return this.#transport.send(ROUTES.diffTool, { params: { id }, query: { from, to } }, options)
  }
  listToolVersions(id: string, options: Listing<'listToolVersions'> = {}): PageList<ToolVersion> {
    return listRoute(this.#transport, ROUTES.listToolVersions, { id }, options)
  }
  getToolVersion(id: string, number: number, options?: CallOptions): Promise<ToolVersion> {
    return this.#transport.send(ROUTES.getToolVersion, { params: { id, version: String(number) } }, options)
  }
  /** Archives it. */
  async deleteTool(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.send(ROUTES.deleteTool, { params: { id } }, options)
  }
  /** Really runs the tool; never repeated by the client. */
  async testTool(name: string, input: Json, options?: CallOptions): Promise<Json> {
    const { output } = await this.#transport.send(
      ROUTES.testTool,
      { params: { name }, body: { input } },
      options,
    )
    return output
  }
  /** Turns an OpenAPI document into tools; makes them where `create` says so. */
  importTools(request: ImportTools, options?: CallOptions): Promise<ImportedTools> {
    return this.#transport.send(ROUTES.importTools, { body: request }, options)
  }

  createWorkflow(definition: WorkflowDefinition, options: CreateOptions = {}): Promise<Workflow> {
    return this.#transport.send(ROUTES.createWorkflow, { body: definition, query: publish(options) }, options)
  }
  listWorkflows(options: Listing<'listWorkflows'> = {}): PageList<Workflow> {
    return listRoute(this.#transport, ROUTES.listWorkflows, {}, options)
  }
  getWorkflow(id: string, options?: CallOptions): Promise<Workflow> {
    return this.#transport.send(ROUTES.getWorkflow, { params: { id } }, options)
  }
  updateWorkflow(id: string, definition: WorkflowDefinition, options: UpdateOptions = {}): Promise<Workflow> {
    const sent = { params: { id }, body: definition, query: update(options) }
    return this.#transport.send(ROUTES.updateWorkflow, sent, options)
  }
  publishWorkflow(id: string, options: PublishOptions = {}): Promise<Workflow> {
    const sent = { params: { id }, body: publishing(options) }
    return this.#transport.send(ROUTES.publishWorkflow, sent, options)
  }
  rollbackWorkflow(id: string, options: VersionOptions = {}): Promise<Workflow> {
    return this.#transport.send(ROUTES.rollbackWorkflow, { params: { id }, body: version(options) }, options)
  }
  diffWorkflow(id: string, from: number, to: number, options?: CallOptions): Promise<VersionDiff> {
    return this.#transport.send(ROUTES.diffWorkflow, { params: { id }, query: { from, to } }, options)
  }
  listWorkflowVersions(id: string, options: Listing<'listWorkflowVersions'> = {}): PageList<WorkflowVersion> {
    return listRoute(this.#transport, ROUTES.listWorkflowVersions, { id }, options)
  }
  getWorkflowVersion(id: string, number: number, options?: CallOptions): Promise<WorkflowVersion> {
    return this.#transport.send(
      ROUTES.getWorkflowVersion,
      { params: { id, version: String(number) } },
      options,
    )
  }
  /** Runs a workflow and waits as `runAgent` does; `request` is the body, with the workflow's `input`. */
  async runWorkflow(id: string, request: StartWorkflow = {}, options: RunOptions = {}): Promise<Run> {
    const sent = { params: { id }, body: request, query: {} }
    const run = await this.#transport.send(ROUTES.startWorkflow, sent, options)
    return options.wait === false ? run : waitForRun(this.#transport, run.id, options)
  }
  /** Archives it. */
  async deleteWorkflow(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.send(ROUTES.deleteWorkflow, { params: { id } }, options)
  }

  /** Ends open requests and streams; later calls are refused. */
  close(): void {
    this.#transport.close()
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }
}

function publish(options: CreateOptions): { publish: boolean | undefined } {
  return { publish: options.publish }
}

function update(options: UpdateOptions): {
  publish: boolean | undefined
  expectedVersion: number | undefined
} {
  return { publish: options.publish, expectedVersion: options.expectedVersion }
}

function publishing(options: PublishOptions): {
  version: number | undefined
  inFlight: 'finish' | 'cancel' | undefined
} {
  return { version: options.version, inFlight: options.inFlight }
}

function version(options: VersionOptions): { version: number | undefined } {
  return { version: options.version }
}
