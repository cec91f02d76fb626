// What the API calls. app/ puts it together; tests give small implementations.

import type { TenantId } from '../base/ids.ts'
import type { Json, JsonObject } from '../base/json.ts'
import type { Clock, EpochMs } from '../base/time.ts'
import type { Catalog, Page } from '../catalog/catalog.ts'
import type { RouteId } from '../contract/routes.ts'
import type { ToolDefinition } from '../contract/tool.ts'
import type { Identity } from '../identity/identity.ts'
import type { Money } from '../money/create-money.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { IdempotencyStore } from './idempotency-store.ts'

export interface ApiDeps {
  readonly identity: Identity
  readonly catalog: Catalog
  readonly runtime: Runtime
  readonly money: Money
  readonly idempotency: IdempotencyStore
  readonly importOpenApi: (
    document: Json,
    options: { readonly baseUrl?: string; readonly only?: readonly string[] },
  ) => ImportedOpenApi | Promise<ImportedOpenApi>
  readonly listAudit: (
    tenantId: TenantId,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ) => Promise<Page<AuditRecord>>
  readonly readiness: () => Promise<Readiness>
  /** The text format of Prometheus. */
  readonly metrics: () => Promise<string>
  readonly log: ApiLog
  readonly clock: Clock
  /** Aborts when the server begins to stop: streams end (clients resume elsewhere), new requests are answered 503. */
  readonly stopping: AbortSignal
  readonly observe?: RequestObserver | undefined
  /** Web pages of these origins may call; none by default. */
  readonly corsOrigins?: readonly string[] | undefined
  /** How often a silent stream says that it is alive. */
  readonly heartbeatMs?: number | undefined
}

export interface ImportedOpenApi {
  readonly tools: readonly ToolDefinition[]
  readonly skipped: readonly { readonly operation: string; readonly reason: string }[]
}

export interface AuditRecord {
  readonly seq: number
  readonly type: string
  readonly actor: string
  readonly subject: string
  readonly data: JsonObject
  readonly requestId: string | null
  readonly occurredAt: EpochMs
}

export interface Readiness {
  readonly ready: boolean
  readonly checks: readonly { readonly name: string; readonly ok: boolean }[]
}

/** A structured logger; pino's has this form. */
export interface ApiLog {
  readonly debug: LogLine
  readonly info: LogLine
  readonly error: LogLine
}
type LogLine = (fields: Readonly<Record<string, unknown>>, message: string) => void

/** Told of each matched request: for metrics and traces. It must not throw. */
export interface RequestObserver {
  readonly started: (request: ObservedRequest) => RequestWatch | undefined
}

export interface ObservedRequest {
  readonly requestId: string
  readonly route: RouteId
  readonly method: string
  /** The path with `{name}` parts, never with values. */
  readonly path: string
  readonly traceparent: string | undefined
}

export interface RequestWatch {
  /** The span of this request, for the answer and for what it starts. */
  readonly traceparent?: string | undefined
  /** Runs the handler, so that a trace's context can be set around it. */
  readonly around?: (<T>(work: () => Promise<T>) => Promise<T>) | undefined
  readonly ended: (end: {
    readonly status: number
    readonly durationMs: number
    readonly tenantId: TenantId | undefined
  }) => void
}
