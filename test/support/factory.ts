// A small factory for tests: a migrated database, a tenant with its admin, a catalog and a runtime with scripted models.

import { AppError } from '../../src/base/errors.ts'
import type { TenantId } from '../../src/base/ids.ts'
import { checkSchema } from '../../src/base/json-schema.ts'
import { type Clock, systemClock } from '../../src/base/time.ts'
import type { Catalog } from '../../src/catalog/catalog.ts'
import { createCatalog } from '../../src/catalog/create-catalog.ts'
import type { AgentDefinition } from '../../src/contract/agent.ts'
import { PERMISSIONS } from '../../src/contract/permission.ts'
import type { Principal } from '../../src/contract/principal.ts'
import type { ToolDefinition } from '../../src/contract/tool.ts'
import type { CodeGuardrail, CodeTool } from '../../src/define/code-tool.ts'
import { createIdentity } from '../../src/identity/create-identity.ts'
import type { ModelProvider } from '../../src/models/model.ts'
import { createModelRegistry } from '../../src/models/registry.ts'
import { createMoney, type Money } from '../../src/money/create-money.ts'
import { createPriceBook, type PriceFile, priceBook } from '../../src/money/prices/price-book.ts'
import type { CapturePolicy } from '../../src/runtime/agent/context.ts'
import { createRuntime, type RuntimeDeps } from '../../src/runtime/create-runtime.ts'
import type { RuntimeObserver } from '../../src/runtime/observer.ts'
import type { Run, Runtime } from '../../src/runtime/runtime.ts'
import type { Worker } from '../../src/runtime/worker.ts'
import { expressionErrors, expressionFields } from '../../src/sandbox/expression-check.ts'
import { patternProblem } from '../../src/sandbox/pattern.ts'
import type { Database } from '../../src/storage/database.ts'
import { systemStatement } from '../../src/storage/statement.ts'
import { openTestDatabase } from './database.ts'

export interface FactoryOptions {
  readonly db?: Database
  readonly clock?: Clock
  readonly models?: readonly ModelProvider[]
  readonly codeTools?: readonly CodeTool[]
  readonly codeGuardrails?: readonly CodeGuardrail[]
  readonly concurrency?: number
  readonly capture?: CapturePolicy
  readonly observer?: RuntimeObserver
  readonly prices?: PriceFile
  readonly lease?: RuntimeDeps['lease']
  /** For backoff. Default: none. */
  readonly random?: () => number
  /** Whether the worker starts at once. Default true. */
  readonly working?: boolean
}

export interface Factory extends AsyncDisposable {
  readonly db: Database
  readonly tenantId: TenantId
  readonly admin: Principal
  readonly catalog: Catalog
  readonly runtime: Runtime
  readonly worker: Worker
  readonly money: Money
  /** Publishes an agent on the scripted model unless the definition says otherwise. */
  agent(definition: Partial<AgentDefinition> & { readonly name: string }): Promise<void>
  tool(definition: ToolDefinition): Promise<void>
  /** Starts a run and waits until it has ended or waits for somebody. */
  run(agent: string, input: string, more?: Partial<Parameters<Runtime['start']>[1]>): Promise<Run>
}

const WAIT_MS = 20_000

export async function openFactory(options: FactoryOptions = {}): Promise<Factory> {
  const db = options.db ?? (await openTestDatabase())
  const clock = options.clock ?? systemClock
  const identity = createIdentity({ db, clock })
  const made = await identity.bootstrap({ tenantName: 'test', adminName: 'admin' })
  const admin = made === undefined ? await firstAdmin(db) : await identity.authenticateKey(made.key)
  const codeTools = new Map((options.codeTools ?? []).map((tool) => [tool.definition.name, tool]))
  const catalog = createCatalog({
    db,
    clock,
    builtinToolNames: new Set(),
    codeToolNames: new Set(codeTools.keys()),
    effectOf: (name) => codeTools.get(name)?.definition.effect,
    checkSchema: (schema) => checkSchema(schema, patternProblem),
    checkExpression: expressionErrors,
    expressionFields,
    checkPattern: (source) => {
      const problem = patternProblem(source)
      return problem === undefined ? [] : [{ path: '', message: problem }]
    },
  })
  const book = options.prices === undefined ? priceBook() : createPriceBook(options.prices)
  const money = createMoney({ db, clock, book })
  const { runtime, worker } = createRuntime({
    db,
    clock,
    versions: catalog.versions,
    models: createModelRegistry({ extra: options.models ?? [] }),
    metering: money.metering,
    budgets: money.reservations,
    tasks: money.tasks,
    codeTools,
    codeGuardrails: new Map((options.codeGuardrails ?? []).map((rule) => [rule.definition.name, rule])),
    builtinTools: new Map(),
    callHttp: () => Promise.reject(new AppError('outbound.refused', 'No outbound calls in this test.')),
    capturePolicy: async () => options.capture ?? 'full',
    concurrency: options.concurrency ?? 8,
    secretKey: new Uint8Array(32).fill(7),
    random: options.random ?? (() => 0),
    ...(options.lease === undefined ? {} : { lease: options.lease }),
    ...(options.observer === undefined ? {} : { observer: options.observer }),
  })
  if (options.working !== false) await worker.start()
  const { tenantId } = admin
  const context = { requestId: undefined }
  return {
    db,
    tenantId,
    admin,
    catalog,
    runtime,
    worker,
    money,
    async agent(definition) {
      const whole = { instructions: 'Do what the user says.', model: 'scripted/test', ...definition }
      await catalog.agents.create(admin, whole, { publish: true }, context)
    },
    async tool(definition) {
      await catalog.tools.create(admin, definition, { publish: true }, context)
    },
    async run(agent, input, more) {
      const { id } = await runtime.start(admin, { agent, input, ...more }, context)
      return runtime.wait(tenantId, id, WAIT_MS)
    },
    async [Symbol.asyncDispose]() {
      await worker.stop(1_000)
      await identity[Symbol.asyncDispose]()
      if (options.db === undefined) await db[Symbol.asyncDispose]()
    },
  }
}

async function firstAdmin(db: Database): Promise<Principal> {
  const rows = await db.system.read((reader) => reader.all(FIRST_ADMIN, {}))
  const row = rows[0]
  if (row === undefined) throw new Error('The database has a tenant and no admin.')
  const role = 'ADMIN'
  return {
    ...row,
    role,
    kind: 'human',
    apiKeyId: undefined,
    permissions: new Set(PERMISSIONS),
    operator: true,
  }
}

const FIRST_ADMIN = systemStatement('test.first-admin', 'a test takes up where another process left', (db) =>
  db.selectFrom('memberships').select(['tenantId', 'userId']).where('role', '=', 'ADMIN'),
)
