// Traces in OpenTelemetry's form, sent by OTLP over HTTP. Owns the exporter; nothing waits for it and it never throws.
// This file loads the SDK: it is imported only where an endpoint is set. Called by app/.

import {
  type Attributes,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, RandomIdGenerator, TracerProvider } from '@opentelemetry/sdk-trace'
import { ATTRIBUTE, SCHEMA_URL } from './attribute-names.ts'
import type { TraceContext } from './trace-context.ts'

export interface FinishedSpan {
  readonly name: string
  readonly kind: 'server' | 'client' | 'internal'
  /** Undefined: the span is the first of its trace. */
  readonly parent: TraceContext | undefined
  /** The span's own ids, where they were given away before it ended. */
  readonly self?: TraceContext
  readonly startedAt: number
  readonly ms: number
  readonly attributes: Attributes
  /** The kind of error, where the work failed. */
  readonly error?: string | undefined
}

export interface Tracing extends AsyncDisposable {
  record(span: FinishedSpan): void
  /** Ids for a span that begins now: below `parent`, or in a trace of its own. */
  newContext(parent: TraceContext | undefined): TraceContext
}

export interface TracingOptions {
  /** The collector's base address. */
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly service: { readonly name: string; readonly version: string }
  /** How long spans are gathered before they are sent. */
  readonly delayMs?: number
}

const QUEUE_SPANS_MAX = 4_096
const BATCH_SPANS_MAX = 512
/** With its retries; a stop of the process may have to wait this long for a collector that is gone. */
const EXPORT_MS_MAX = 3_000
/** A stop does not wait longer than this for a collector that does not answer. */
const CLOSE_MS_MAX = 2_000
const DELAY_MS = 2_000
const ATTRIBUTE_CHARS_MAX = 1_024
const KIND = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const

export function createTracing(options: TracingOptions): Tracing {
  const random = new RandomIdGenerator()
  // The ids of the span that `record` is about to start; startSpan asks for them before it returns.
  let given: TraceContext | undefined
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      [ATTRIBUTE.serviceName]: options.service.name,
      [ATTRIBUTE.serviceVersion]: options.service.version,
    }),
    spanLimits: { attributeValueLengthLimit: ATTRIBUTE_CHARS_MAX },
    idGenerator: {
      generateTraceId: () => given?.traceId ?? random.generateTraceId(),
      generateSpanId: () => given?.spanId ?? random.generateSpanId(),
    },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({
          url: `${options.endpoint}/v1/traces`,
          headers: { ...options.headers },
          timeoutMillis: EXPORT_MS_MAX,
        }),
        maxQueueSize: QUEUE_SPANS_MAX,
        maxExportBatchSize: BATCH_SPANS_MAX,
        scheduledDelayMillis: options.delayMs ?? DELAY_MS,
      }),
    ],
  })
  const tracer = provider.getTracer('agent-factory', options.service.version, { schemaUrl: SCHEMA_URL })

  const record = (finished: FinishedSpan): void => {
    const { parent, self, startedAt, ms, error } = finished
    if (parent?.sampled === false || self?.sampled === false) return
    const context =
      parent === undefined
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, { ...parent, traceFlags: TraceFlags.SAMPLED, isRemote: true })
    given = self
    try {
      const span = tracer.startSpan(
        finished.name,
        {
          kind: KIND[finished.kind],
          startTime: startedAt,
          attributes: finished.attributes,
          root: parent === undefined,
        },
        context,
      )
      if (error !== undefined) {
        span.setAttribute(ATTRIBUTE.errorType, error)
        span.setStatus({ code: SpanStatusCode.ERROR, message: error })
      }
      span.end(startedAt + Math.max(0, ms))
    } finally {
      given = undefined
    }
  }

  return {
    record: (span) => {
      try {
        record(span)
      } catch {
        // A trace is never worth a failed run.
      }
    },
    newContext: (parent) => ({
      traceId: parent?.traceId ?? random.generateTraceId(),
      spanId: random.generateSpanId(),
      sampled: parent?.sampled ?? true,
    }),
    [Symbol.asyncDispose]: async () => {
      const late = Promise.withResolvers<void>()
      const timer = setTimeout(late.resolve, CLOSE_MS_MAX)
      await Promise.race([provider.shutdown().catch(() => undefined), late.promise])
      clearTimeout(timer)
    },
  }
}
