// The metrics of one process for Prometheus. Owns the registry and its series; counts what it is told and asks for depth
// when it is scraped. No label holds an id, a tenant or a text of a user without a bound. Called by app/ and observer.ts.

import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { ModelUsage } from '../../contract/usage.ts'
import type { QueueDepth } from '../queue-depth.ts'
import { createBoundedLabel } from './bounded-label.ts'
import { collectProcessMetrics } from './loop-lag.ts'

const PREFIX = 'agent_factory_'
const PROVIDERS_MAX = 32
const OUTCOMES_MAX = 32
const ROUTES_MAX = 200
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** Seconds; from a read of the database to a request that waits for a run. */
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const WORK_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800]
const WRITE_SECONDS = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5]

export interface Metrics {
  /** `route` is the route's id, never the path. */
  httpRequest(request: {
    readonly route: string
    readonly method: string
    readonly status: number
    readonly ms: number
  }): void
  runStarted(): void
  runEnded(state: string, ms: number): void
  modelCalled(call: {
    readonly provider: string
    readonly outcome: string
    readonly ms: number
    readonly firstTokenMs: number | undefined
    readonly usage: ModelUsage
  }): void
  toolCalled(outcome: string, ms: number): void
  /** One unit of work that changed the database, with its wait for the writer and the commit. */
  databaseWritten(outcome: 'done' | 'failed', ms: number): void
  /** The text for a scrape, in Prometheus' format. */
  text(): Promise<string>
}

export interface MetricsDeps {
  readonly version: string
  /** The queue of the platform, asked at each scrape; it may fail, and its gauges are then absent. */
  readonly queueDepth: () => Promise<QueueDepth>
  /** How long ago this process last looked for jobs to send tickets for; undefined where no engine carries any. */
  readonly relayLagMs?: () => number | undefined
}

export function createMetrics(deps: MetricsDeps): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectProcessMetrics(registry)
  const provider = createBoundedLabel(PROVIDERS_MAX)
  const outcome = createBoundedLabel(OUTCOMES_MAX)
  const route = createBoundedLabel(ROUTES_MAX)

  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ name: PREFIX + name, help, labelNames, registers })
  const histogram = <L extends string>(
    name: string,
    help: string,
    buckets: number[],
    ...labelNames: L[]
  ): Histogram<L> => new Histogram({ name: PREFIX + name, help, buckets, labelNames, registers })

  new Gauge({
    name: `${PREFIX}build_info`,
    help: 'The version that runs; always 1.',
    labelNames: ['version'],
    registers,
  }).set({ version: deps.version }, 1)
  registerQueueDepth(registry, deps)
  const requests = counter(
    'http_requests_total',
    'HTTP requests answered.',
    'route',
    'method',
    'status_class',
  )
  const requestSeconds = histogram(
    'http_request_duration_seconds',
    'Time to answer an HTTP request.',
    REQUEST_SECONDS,
    'route',
    'method',
  )
  const runsStarted = counter('runs_started_total', 'Times a worker took up a run.')
  const runsEnded = counter('runs_ended_total', 'Runs that ended or began to wait, by that state.', 'state')
  const runSeconds = histogram(
    'run_duration_seconds',
    'Time from the request of a run to its end.',
    WORK_SECONDS,
    'state',
  )
  const modelCalls = counter(
    'model_calls_total',
    'Attempts at a model, by how they ended.',
    'provider',
    'outcome',
  )
  const modelSeconds = histogram(
    'model_call_duration_seconds',
    'Time of an attempt at a model.',
    WORK_SECONDS,
    'provider',
  )
  const firstToken = histogram(
    'model_first_token_seconds',
    'Time to the first content of an attempt.',
    WORK_SECONDS,
    'provider',
  )
  const tokens = counter(
    'model_tokens_total',
    'Tokens that providers reported; the kinds do not overlap.',
    'provider',
    'kind',
  )
  const usageMissing = counter('model_usage_missing_total', 'Attempts whose usage nobody knows.', 'provider')
  const toolCalls = counter('tool_calls_total', 'Tool calls, by how they ended.', 'outcome')
  const toolSeconds = histogram('tool_call_duration_seconds', 'Time of a tool call.', WORK_SECONDS)
  const writeSeconds = histogram(
    'database_write_duration_seconds',
    'Time of a unit of work that writes, with its wait and its commit.',
    WRITE_SECONDS,
    'outcome',
  )

  return {
    text: () => registry.metrics(),
    httpRequest({ route: id, method, status, ms }) {
      const labels = { route: route(id), method: METHODS.has(method) ? method : 'other' }
      requests.inc({ ...labels, status_class: `${Math.floor(status / 100)}xx` })
      requestSeconds.observe(labels, ms / 1_000)
    },
    runStarted: () => runsStarted.inc(),
    runEnded(state, ms) {
      runsEnded.inc({ state })
      if (state !== 'waiting') runSeconds.observe({ state }, ms / 1_000)
    },
    modelCalled(call) {
      const labels = { provider: provider(call.provider) }
      modelCalls.inc({ ...labels, outcome: outcome(call.outcome) })
      modelSeconds.observe(labels, call.ms / 1_000)
      if (call.firstTokenMs !== undefined) firstToken.observe(labels, call.firstTokenMs / 1_000)
      if (call.usage.state === 'missing') usageMissing.inc(labels)
      if (call.usage.state !== 'known') return
      const { counts } = call.usage
      tokens.inc({ ...labels, kind: 'input' }, counts.inputTokens)
      tokens.inc({ ...labels, kind: 'cached_input' }, counts.cachedInputTokens)
      tokens.inc({ ...labels, kind: 'cache_write' }, counts.cacheWriteTokens)
      tokens.inc({ ...labels, kind: 'output' }, counts.outputTokens)
    },
    toolCalled(ended, ms) {
      toolCalls.inc({ outcome: ended })
      toolSeconds.observe(ms / 1_000)
    },
    databaseWritten: (ended, ms) => writeSeconds.observe({ outcome: ended }, ms / 1_000),
  }
}

function registerQueueDepth(registry: Registry, { queueDepth, relayLagMs }: MetricsDeps): void {
  let asking: Promise<QueueDepth | undefined> | undefined
  // Asked once for all gauges of a scrape. A database that does not answer must not take the other metrics with it.
  const depth = (): Promise<QueueDepth | undefined> => {
    asking ??= queueDepth()
      .catch(() => undefined)
      .finally(() => {
        asking = undefined
      })
    return asking
  }
  const gauge = (name: string, help: string, value: () => Promise<number | undefined>): void => {
    const made: Gauge = new Gauge({
      name: PREFIX + name,
      help,
      registers: [registry],
      async collect() {
        const now = await value()
        if (now === undefined) made.remove()
        else made.set(now)
      },
    })
  }
  gauge('queue_oldest_seconds', 'How long the job that is due for the longest has waited.', async () =>
    seconds((await depth())?.oldestQueuedMs),
  )
  gauge(
    'queue_tickets_in_flight',
    'Queued jobs with a ticket that no worker has taken yet.',
    async () => (await depth())?.ticketsInFlight,
  )
  gauge(
    'workers_live',
    'Workers of the platform whose heartbeat is not old.',
    async () => (await depth())?.workers,
  )
  gauge(
    'relay_lag_seconds',
    'Since this process last looked for jobs to send tickets for; absent where no engine carries any.',
    async () => seconds(relayLagMs?.()),
  )
  const jobs = new Gauge({
    name: `${PREFIX}queue_jobs`,
    help: 'Jobs by state that are not done.',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const found = await depth()
      jobs.reset()
      for (const [state, count] of Object.entries(found?.jobs ?? {})) jobs.set({ state }, count)
    },
  })
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000
}
