// For tests of the API: the whole of it over a fresh database, with two tenants and scripted models.

import assert from 'node:assert/strict'
import { openTestDatabase } from '../../test/support/database.ts'
import { openFactory } from '../../test/support/factory.ts'
import type { ErrorCode, FieldError } from '../base/errors.ts'
import { newId, type TenantId } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import { type Clock, systemClock } from '../base/time.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { importOpenApi } from '../catalog/openapi.ts'
import { PERMISSIONS, type Permission, type Role } from '../contract/permission.ts'
import { statusByCode } from '../contract/problem.ts'
import { listAudit } from '../events/audit-log.ts'
import { insertKey } from '../identity/api-key-store.ts'
import { createIdentity } from '../identity/create-identity.ts'
import { hashApiKey, newApiKey, prefixOf } from '../identity/key-format.ts'
import { insertMembership, insertTenant, insertUser } from '../identity/tenant-store.ts'
import type { Script } from '../models/scripted/script.ts'
import { createScriptedModel } from '../models/scripted/scripted-model.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Worker } from '../runtime/worker.ts'
import type { Database } from '../storage/database.ts'
import { type Api, createApi } from './api.ts'
import type { ApiDeps, AuditRecord } from './api-deps.ts'
import { createIdempotencyStore } from './idempotency-store.ts'

export interface BenchOptions {
  readonly script?: Script
  readonly working?: boolean
  readonly deps?: Partial<ApiDeps>
  readonly clock?: Clock
  /** A database of one's own choice; closed with the bench. */
  readonly db?: Database
}

export interface Account {
  readonly tenantId: TenantId
  readonly key: string
}

export interface LogEntry {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface ApiBench extends AsyncDisposable {
  readonly db: Database
  readonly api: Api
  readonly deps: ApiDeps
  readonly catalog: Catalog
  readonly runtime: Runtime
  readonly worker: Worker
  readonly ada: Account
  readonly stop: AbortController
  readonly logged: LogEntry[]
  /** A tenant of its own, or a further user of one. */
  account(options?: {
    readonly role?: Role
    readonly permissions?: readonly Permission[]
    readonly tenantId?: TenantId
  }): Promise<Account>
  /** Sends JSON and reads JSON. */
  send(method: string, path: string, options?: SendOptions): Promise<Received>
}

export interface SendOptions {
  readonly key?: string | null
  readonly body?: Json | undefined
  readonly text?: string | Uint8Array | ReadableStream<Uint8Array>
  readonly headers?: Readonly<Record<string, string>>
}

export interface Received {
  readonly status: number
  readonly headers: Headers
  readonly json: Json
  readonly text: string
}

export const HELLO: Script = () => ({ text: 'Hello.' })
export const AGENT: Json = { name: 'guide', instructions: 'Help.', model: 'scripted/test' }

export async function openApiBench(options: BenchOptions = {}): Promise<ApiBench> {
  const db = options.db ?? (await openTestDatabase())
  const clock = options.clock ?? systemClock
  const identity = createIdentity({ db, clock })
  const made = await identity.bootstrap({ tenantName: 'Ada & Co', adminName: 'Ada' })
  assert.ok(made)
  const models = [createScriptedModel('scripted', options.script ?? HELLO)]
  const working = options.working ?? true
  const factory = await openFactory({ db, clock, models, working })
  const { catalog, runtime, worker, money } = factory
  const stop = new AbortController()
  const logged: LogEntry[] = []
  const log = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    logged.push({ level, message, fields })
  }
  const deps: ApiDeps = {
    identity,
    catalog,
    runtime,
    money,
    idempotency: createIdempotencyStore(db, clock),
    importOpenApi,
    listAudit: async (tenantId, page) => {
      const { items, nextCursor } = await listAudit(db, tenantId, page)
      return { items: items as readonly AuditRecord[], nextCursor }
    },
    readiness: async () => ({ ready: true, checks: [{ name: 'database', ok: true }] }),
    metrics: async () => 'up 1\n',
    log: { debug: log('debug'), info: log('info'), error: log('error') },
    clock,
    stopping: stop.signal,
    ...options.deps,
  }
  const api = createApi(deps)
  const ada: Account = { tenantId: made.tenantId, key: made.key }
  return {
    db,
    api,
    deps,
    catalog,
    runtime,
    worker,
    ada,
    stop,
    logged,
    account: (asked) => addAccount(db, clock, asked),
    async send(method, path, { key = ada.key, body, text, headers = {} } = {}) {
      const sent = new Headers(headers)
      if (key !== null && !sent.has('authorization')) sent.set('authorization', `Bearer ${key}`)
      const content = text ?? (body === undefined ? undefined : JSON.stringify(body))
      if (content !== undefined && !sent.has('content-type')) sent.set('content-type', 'application/json')
      const init = {
        method,
        headers: sent,
        ...(content === undefined ? {} : { body: content, duplex: 'half' as const }),
      }
      const response = await api.request(path, init)
      const received = await response.text()
      const isJson = /json/.test(response.headers.get('content-type') ?? '')
      const json: Json = isJson && received !== '' ? JSON.parse(received) : null
      return { status: response.status, headers: response.headers, text: received, json }
    },
    async [Symbol.asyncDispose]() {
      await factory[Symbol.asyncDispose]()
      await identity[Symbol.asyncDispose]()
      await db[Symbol.asyncDispose]()
    },
  }
}

async function addAccount(
  db: Database,
  clock: Clock,
  asked: {
    readonly role?: Role
    readonly permissions?: readonly Permission[]
    readonly tenantId?: TenantId
  } = {},
): Promise<Account> {
  const at = clock()
  const tenantId = asked.tenantId ?? newId('tenant')
  const userId = newId('user')
  const key = newApiKey()
  await db.system.write(async (system) => {
    if (asked.tenantId === undefined) {
      const row = {
        id: tenantId,
        name: 'Other',
        status: 'active',
        capturePolicy: 'full',
        maxConcurrentJobs: null,
        createdAt: at,
        updatedAt: at,
      } as const
      await system.run(insertTenant, row)
    }
    await system.run(insertUser, {
      id: userId,
      kind: 'human',
      name: 'Bo',
      email: null,
      platformRole: null,
      createdAt: at,
    })
    const tx = system.forTenant(tenantId)
    await tx.run(insertMembership, { userId, role: asked.role ?? 'ADMIN', createdAt: at })
    await tx.run(insertKey, {
      id: newId('apiKey'),
      name: 'test',
      hash: hashApiKey(key),
      prefix: prefixOf(key),
      ownerId: userId,
      permissions: JSON.stringify(asked.permissions ?? PERMISSIONS),
      createdAt: at,
      expiresAt: null,
      revokedAt: null,
      lastUsedAt: null,
    })
  })
  return { tenantId, key }
}

/** The paths of the wrong fields of a problem. */
export function errorPaths(received: Received): string[] {
  const errors = (at(received.json, 'errors') ?? []) as unknown as readonly FieldError[]
  return errors.map(({ path }) => path)
}

/** What lies at that place, or undefined. */
export function at(json: Json, ...path: readonly (string | number)[]): Json | undefined {
  let place: Json | undefined = json
  for (const key of path) {
    if (typeof place !== 'object' || place === null) return undefined
    place = (place as Readonly<Record<string, Json>>)[key]
  }
  return place
}

/** Asserts that a problem was received, whole, with the code's status. */
export function isProblem(received: Received, code: ErrorCode, where: string): void {
  const told = `${where}: ${received.status} ${received.text.slice(0, 300)}`
  assert.equal(at(received.json, 'code'), code, told)
  assert.equal(received.status, statusByCode[code], told)
  assert.equal(received.headers.get('content-type'), 'application/problem+json', told)
  assert.equal(at(received.json, 'status'), received.status)
  assert.equal(at(received.json, 'request_id'), received.headers.get('x-request-id'))
  assert.ok(String(at(received.json, 'detail')).length > 10, told)
}
