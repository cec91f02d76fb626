// From what the runtime tells of itself to metrics, spans and log lines. Never throws, never waits, keeps no run in memory.

import type { ObservedRun, RuntimeObserver } from '../runtime/observer.ts'
import type { Logger } from './logging/logger.ts'
import type { Metrics } from './metrics/metrics.ts'
import { modelSpan, runSpan, toolSpan } from './tracing/run-spans.ts'
import type { TraceParents } from './tracing/trace-parents.ts'
import type { Tracing } from './tracing/tracing.ts'

export interface ObserverDeps {
  readonly metrics: Metrics
  readonly log: Logger
  /** Undefined where no endpoint is set. */
  readonly tracing: Tracing | undefined
  readonly parents: TraceParents
  readonly clock: () => number
}

export function createRuntimeObserver({
  metrics,
  log,
  tracing,
  parents,
  clock,
}: ObserverDeps): RuntimeObserver {
  const about = (run: ObservedRun): Logger =>
    log.with({ tenant_id: run.tenantId, run_id: run.runId, agent: run.agent })
  return quiet({
    runStarted(run) {
      metrics.runStarted()
      about(run).debug('run taken up')
    },
    runEnded(run, end) {
      metrics.runEnded(end.state, end.ms)
      const facts = { ms: end.ms, ...(end.errorCode === undefined ? {} : { code: end.errorCode }) }
      about(run)[end.state === 'failed' ? 'warn' : 'info'](`run ${end.state}`, facts)
      // A run that waits goes on under the same span.
      if (end.state === 'waiting' || end.state === 'queued') return
      tracing?.record(runSpan(run, end, parents.of(run.traceId), clock()))
    },
    modelCalled(run, call) {
      const provider = call.model.slice(0, Math.max(0, call.model.indexOf('/'))) || 'unknown'
      const { firstTokenMs, totalMs } = call.timing
      metrics.modelCalled({ provider, outcome: call.outcome, ms: totalMs, firstTokenMs, usage: call.usage })
      about(run).debug('model called', {
        step: call.step,
        attempt: call.attempt,
        model: call.model,
        outcome: call.outcome,
        ms: totalMs,
      })
      tracing?.record(modelSpan(run, call, provider))
    },
    toolCalled(run, call) {
      metrics.toolCalled(call.outcome, call.ms)
      about(run).debug('tool called', {
        step: call.step,
        tool: call.tool,
        outcome: call.outcome,
        ms: call.ms,
      })
      tracing?.record(toolSpan(run, call))
    },
    trouble: (message, facts) => log.error(message, facts),
  })
}

/** The same observer, but what it throws goes nowhere: telemetry never breaks a run. */
function quiet(observer: RuntimeObserver): RuntimeObserver {
  const guarded =
    <A extends readonly unknown[]>(hook: (...args: A) => void) =>
    (...args: A): void => {
      try {
        hook(...args)
      } catch {
        // Nothing that could be told would reach anybody.
      }
    }
  return {
    runStarted: guarded(observer.runStarted),
    runEnded: guarded(observer.runEnded),
    modelCalled: guarded(observer.modelCalled),
    toolCalled: guarded(observer.toolCalled),
    trouble: guarded(observer.trouble),
  }
}
