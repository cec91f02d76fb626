// Log, metrics and traces of one process, put together. Traces are loaded only where an endpoint is set.

import type { Clock } from '../../base/time.ts'
import { createHttpObserver, type HttpObserver } from '../../operations/http-observer.ts'
import { createLogger, type Logger } from '../../operations/logging/logger.ts'
import { createLazyMetrics } from '../../operations/metrics/lazy-metrics.ts'
import type { Metrics } from '../../operations/metrics/metrics.ts'
import { createRuntimeObserver } from '../../operations/observer.ts'
import type { QueueDepth } from '../../operations/queue-depth.ts'
import { createTraceParents } from '../../operations/tracing/trace-parents.ts'
import type { Tracing } from '../../operations/tracing/tracing.ts'
import type { RuntimeObserver } from '../../runtime/observer.ts'
import { PACKAGE_VERSION } from '../package-version.ts'
import type { Settings } from '../settings.ts'

export interface Telemetry {
  readonly metrics: Metrics
  readonly http: HttpObserver
  readonly runtime: RuntimeObserver
}

const SERVICE = { name: 'agent-factory', version: PACKAGE_VERSION }

/** The log of these settings; disposing it writes what is still gathered. */
export function openLog(settings: Settings): Logger & Disposable {
  return createLogger({
    ...settings.log,
    secrets: settings.secrets.map((held) => held.reveal()),
    service: SERVICE,
    color: process.stdout.isTTY === true && process.stdout.hasColors(),
  })
}

/** Undefined where no endpoint is set. */
export async function openTracing({ tracing }: Settings): Promise<Tracing | undefined> {
  if (tracing.state === 'off') return undefined
  const { createTracing } = await import('../../operations/tracing/tracing.ts')
  const headers = Object.fromEntries(
    Object.entries(tracing.headers).map(([name, value]) => [name, value.reveal()]),
  )
  return createTracing({ endpoint: tracing.endpoint, headers, service: SERVICE })
}

export function createTelemetry(deps: {
  readonly log: Logger
  readonly tracing: Tracing | undefined
  readonly clock: Clock
  readonly queueDepth: () => Promise<QueueDepth>
  readonly relayLagMs?: () => number | undefined
}): Telemetry & Disposable {
  const { queueDepth, relayLagMs } = deps
  const metrics = createLazyMetrics({
    version: PACKAGE_VERSION,
    queueDepth,
    ...(relayLagMs && { relayLagMs }),
  })
  const shared = { ...deps, metrics, parents: createTraceParents() }
  return {
    metrics,
    http: createHttpObserver(shared),
    runtime: createRuntimeObserver(shared),
    [Symbol.dispose]: metrics[Symbol.dispose],
  }
}
