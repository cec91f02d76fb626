// W3C trace context: read from a header, written to one, and derived from a run's id.
// https://www.w3.org/TR/trace-context/

import { createHash } from 'node:crypto'

export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  readonly sampled: boolean
}

const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/
const HEADER_CHARS_MAX = 256

/** The context of a `traceparent` header, or undefined where it is absent or not one. */
export function parseTraceparent(header: string | undefined | null): TraceContext | undefined {
  if (header === undefined || header === null || header.length > HEADER_CHARS_MAX) return undefined
  const match = TRACEPARENT.exec(header)
  const [, version, traceId, spanId, flags] = match ?? []
  if (traceId === undefined || spanId === undefined) return undefined
  // Version 00 has exactly four parts; later ones may have more.
  if (version === '00' && header.length !== 55) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags ?? '0', 16) & 1) === 1 }
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}

/**
 * The span of a run: the same in every process and after every restart, so that steps done elsewhere find their parent.
 * The trace is the one that the run's request came with, or one of its own.
 */
export function runContext(runId: string, traceId: string | undefined): TraceContext {
  const hash = createHash('sha256').update(runId).digest('hex')
  const own = hash.slice(0, 32)
  return {
    traceId: traceId !== undefined && TRACE_ID.test(traceId) ? traceId : own,
    spanId: hash.slice(32, 48),
    sampled: true,
  }
}
