// The only wiring: from settings to an application that runs. Owns the order in which parts are opened and closed.
// Knows no rule of the product; each part is made by its own folder. Called by start, serve, dev and whole-product tests.

import { createApi } from '../api/api.ts'
import type { ApiDeps } from '../api/api-deps.ts'
import { createIdempotencyStore } from '../api/idempotency-store.ts'
import { isJsonObject } from '../base/json.ts'
import { type Clock, systemClock } from '../base/time.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { createCatalog } from '../catalog/create-catalog.ts'
import { importOpenApi } from '../catalog/openapi.ts'
import { listAudit } from '../events/audit-log.ts'
import { createIdentity } from '../identity/create-identity.ts'
import type { Identity } from '../identity/identity.ts'
import type { ModelProvider, ModelRegistry } from '../models/model.ts'
import { createModelRegistry } from '../models/registry.ts'
import { createMoney } from '../money/create-money.ts'
import type { StripeConfig } from '../money/stripe/stripe-api.ts'
import { createHealth, type Health } from '../operations/health.ts'
import {
  databaseCheck,
  diskCheck,
  relayCheck,
  schemaCheck,
  workerCheck,
} from '../operations/health-checks.ts'
import type { Logger } from '../operations/logging/logger.ts'
import { measuredDatabase } from '../operations/measured-database.ts'
import { createQueueDepth } from '../operations/queue-depth.ts'
import type { GuardedFetch } from '../outbound/guarded-fetch.ts'
import { HEARTBEAT_MS } from '../queue/job.ts'
import type { Relay } from '../queue/relay.ts'
import type { Transport } from '../queue/transport.ts'
import { CANCEL_OLDER } from '../runtime/cancel-older.ts'
import { createRuntime, type RuntimeDeps } from '../runtime/create-runtime.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { callHttpOperation } from '../runtime/tools/http/http-operation.ts'
import { createBuiltinTools } from '../runtime/tools/registry.ts'
import type { Worker } from '../runtime/worker.ts'
import type { Database } from '../storage/database.ts'
import { assertCurrentSchema, migrate } from '../storage/migrations/migrate.ts'
import { openDatabase } from '../storage/open.ts'
import { followServerClock } from '../storage/server-clock.ts'
import { createCapturePolicy } from './compose/capture-policy.ts'
import { definitionChecks } from './compose/definition-checks.ts'
import { createLazyFetch } from './compose/lazy-fetch.ts'
import { openEngine, openRelay } from './compose/queue-engine.ts'
import { createTelemetry, openLog, openTracing, type Telemetry } from './compose/telemetry.ts'
import { makeDataDir } from './data-dir.ts'
import { databaseUrl } from './database-url.ts'
import { EMPTY_PROJECT, type HostProject } from './host-code.ts'
import { registrySettings } from './model-registry-settings.ts'
import { PACKAGE_VERSION } from './package-version.ts'
import { openSecretKey } from './secret-key.ts'
import type { Settings } from './settings.ts'

export interface App extends AsyncDisposable {
  readonly settings: Settings
  readonly db: Database
  readonly identity: Identity
  readonly catalog: Catalog
  readonly models: ModelRegistry
  readonly runtime: Runtime
  readonly worker: Worker
  readonly log: Logger
  /** The API as a fetch handler. */
  readonly fetch: (request: Request, env?: object) => Response | Promise<Response>
  /** The server begins to stop: `/readyz` says no, streams end, new requests are answered 503. */
  stopping(): void
  /** Drains the worker and closes every part, the last opened first. Answers the same promise again. */
  close(): Promise<void>
}

export interface Overrides {
  /** Is used as it is. */
  readonly clock?: Clock
  /** The host's clock, which may be wrong: on Postgres the server's corrects it. */
  readonly hostClock?: Clock
  /** Put around the opened database, for tests that make it fail. */
  readonly wrapDatabase?: (db: Database) => Database
  /** Providers that win over those of the same name. */
  readonly models?: readonly ModelProvider[]
  /** The host's own tools and guardrails. */
  readonly host?: HostProject
  readonly log?: Logger
  /** Hosts beside those of the settings: the example shop's. */
  readonly outboundAllowHosts?: readonly string[]
  /** Put around the engine, for tests that make it fail. */
  readonly wrapTransport?: (transport: Transport) => Transport
  /** For tests that do not wait for real leases to lapse. */
  readonly lease?: RuntimeDeps['lease']
  /** The same for tickets that were lost. */
  readonly ticketTtlMs?: number
}

/** A worker or a relay that has not looked for jobs for so long is taken for stuck: three heartbeats. */
const SILENT_MS_MAX = 3 * HEARTBEAT_MS
/** How long a schema that was found current counts as current. */
const SCHEMA_AGE_MS_MAX = 60_000

/** Opens everything and starts the worker. What was opened is closed again where a later part fails. */
export async function compose(settings: Settings, overrides: Overrides = {}): Promise<App> {
  await using opened = new AsyncDisposableStack()
  const log = overrides.log ?? opened.use(openLog(settings))
  const tracing = opened.use(await openTracing(settings))
  const storage = await openStorage(settings)
  const wrapped = opened.use(overrides.wrapDatabase?.(storage) ?? storage)
  const clock =
    overrides.clock ?? opened.use(await followServerClock(wrapped, overrides.hostClock ?? systemClock)).now
  let relay: Relay | undefined
  const telemetry = opened.use(
    createTelemetry({
      log,
      tracing,
      clock,
      queueDepth: createQueueDepth(wrapped, clock),
      // None before the first pass.
      relayLagMs: () => (relay?.lastPassAt() ? clock() - relay.lastPassAt() : undefined),
    }),
  )
  const db = measuredDatabase(wrapped, telemetry.metrics.databaseWritten)
  const allowHosts = [...settings.outboundAllowHosts, ...(overrides.outboundAllowHosts ?? [])]
  const outbound = opened.use(createLazyFetch({ allowHosts }))
  const models = createModelRegistry(registrySettings(settings.models, overrides.models))
  const identity = opened.use(createIdentity({ db, clock }))
  const transport = await openTransport(settings, overrides, opened, { clock, log })
  relay = openRelay(transport, { db, clock, log, settings, ticketTtlMs: overrides.ticketTtlMs })
  const { catalog, runtime, worker, maintenance, money } = createCore({
    transport,
    queued: () => relay?.kick(),
    settings,
    secretKey: await openSecretKey(settings),
    overrides,
    db,
    clock,
    outbound,
    models,
    telemetry,
  })
  await money.billing.plans.seed()
  const stopping = new AbortController()
  const health = createHealth({
    checks: healthChecks({ settings, storage, db, worker, relay, clock }),
    clock,
  })
  const api = createApi({
    identity,
    catalog,
    runtime,
    money,
    idempotency: createIdempotencyStore(db, clock),
    importOpenApi,
    listAudit: auditPages(db),
    readiness: health.ready,
    metrics: telemetry.metrics.text,
    log: apiLog(log),
    clock,
    stopping: stopping.signal,
    observe: telemetry.http,
    corsOrigins: settings.server.corsOrigins,
  })
  if (relay !== undefined) {
    opened.defer(() => relay?.stop())
    relay.start()
  }
  if (settings.workerConcurrency > 0) {
    // Requests and runs share the time: what the requests took, the runs do not get as well.
    let stoppedAt: number | undefined
    stopping.signal.addEventListener('abort', () => {
      stoppedAt = performance.now()
    })
    opened.defer(() => {
      const passed = stoppedAt === undefined ? 0 : performance.now() - stoppedAt
      return worker.stop(Math.max(0, settings.server.shutdownTimeoutMs - passed))
    })
    await worker.start()
  } else {
    opened.defer(() => maintenance.stop())
    maintenance.start()
  }
  const parts = opened.move()
  return createHandle(
    { settings, db, identity, catalog, models, runtime, worker, log },
    { parts, stopping, health, fetch: api.fetch },
  )
}

type Parts = Pick<App, 'settings' | 'db' | 'identity' | 'catalog' | 'models' | 'runtime' | 'worker' | 'log'>

interface Handles {
  readonly parts: AsyncDisposableStack
  readonly stopping: AbortController
  readonly health: Health
  readonly fetch: (request: Request, env?: object) => Response | Promise<Response>
}

function createHandle(app: Parts, { parts, stopping, health, fetch }: Handles): App {
  let closed: Promise<void> | undefined
  const stop = (): void => {
    health.stopping()
    stopping.abort()
  }
  const close = (): Promise<void> => {
    stop()
    closed ??= parts.disposeAsync()
    return closed
  }
  return {
    ...app,
    fetch: (request, env) => fetch(request, env),
    stopping: stop,
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function openStorage(settings: Settings): Promise<Database> {
  // On Postgres a container without a disk of its own needs no folder.
  if (settings.database.engine === 'sqlite' || settings.profile.writesCredentials)
    await makeDataDir(settings.dataDir)
  const db = await openDatabase(databaseUrl(settings.database))
  try {
    if (settings.profile.migratesAtStart) await migrate(db)
    else await assertCurrentSchema(db)
  } catch (error) {
    await db[Symbol.asyncDispose]()
    throw error
  }
  return db
}

/** The engine, which is closed after the relay and the worker that use it. */
async function openTransport(
  settings: Settings,
  { wrapTransport }: Overrides,
  opened: AsyncDisposableStack,
  deps: { readonly clock: Clock; readonly log: Logger },
): Promise<Transport | undefined> {
  const engine = await openEngine(settings, deps)
  if (engine === undefined) return undefined
  opened.use(engine)
  return wrapTransport?.(engine) ?? engine
}

interface CoreDeps {
  readonly transport: Transport | undefined
  readonly queued: () => void
  readonly settings: Settings
  readonly secretKey: Uint8Array | undefined
  readonly overrides: Overrides
  readonly db: Database
  readonly clock: Clock
  readonly outbound: GuardedFetch
  readonly models: ModelRegistry
  readonly telemetry: Telemetry
}

function createCore(deps: CoreDeps) {
  const { settings, secretKey, overrides, db, clock, outbound, models, telemetry } = deps
  const host = overrides.host ?? EMPTY_PROJECT
  const collections = Object.fromEntries(settings.documentFolders.map(({ name, path }) => [name, path]))
  const builtinTools = createBuiltinTools({ fetch: outbound, collections })
  const codeTools = new Map(host.codeTools.map((tool) => [tool.definition.name, tool]))
  const checks = definitionChecks({
    builtinToolNames: new Set(builtinTools.keys()),
    codeToolNames: new Set(codeTools.keys()),
    effectOf: (name) => codeTools.get(name)?.definition.effect ?? builtinTools.get(name)?.effect,
    models,
  })
  const catalog = createCatalog({ ...checks, db, clock })
  const money = createMoney({ db, clock, stripe: stripeConfig(settings) })
  const { runtime, worker, maintenance } = createRuntime({
    db,
    clock,
    secretKey,
    versions: catalog.versions,
    models,
    builtinTools,
    codeTools,
    codeGuardrails: new Map(host.guardrails.map((guardrail) => [guardrail.definition.name, guardrail])),
    callHttp: (implementation, _effect, input, context) =>
      callHttpOperation(outbound, implementation, input, context),
    metering: money.metering,
    budgets: money.reservations,
    tasks: money.tasks,
    capturePolicy: createCapturePolicy(db, clock),
    concurrency: settings.workerConcurrency,
    // What no run is of keeps the platform in order: every worker does it.
    kinds: settings.workerKinds.length === 0 ? undefined : [...settings.workerKinds, CANCEL_OLDER],
    tenantCap: settings.tenantConcurrency,
    transport: deps.transport,
    queued: deps.queued,
    version: PACKAGE_VERSION,
    ...(overrides.lease && { lease: overrides.lease }),
    observer: telemetry.runtime,
  })
  return { catalog, runtime, worker, maintenance, money }
}

function stripeConfig({ stripe }: Settings): StripeConfig | undefined {
  if (stripe === undefined) return undefined
  const { secretKey, webhookSecret, apiUrl } = stripe
  return {
    secretKey: secretKey.reveal(),
    webhookSecret: webhookSecret?.reveal(),
    apiUrl: apiUrl === undefined ? undefined : new URL(apiUrl),
  }
}

interface HealthDeps {
  readonly settings: Settings
  /** As it was opened: the only one whose tables can be looked at. */
  readonly storage: Database
  readonly db: Database
  readonly worker: Worker
  readonly relay: Relay | undefined
  readonly clock: Clock
}

function healthChecks({ settings, storage, db, worker, relay, clock }: HealthDeps) {
  const { workerConcurrency: concurrency, dataDir } = settings
  // A worker that is full looks for nothing.
  const alive = (): boolean => worker.active() >= concurrency || clock() - worker.lastPollAt() < SILENT_MS_MAX
  const openedAt = clock()
  let schemaSeenAt = Number.NEGATIVE_INFINITY
  const schema = async (): Promise<void> => {
    if (clock() - schemaSeenAt < SCHEMA_AGE_MS_MAX) return
    await assertCurrentSchema(storage)
    schemaSeenAt = clock()
  }
  return [
    databaseCheck(() => db.ping()),
    schemaCheck(schema),
    ...(concurrency > 0 ? [workerCheck(alive)] : []),
    ...(relay === undefined
      ? []
      : [relayCheck(() => clock() - Math.max(openedAt, relay.lastPassAt()) < SILENT_MS_MAX)]),
    ...(settings.database.engine === 'sqlite' ? [diskCheck(dataDir)] : []),
  ]
}

function auditPages(db: Database): ApiDeps['listAudit'] {
  return async (tenantId, page) => {
    const { items, nextCursor } = await listAudit(db, tenantId, page)
    // The log writes objects only.
    return {
      items: items.map((entry) => ({ ...entry, data: isJsonObject(entry.data) ? entry.data : {} })),
      nextCursor,
    }
  }
}

/** Our log as the API speaks to it. */
function apiLog(log: Logger) {
  const to =
    (level: 'debug' | 'info' | 'error') =>
    ({ err, ...fields }: Readonly<Record<string, unknown>>, message: string): void =>
      log[level](message, err === undefined ? fields : { ...fields, error: err })
  return { debug: to('debug'), info: to('info'), error: to('error') }
}
