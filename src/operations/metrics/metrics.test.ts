import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ZERO_COUNTS } from '../../contract/usage.ts'
import type { QueueDepth } from '../queue-depth.ts'
import { createLazyMetrics } from './lazy-metrics.ts'
import { createMetrics, type MetricsDeps } from './metrics.ts'

const DEPTH: QueueDepth = {
  jobs: { queued: 3, scheduled: 0, leased: 1, unroutable: 2, dead: 0 },
  oldestQueuedMs: 4_500,
  ticketsInFlight: 2,
  workers: 5,
}
const open = (queueDepth: MetricsDeps['queueDepth'] = async () => DEPTH, relayLagMs?: () => number) =>
  createMetrics({ version: '1.2.3', queueDepth, ...(relayLagMs && { relayLagMs }) })

describe('metrics', () => {
  it('count requests by route id, method and class of status', async () => {
    const metrics = open()
    metrics.httpRequest({ route: 'runs.get', method: 'GET', status: 200, ms: 4 })
    metrics.httpRequest({ route: 'runs.get', method: 'GET', status: 404, ms: 4 })
    const text = await metrics.text()
    assert.match(
      text,
      /agent_factory_http_requests_total\{route="runs.get",method="GET",status_class="2xx"\} 1/,
    )
    assert.match(
      text,
      /agent_factory_http_requests_total\{route="runs.get",method="GET",status_class="4xx"\} 1/,
    )
    assert.match(
      text,
      /agent_factory_http_request_duration_seconds_bucket\{le="0.005",route="runs.get",method="GET"\} 2/,
    )
  })

  it('count runs, model calls, tokens and tool calls', async () => {
    const metrics = open()
    metrics.runStarted()
    metrics.runEnded('completed', 1_500)
    const usage = {
      state: 'known',
      counts: { ...ZERO_COUNTS, inputTokens: 10, outputTokens: 4 },
      raw: null,
    } as const
    metrics.modelCalled({ provider: 'openai', outcome: 'answered', ms: 100, firstTokenMs: 20, usage })
    metrics.modelCalled({
      provider: 'openai',
      outcome: 'timeout',
      ms: 100,
      firstTokenMs: undefined,
      usage: { state: 'missing', raw: null },
    })
    metrics.toolCalled('done', 5)
    metrics.databaseWritten('done', 2)
    const text = await metrics.text()
    for (const line of [
      'runs_started_total 1',
      'runs_ended_total{state="completed"} 1',
      'run_duration_seconds_sum{state="completed"} 1.5',
      'model_calls_total{provider="openai",outcome="answered"} 1',
      'model_tokens_total{provider="openai",kind="input"} 10',
      'model_usage_missing_total{provider="openai"} 1',
      'tool_calls_total{outcome="done"} 1',
      'database_write_duration_seconds_sum{outcome="done"} 0.002',
      'build_info{version="1.2.3"} 1',
    ]) {
      assert.ok(text.includes(`\nagent_factory_${line}\n`), line)
    }
  })

  it('ask for the queue at each scrape, and do without when it does not answer', async () => {
    const whole = await open(undefined, () => 250).text()
    for (const line of [
      'queue_jobs{state="queued"} 3',
      'queue_jobs{state="unroutable"} 2',
      'queue_oldest_seconds 4.5',
      'queue_tickets_in_flight 2',
      'workers_live 5',
      'relay_lag_seconds 0.25',
    ]) {
      assert.ok(whole.includes(`\nagent_factory_${line}\n`), line)
    }
    assert.doesNotMatch(await open().text(), /relay_lag_seconds \d/)
    const text = await open(() => Promise.reject(new Error('down'))).text()
    assert.doesNotMatch(text, /agent_factory_(queue_jobs\{|queue_oldest_seconds \d|workers_live \d)/)
    assert.match(text, /nodejs_eventloop_lag_seconds/)
  })

  it('keep few series, whatever they are told', async () => {
    const metrics = open()
    for (let i = 0; i < 1_000; i++) {
      const usage = { state: 'none' } as const
      metrics.httpRequest({ route: `r${i}`, method: `M${i}`, status: 200, ms: 1 })
      metrics.modelCalled({ provider: `p${i}`, outcome: `o${i}`, ms: 1, firstTokenMs: undefined, usage })
    }
    const series = (await metrics.text())
      .split('\n')
      .filter((line) => /^agent_factory_(http_requests|model_calls)_total/.test(line))
    assert.ok(series.length < 300, String(series.length))
  })

  it('that are loaded later count what they were told before', async () => {
    using metrics = createLazyMetrics({ version: '1', queueDepth: async () => DEPTH })
    metrics.runStarted()
    metrics.toolCalled('done', 5)
    const text = await metrics.text()
    assert.match(text, /\nagent_factory_runs_started_total 1\n/)
    metrics.runStarted()
    assert.match(await metrics.text(), /\nagent_factory_runs_started_total 2\n/)
  })
})
