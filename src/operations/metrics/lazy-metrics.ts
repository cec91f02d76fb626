// Metrics whose library is loaded once the process serves: it is a tenth of a cold start. What is told before is kept.

import type { Metrics, MetricsDeps } from './metrics.ts'

/** What is told before the library is there, at most so much of it. */
const KEPT_MAX = 1_000
const LOAD_AFTER_MS = 500

export function createLazyMetrics(deps: MetricsDeps): Metrics & Disposable {
  const kept: ((metrics: Metrics) => void)[] = []
  let ready: Metrics | undefined
  let loading: Promise<Metrics> | undefined

  const load = async (): Promise<Metrics> => {
    const { createMetrics } = await import('./metrics.ts')
    const metrics = createMetrics(deps)
    ready = metrics
    for (const tell of kept.splice(0)) tell(metrics)
    return metrics
  }
  const loaded = (): Promise<Metrics> => {
    loading ??= load()
    return loading
  }
  const tell = (what: (metrics: Metrics) => void): void => {
    if (ready !== undefined) what(ready)
    else if (kept.length < KEPT_MAX) kept.push(what)
  }
  // Without the library there are no metrics, and nothing else is the worse for it.
  const timer = setTimeout(() => loaded().catch(() => undefined), LOAD_AFTER_MS)
  timer.unref()

  return {
    httpRequest: (request) => tell((metrics) => metrics.httpRequest(request)),
    runStarted: () => tell((metrics) => metrics.runStarted()),
    runEnded: (state, ms) => tell((metrics) => metrics.runEnded(state, ms)),
    modelCalled: (call) => tell((metrics) => metrics.modelCalled(call)),
    toolCalled: (outcome, ms) => tell((metrics) => metrics.toolCalled(outcome, ms)),
    databaseWritten: (outcome, ms) => tell((metrics) => metrics.databaseWritten(outcome, ms)),
    text: async () => (await loaded()).text(),
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}
