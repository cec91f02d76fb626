// The runtime, put together: use cases, worker, watchers. It owns runs; it never prices, authenticates or serves.

import { AppError } from '../base/errors.ts'
import { newId, type RunId, type TenantId } from '../base/ids.ts'
import type { Clock } from '../base/time.ts'
import type { VersionReader } from '../catalog/catalog.ts'
import { actorOf } from '../contract/principal.ts'
import type { CodeGuardrail } from '../define/code-tool.ts'
import { appendAudit } from '../events/append.ts'
import { createLiveHub } from '../events/live.ts'
import type { ModelRegistry } from '../models/model.ts'
import { workerName } from '../queue/worker-owner.ts'
import type { Database } from '../storage/database.ts'
import type { CapturePolicy, DriveDeps } from './agent/context.ts'
import { createPlanner } from './agent/plan.ts'
import type { ToolSources } from './agent/tool-binding.ts'
import { createApprovals } from './approvals/create-approvals.ts'
import type { Budgets } from './budgets.ts'
import { CANCEL_OLDER, cancelOlderHandler, orderCancelOlder } from './cancel-older.ts'
import { cancelRun } from './cancel-run.ts'
import { createJobs } from './jobs.ts'
import { createKnownBodies } from './known-bodies.ts'
import { createMaintenance, type Maintenance, type MaintenanceTask, maintained } from './maintenance.ts'
import { maintenanceTasks } from './maintenance-tasks.ts'
import type { Metering } from './metering.ts'
import { type RuntimeObserver, silentObserver } from './observer.ts'
import { createQueries } from './queries.ts'
import { redriveRun } from './replay/redrive-run.ts'
import { replayRun } from './replay/replay-run.ts'
import { resolveStep } from './resolve-step.ts'
import type { Runtime } from './runtime.ts'
import { insertSession, sessionById } from './session-store.ts'
import { startRun } from './start-run.ts'
import { testTool } from './test-tool.ts'
import { createTriggers, type TriggersDeps } from './triggers/create-triggers.ts'
import { startTarget } from './triggers/start-target.ts'
import { createWebhookSecrets } from './triggers/webhook-secrets.ts'
import { runView, sessionView } from './views.ts'
import { type HubSignal, tailRun, waitForRun } from './watch.ts'
import { createWorker, type Worker, type WorkerDeps, type WorkerOptions } from './worker.ts'
import { createWorkflowPlanner } from './workflow/workflow-plan.ts'

export interface RuntimeDeps extends ToolSources {
  readonly db: Database
  readonly clock: Clock
  readonly versions: VersionReader
  readonly models: ModelRegistry
  readonly metering: Metering
  readonly budgets: Budgets
  /** What other parts have to do from time to time. */
  readonly tasks?: readonly MaintenanceTask[]
  readonly codeGuardrails: ReadonlyMap<string, CodeGuardrail>
  readonly capturePolicy: (tenantId: TenantId) => Promise<CapturePolicy>
  /** How many runs this process drives at once. */
  readonly concurrency: number
  /** For tests that do not wait for real leases to lapse. */
  readonly lease?: Pick<WorkerOptions, 'leaseMs' | 'heartbeatMs'>
  readonly observer?: RuntimeObserver
  /** The engine that carries tickets; none: the worker asks the database. */
  readonly transport?: WorkerDeps['transport']
  /** Something was put in the queue, or woken: tickets may be sent for it. */
  readonly queued?: () => void
  /** The kinds of jobs that the worker takes; none named: all. */
  readonly kinds?: readonly string[] | undefined
  /** How many jobs of a tenant without a number of its own run at once, in all processes. */
  readonly tenantCap?: number | undefined
  /** Of the program, for the registry of workers. */
  readonly version?: string
  /** The host's own tools, for the registry of workers. */
  readonly codeToolNames?: readonly string[]
  /** From which the secrets of webhooks are derived; without it there are none. */
  readonly secretKey?: Uint8Array | undefined
  /** For backoff; tests hold it. */
  readonly random?: () => number
}

/** The use cases on runs, and the worker that drives them: it does nothing until it is started. */
export function createRuntime(deps: RuntimeDeps): {
  readonly runtime: Runtime
  /** Starts and stops the maintenance with it. */
  readonly worker: Worker
  /** For a process without a worker. */
  readonly maintenance: Maintenance
} {
  const { db, clock, versions, metering, budgets, capturePolicy, observer = silentObserver } = deps
  const hub = createLiveHub<HubSignal>()
  const planner = createPlanner(deps)
  const workflows = createWorkflowPlanner({ versions, planner })
  const queries = createQueries(db)
  const active: DriveDeps['active'] = new Map()
  const written = (runId: RunId, settled = true): void => hub.publish(runId, settled ? SETTLED : WRITTEN)
  const woken = (): void => {
    worker.wake()
    deps.queued?.()
  }
  const stop = (runId: RunId): void => worker.cancel(runId)
  const cancelOlder = cancelOlderHandler({
    db,
    clock,
    metering,
    budgets,
    capturePolicy,
    woken,
    stop,
    written,
  })
  const worker: Worker = createWorker(
    {
      handlers: new Map([[CANCEL_OLDER, cancelOlder]]),
      transport: deps.transport,
      queued: deps.queued,
      db,
      clock,
      random: deps.random ?? Math.random,
      worker: workerName(),
      planner,
      workflows,
      models: deps.models,
      metering,
      budgets,
      capturePolicy,
      observer,
      bodies: createKnownBodies(),
      active,
      written,
      delta: (runId, step, attempt, delta) => {
        if (hub.watched(runId)) hub.publish(runId, { type: 'delta', step, attempt, delta })
      },
    },
    {
      concurrency: deps.concurrency,
      kinds: deps.kinds,
      tenantCap: deps.tenantCap,
      version: deps.version,
      codeToolNames: deps.codeToolNames ?? [...deps.codeTools.keys()],
      ...deps.lease,
    },
  )
  const watch = { db, hub, get: queries.get }
  const triggers: TriggersDeps = {
    db,
    clock,
    observer,
    capturePolicy,
    woken,
    written,
    secrets: createWebhookSecrets(deps.secretKey),
    start: startTarget((principal, input, context) => runtime.start(principal, input, context)),
  }
  const runtime: Runtime = {
    ...queries,
    start: async (principal, input, context) =>
      runView(
        await startRun(
          { db, clock, versions, planner, workflows, budgets, accepted: woken },
          principal,
          input,
          context,
        ),
      ),
    wait: (tenantId, runId, timeoutMs, signal) => waitForRun(watch, tenantId, runId, timeoutMs, signal),
    tail: (tenantId, runId, afterSeq, signal) => tailRun(watch, tenantId, runId, afterSeq, signal),
    cancel: async (principal, runId, context) =>
      runView(
        await cancelRun(
          { db, clock, metering, budgets, capturePolicy, woken, stop, written },
          principal,
          runId,
          context,
        ),
      ),
    resolve: async (principal, runId, step, resolution, context) =>
      runView(
        await resolveStep(
          { db, clock, capturePolicy, woken, written },
          principal,
          runId,
          step,
          resolution,
          context,
        ),
      ),
    replay: async (principal, runId, input, context) =>
      runView(
        await replayRun(
          { db, clock, planner, workflows, budgets, accepted: woken },
          principal,
          runId,
          input,
          context,
        ),
      ),
    orderCancelOlder: (tx, principal, definitionId, context) =>
      orderCancelOlder(tx, principal, definitionId, context, clock()),
    redrive: async (principal, runId, context) =>
      runView(await redriveRun({ db, clock, planner, budgets, accepted: woken }, principal, runId, context)),
    jobs: createJobs({
      db,
      clock,
      woken,
      cancelRun: (principal, runId, context) => runtime.cancel(principal, runId, context),
      redriveRun: (principal, runId, context) => runtime.redrive(principal, runId, context),
    }),
    approvals: createApprovals({ db, clock, woken, written }),
    triggers: createTriggers(triggers),
    testTool: (principal, tool, input, context) =>
      testTool({ db, clock, planner }, principal, tool, input, context),
    async createSession(principal, agent, context) {
      const { id: agentId, name } = await versions.publishedAgent(principal.tenantId, agent)
      const at = clock()
      const id = newId('session', at)
      const row = await db.tenant(principal.tenantId).write(async (tx) => {
        await tx.run(insertSession, { id, agentId, createdBy: actorOf(principal), at })
        const data = { agent: name }
        await appendAudit(tx, {
          type: 'session.created',
          actor: actorOf(principal),
          subject: id,
          data,
          requestId: context.requestId,
          at,
        })
        await context.inTransaction?.(tx, id)
        return tx.first(sessionById, { id })
      })
      if (row === undefined)
        throw new AppError('internal', `The session ${id} was recorded and cannot be read.`)
      return sessionView(row)
    },
  }
  const maintenance = createMaintenance({
    tasks: [...maintenanceTasks(triggers, worker.isTurn), ...(deps.tasks ?? [])],
    clock,
    observer,
  })
  return { runtime, worker: maintained(worker, maintenance), maintenance }
}

const WRITTEN: HubSignal = { type: 'written', settled: false }
const SETTLED: HubSignal = { type: 'written', settled: true }
