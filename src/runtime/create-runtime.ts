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
import type { Database } from '../storage/database.ts'
import type { CapturePolicy, DriveDeps } from './agent/context.ts'
import { createPlanner } from './agent/plan.ts'
import type { ToolSources } from './agent/tool-binding.ts'
import { cancelRun } from './cancel-run.ts'
import { createKnownBodies } from './known-bodies.ts'
import type { Metering } from './metering.ts'
import { type RuntimeObserver, silentObserver } from './observer.ts'
import { createQueries } from './queries.ts'
import { resolveStep } from './resolve-step.ts'
import type { Runtime } from './runtime.ts'
import { insertSession, sessionById } from './session-store.ts'
import { startRun } from './start-run.ts'
import { testTool } from './test-tool.ts'
import { runView, sessionView } from './views.ts'
import { type HubSignal, tailRun, waitForRun } from './watch.ts'
import { createWorker, type Worker, type WorkerOptions } from './worker.ts'
import { workerName } from './worker-owner.ts'

export interface RuntimeDeps extends ToolSources {
  readonly db: Database
  readonly clock: Clock
  readonly versions: VersionReader
  readonly models: ModelRegistry
  readonly metering: Metering
  readonly codeGuardrails: ReadonlyMap<string, CodeGuardrail>
  readonly capturePolicy: (tenantId: TenantId) => Promise<CapturePolicy>
  /** How many runs this process drives at once. */
  readonly concurrency: number
  /** For tests that do not wait for real leases to lapse. */
  readonly lease?: Pick<WorkerOptions, 'leaseMs' | 'heartbeatMs'>
  readonly observer?: RuntimeObserver
  /** For backoff; tests hold it. */
  readonly random?: () => number
}

/** The use cases on runs, and the worker that drives them: it does nothing until it is started. */
export function createRuntime(deps: RuntimeDeps): { readonly runtime: Runtime; readonly worker: Worker } {
  const { db, clock, versions, metering, capturePolicy } = deps
  const hub = createLiveHub<HubSignal>()
  const planner = createPlanner(deps)
  const queries = createQueries(db)
  const active: DriveDeps['active'] = new Map()
  const written = (runId: RunId, settled = true): void => hub.publish(runId, settled ? SETTLED : WRITTEN)
  const worker = createWorker(
    {
      db,
      clock,
      random: deps.random ?? Math.random,
      worker: workerName(),
      planner,
      models: deps.models,
      metering,
      capturePolicy,
      observer: deps.observer ?? silentObserver,
      bodies: createKnownBodies(),
      active,
      written,
      delta: (runId, step, attempt, delta) => {
        if (hub.watched(runId)) hub.publish(runId, { type: 'delta', step, attempt, delta })
      },
    },
    { concurrency: deps.concurrency, ...deps.lease },
  )
  const { wake: woken, cancel: stop } = worker
  const watch = { db, hub, get: queries.get }
  const runtime: Runtime = {
    ...queries,
    start: async (principal, input, context) =>
      runView(await startRun({ db, clock, versions, planner, accepted: woken }, principal, input, context)),
    wait: (tenantId, runId, timeoutMs, signal) => waitForRun(watch, tenantId, runId, timeoutMs, signal),
    tail: (tenantId, runId, afterSeq, signal) => tailRun(watch, tenantId, runId, afterSeq, signal),
    cancel: async (principal, runId, context) =>
      runView(
        await cancelRun(
          { db, clock, metering, capturePolicy, woken, stop, written },
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
  return { runtime, worker }
}

const WRITTEN: HubSignal = { type: 'written', settled: false }
const SETTLED: HubSignal = { type: 'written', settled: true }
