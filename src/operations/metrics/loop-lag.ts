// How late the event loop is. The library's own monitor wakes a process a hundred times a second, which is most of what an
// idle one costs, and counts its own period as lag; this one has the same series, wakes rarely, and counts lateness only.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client'

/** How often the loop is looked at. A loop that stands still for longer is seen each time, a shorter stop now and then. */
const LOOK_MS = 1_000
/** For the library's monitor, which cannot be left out: once in weeks. */
const NEVER_MS = 2 ** 31 - 1
const NS_PER_SECOND = 1e9
const LOOK_SECONDS = LOOK_MS / 1_000

type Histogram = ReturnType<typeof monitorEventLoopDelay>

const SERIES: Readonly<Record<string, readonly [help: string, (seen: Histogram) => number]>> = {
  min: ['The least lateness of the event loop since the last scrape.', (seen) => late(seen.min)],
  max: ['The most lateness of the event loop since the last scrape.', (seen) => late(seen.max)],
  mean: ['The mean lateness of the event loop since the last scrape.', (seen) => late(seen.mean)],
  stddev: ['The standard deviation of the lateness.', (seen) => seen.stddev / NS_PER_SECOND],
  p50: ['The 50th percentile of the lateness.', (seen) => late(seen.percentile(50))],
  p90: ['The 90th percentile of the lateness.', (seen) => late(seen.percentile(90))],
  p99: ['The 99th percentile of the lateness.', (seen) => late(seen.percentile(99))],
}

/** The metrics of the process that the library has, with this lag instead of its own. */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS })
  const seen = monitorEventLoopDelay({ resolution: LOOK_MS })
  seen.enable()
  const gauges: [Gauge, (seen: Histogram) => number][] = []
  for (const [name, [help, value]] of Object.entries(SERIES)) {
    const full = `nodejs_eventloop_lag_${name}_seconds`
    registry.removeSingleMetric(full)
    // The first is asked first, and sets them all: they are of the same time.
    const collect = gauges.length === 0 ? setAll : undefined
    gauges.push([new Gauge({ name: full, help, registers: [registry], ...(collect && { collect }) }), value])
  }
  function setAll(): void {
    for (const [gauge, value] of gauges) {
      if (seen.count === 0) gauge.remove()
      else gauge.set(value(seen))
    }
    seen.reset()
  }
}

/** What was seen is the time from one look to the next. */
function late(ns: number): number {
  return Math.max(ns / NS_PER_SECOND - LOOK_SECONDS, 0)
}
