import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import type { RunId, TenantId } from '../../base/ids.ts'
import { ZERO_COUNTS } from '../../contract/usage.ts'
import { createHttpObserver } from '../http-observer.ts'
import { createLogger } from '../logging/logger.ts'
import { createMetrics } from '../metrics/metrics.ts'
import { createRuntimeObserver } from '../observer.ts'
import { createTraceParents } from './trace-parents.ts'
import { createTracing, type Tracing } from './tracing.ts'

interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly status?: { readonly code?: number }
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
}

/** A collector: what it was sent, by OTLP over HTTP in JSON. */
async function startCollector() {
  const spans: Span[] = []
  const headers: (string | undefined)[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    headers.push(request.url, String(request.headers['x-key']))
    const body = JSON.parse(text)
    for (const resource of body.resourceSpans)
      for (const scope of resource.scopeSpans) spans.push(...scope.spans)
    response.setHeader('content-type', 'application/json').end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    spans,
    headers,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    span: (name: string) => {
      const found = spans.find((span) => span.name === name)
      assert.ok(found, `no span "${name}" among ${spans.map((span) => span.name).join(', ')}`)
      return found
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

function observers(tracing: Tracing | undefined) {
  const lines: string[] = []
  const service = { name: 'agent-factory', version: '1' }
  const write = (line: string): void => void lines.push(line)
  const log = createLogger({ level: 'debug', format: 'json', secrets: [], service, color: false, write })
  const metrics = createMetrics({ version: '1', queueDepth: () => Promise.reject(new Error('none')) })
  const deps = { metrics, log, tracing, parents: createTraceParents(), clock: Date.now }
  return { http: createHttpObserver(deps), runtime: createRuntimeObserver(deps), metrics, lines }
}

const open = (endpoint: string) =>
  createTracing({
    endpoint,
    headers: { 'x-key': 'k' },
    service: { name: 'agent-factory', version: '1' },
    delayMs: 10,
  })

const RUN = {
  tenantId: 'ten_1' as TenantId,
  runId: 'run_1' as RunId,
  agent: 'guide',
  traceId: 'a'.repeat(32),
  parentRunId: undefined,
}
const CALL = {
  step: 1,
  attempt: 1,
  model: 'openai/gpt-5-mini',
  outcome: 'answered',
  timing: { firstTokenMs: 20, totalMs: 100 },
  usage: {
    state: 'known',
    counts: { ...ZERO_COUNTS, inputTokens: 3, cachedInputTokens: 4, outputTokens: 5 },
    raw: null,
  },
  startedAt: 1_700_000_000_000,
} as const

describe('tracing', () => {
  it('joins the request, the run, its model call and its tool call in the trace of the caller', async () => {
    await using collector = await startCollector()
    {
      await using tracing = open(collector.endpoint)
      const { http, runtime } = observers(tracing)
      const caller = `00-${RUN.traceId}-${'b'.repeat(16)}-01`
      const request = http.started({
        route: 'startRun',
        method: 'POST',
        path: '/agents/{id}/runs',
        traceparent: caller,
      })
      runtime.modelCalled(RUN, CALL)
      runtime.toolCalled(RUN, {
        step: 2,
        tool: 'clock',
        outcome: 'failed',
        ms: 3,
        startedAt: 1_700_000_000_100,
      })
      runtime.runEnded(RUN, { state: 'completed', errorCode: undefined, ms: 500 })
      request.ended({ status: 202, durationMs: 5 })
      assert.match(request.traceparent ?? '', new RegExp(`^00-${RUN.traceId}-[0-9a-f]{16}-01$`))
    }
    const [server, run, model, tool] = [
      'POST /agents/{id}/runs',
      'invoke_agent guide',
      'chat gpt-5-mini',
      'execute_tool clock',
    ].map(collector.span)
    assert.equal(server?.parentSpanId, 'b'.repeat(16))
    assert.equal(run?.parentSpanId, server?.spanId)
    assert.equal(model?.parentSpanId, run?.spanId)
    assert.equal(tool?.parentSpanId, run?.spanId)
    assert.deepEqual(new Set(collector.spans.map((span) => span.traceId)), new Set([RUN.traceId]))
    assert.equal(tool?.status?.code, 2)
    assert.equal(Number(model?.endTimeUnixNano) - Number(model?.startTimeUnixNano), 1e8)
    const attributes = new Map(model?.attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
    assert.equal(attributes.get('gen_ai.provider.name'), 'openai')
    assert.equal(attributes.get('gen_ai.usage.input_tokens'), 7)
    assert.deepEqual(collector.headers.slice(0, 2), ['/v1/traces', 'k'])
  })

  it('finds the parent again in another process: a span of a run has the same id everywhere', async () => {
    await using collector = await startCollector()
    for (const work of ['step', 'end'] as const) {
      await using tracing = open(collector.endpoint)
      const { runtime } = observers(tracing)
      const run = { ...RUN, traceId: undefined }
      if (work === 'step') runtime.modelCalled(run, CALL)
      else runtime.runEnded(run, { state: 'completed', errorCode: undefined, ms: 5 })
    }
    const run = collector.span('invoke_agent guide')
    assert.equal(collector.span('chat gpt-5-mini').parentSpanId, run.spanId)
    assert.equal(collector.span('chat gpt-5-mini').traceId, run.traceId)
    assert.ok(!run.parentSpanId)
  })

  it('puts a run that an agent started below the run of that agent', async () => {
    await using collector = await startCollector()
    {
      await using tracing = open(collector.endpoint)
      const { runtime } = observers(tracing)
      runtime.runEnded(RUN, { state: 'completed', errorCode: undefined, ms: 5 })
      const child = { ...RUN, runId: 'run_2' as RunId, agent: 'child', parentRunId: RUN.runId }
      runtime.runEnded(child, { state: 'failed', errorCode: 'limit.steps', ms: 5 })
    }
    assert.equal(
      collector.span('invoke_agent child').parentSpanId,
      collector.span('invoke_agent guide').spanId,
    )
  })

  it('neither throws nor waits long when the collector is gone', async () => {
    const tracing = open('http://127.0.0.1:1')
    observers(tracing).runtime.modelCalled(RUN, CALL)
    const start = performance.now()
    await tracing[Symbol.asyncDispose]()
    assert.ok(performance.now() - start < 5_000)
  })

  it('is not needed: without it requests and runs are counted and logged', async () => {
    const { http, runtime, metrics, lines } = observers(undefined)
    const request = http.started({
      route: 'getRun',
      method: 'GET',
      path: '/runs/{id}',
      traceparent: 'garbage',
    })
    assert.equal(request.traceparent, undefined)
    request.ended({ status: 404, durationMs: 5 })
    runtime.runEnded(RUN, { state: 'failed', errorCode: 'limit.steps', ms: 5 })
    const text = await metrics.text()
    assert.match(text, /http_requests_total\{route="getRun",method="GET",status_class="4xx"\} 1/)
    assert.match(text, /runs_ended_total\{state="failed"\} 1/)
    assert.match(lines.join(''), /"run_id":"run_1".*"code":"limit.steps"/)
  })

  it('lets no failure of an observer reach the runtime', () => {
    const { runtime } = observers(undefined)
    const hostile = Object.defineProperty({ ...RUN }, 'agent', {
      get: () => {
        throw new Error('no')
      },
    })
    assert.doesNotThrow(() => runtime.modelCalled(hostile, CALL))
  })
})
