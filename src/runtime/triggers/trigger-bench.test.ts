// For tests of triggers: a factory with a clock that stands, and several processes over one database.

import { type Factory, openFactory } from '../../../test/support/factory.ts'
import type { RunId, TenantId, UserId } from '../../base/ids.ts'
import type { Role } from '../../contract/permission.ts'
import type { TriggerInput } from '../../contract/trigger.ts'
import { listAudit } from '../../events/audit-log.ts'
import { createScriptedModel } from '../../models/scripted/scripted-model.ts'
import type { Database } from '../../storage/database.ts'
import { type Bind, type SystemBind, statement, systemStatement } from '../../storage/statement.ts'
import { insertStep } from '../journal/step-store.ts'
import { silentObserver } from '../observer.ts'
import type { Run } from '../runtime.ts'
import { createTriggers, type TriggersDeps } from './create-triggers.ts'
import { openSignalWait } from './signal-waits.ts'
import { startTarget } from './start-target.ts'
import type { Trigger, Triggers } from './trigger.ts'
import { createWebhookSecrets } from './webhook-secrets.ts'

export const START = Date.parse('2026-11-22T10:00:30.000Z')
export const MINUTE = 60_000
export const context = { requestId: undefined }

export interface TriggerBench extends AsyncDisposable {
  readonly factory: Factory
  readonly clock: { now: number }
  readonly triggers: Triggers
  readonly deps: TriggersDeps
  readonly troubles: string[]
  /** Deps of another process. `db` may be one that fails. */
  process(more?: { readonly db?: Database; readonly clock?: () => number }): Promise<TriggersDeps>
  create(input: Partial<TriggerInput> & Pick<TriggerInput, 'kind'>): Promise<Trigger>
  runs(): Promise<readonly Run[]>
  /** A run with a step that waits for an event; answers whether one was there already. */
  waitFor(name: string, more?: WaitOptions): Promise<{ readonly runId: RunId; readonly got: unknown }>
  audit(type: string): Promise<readonly unknown[]>
}

export interface WaitOptions {
  readonly correlation?: string
  readonly runId?: RunId
  readonly step?: number
}

export async function openTriggerBench(db: Database): Promise<TriggerBench> {
  const clock = { now: START }
  const troubles: string[] = []
  const models = [createScriptedModel('scripted', () => ({ text: 'Done.' }))]
  const factory = await openFactory({ db, clock: () => clock.now, models, working: false })
  await factory.agent({ name: 'guide' })
  const others: Factory[] = []
  const depsOf = (of: Factory, over: Database, now: () => number): TriggersDeps => ({
    db: over,
    clock: now,
    observer: { ...silentObserver, trouble: (what, { error }) => void troubles.push(`${what} ${error}`) },
    capturePolicy: async () => 'full',
    woken: () => undefined,
    written: () => undefined,
    secrets: createWebhookSecrets(new Uint8Array(32).fill(7)),
    start: startTarget(of.runtime.start),
  })
  const deps = depsOf(factory, db, () => clock.now)
  const triggers = createTriggers(deps)
  const { tenantId, admin, runtime } = factory
  return {
    factory,
    clock,
    triggers,
    deps,
    troubles,
    async process({ db: over = db, clock: now = () => clock.now } = {}) {
      const other = await openFactory({ db: over, clock: now, models, working: false })
      others.push(other)
      return depsOf(other, over, now)
    },
    create: async (input) => {
      const whole = { name: 'morning', target: { agent: 'guide' }, ...input } as TriggerInput
      return (await triggers.create(admin, whole, context)).trigger
    },
    runs: async () => (await runtime.list(tenantId, { limit: 200 })).items.toReversed(),
    async waitFor(name, { correlation = '', runId: known, step = 1 } = {}) {
      const runId = known ?? (await runtime.start(admin, { agent: 'guide', input: 'x' }, context)).id
      const got = await db.tenant(tenantId).write(async (tx) => {
        await tx.run(insertStep, { ...WAIT_STEP, runId, seq: step, startedAt: clock.now })
        await tx.run(parkRun, { id: runId })
        await tx.run(parkJob, { runId })
        return openSignalWait(tx, { runId, step, name, correlation, since: START, at: clock.now })
      })
      return { runId, got: got?.data }
    },
    audit: async (type) => {
      const { items } = await listAudit(db, tenantId, { limit: 200 })
      return items.filter((fact) => fact.type === type).map(({ data }) => data)
    },
    async [Symbol.asyncDispose]() {
      for (const other of others) await other[Symbol.asyncDispose]()
      await factory[Symbol.asyncDispose]()
    },
  }
}

const WAIT_STEP = {
  kind: 'wait',
  name: 'wait',
  path: 'wait',
  state: 'waiting',
  waitingReason: 'event',
  dueAt: null,
  attempt: 1,
  callId: null,
  parentStep: null,
  effect: null,
  idempotencyKey: null,
  input: null,
  inputHash: null,
  output: null,
  outputHash: null,
  errorCode: null,
  errorMessage: null,
  childRunId: null,
  finishedAt: null,
} as const

const parkRun = statement('test.park-run', (db, p: Bind<{ id: RunId }>) =>
  db
    .updateTable('runs')
    .set({ state: 'waiting', waitingReason: 'event' })
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id),
)
const parkJob = statement('test.park-job', (db, p: Bind<{ runId: RunId }>) =>
  db
    .updateTable('jobs')
    .set({ state: 'parked' })
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId),
)

const setRole = statement('test.trigger-owner-role', (db, p: Bind<{ userId: UserId; role: Role }>) =>
  db
    .updateTable('memberships')
    .set({ role: p.role })
    .where('tenantId', '=', p.tenantId)
    .where('userId', '=', p.userId),
)
const suspend = systemStatement(
  'test.trigger-tenant-suspended',
  'a test suspends a tenant',
  (db, p: SystemBind<{ tenantId: TenantId }>) =>
    db.updateTable('tenants').set({ status: 'suspended' }).where('id', '=', p.tenantId),
)

/** Nobody of the tenant may do anything. */
export async function suspendTenant(db: Database, tenantId: TenantId): Promise<void> {
  await db.system.write((tx) => tx.run(suspend, { tenantId }))
}

/** The user gets another role. */
export async function demote(
  db: Database,
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: UserId },
  role: Role,
): Promise<void> {
  await db.tenant(tenantId).write((tx) => tx.run(setRole, { userId, role }))
}
