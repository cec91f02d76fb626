// Triggers and named events, put together: the use cases, and what the maintenance loop does for them.

import { AppError } from '../../base/errors.ts'
import type { TriggerId } from '../../base/ids.ts'
import type { EpochMs } from '../../base/time.ts'
import type { TenantReader } from '../../storage/database.ts'
import type { MaintenanceTask } from '../maintenance.ts'
import { readSchedule } from './cron.ts'
import { DELIVERIES_EVERY_MS, type DeliverDeps, deliverSignals } from './deliver-signals.ts'
import { SCHEDULES_EVERY_MS, tickSchedules } from './schedules.ts'
import { sendSignal } from './send-signal.ts'
import { deleteOldSignals, deleteWaitsOfRun, signalById, waitsOfEndedRuns } from './signal-store.ts'
import { NEXT_TICKS_SHOWN, SECRET_GRACE_MS, type Trigger, type TriggerRow, type Triggers } from './trigger.ts'
import { deleteOldTicks, triggerById } from './trigger-store.ts'
import type { WebhookSecrets } from './webhook-secrets.ts'
import { receiveDelivery } from './webhooks.ts'
import {
  createTrigger,
  deleteTrigger,
  notFound,
  rotateTriggerSecret,
  updateTrigger,
} from './write-triggers.ts'

/** How long an event waits for somebody who begins to wait for it. */
export const SIGNAL_RETENTION_MS = 30 * 86_400_000
/** How long a delivery that comes again is known. */
export const TICK_RETENTION_MS = 90 * 86_400_000
const PRUNE_EVERY_MS = 10 * 60_000
const PRUNE_BATCH_MAX = 1_000

export interface TriggersDeps extends DeliverDeps {
  readonly secrets: WebhookSecrets
}

export function createTriggers(deps: TriggersDeps): Triggers {
  const { db, clock, secrets } = deps
  return {
    async create(principal, input, context) {
      // Where there is no key, no webhook is made that nobody could call.
      if (input.kind === 'webhook') secrets.requireKey()
      const row = await createTrigger(deps, principal, input, context)
      return { trigger: viewOf(row, clock()), secret: row.kind === 'webhook' ? secrets.secretOf(row) : null }
    },
    list: async (tenantId, { limit, cursor, kind }) => {
      const rows = await db.tenant(tenantId).read((reader) =>
        reader.query((builder, tenant) => {
          let query = builder.selectFrom('triggers').selectAll().where('tenantId', '=', tenant)
          if (cursor !== undefined) query = query.where('id', '<', cursor as TriggerId)
          if (kind !== undefined) query = query.where('kind', '=', kind)
          return query.orderBy('id', 'desc').limit(limit + 1)
        }),
      )
      const at = clock()
      const shown = rows.slice(0, limit)
      const nextCursor = rows.length > limit ? shown.at(-1)?.id : undefined
      return { items: shown.map((row) => viewOf(row, at)), nextCursor }
    },
    get: async (tenantId, id) =>
      db.tenant(tenantId).read(async (reader) => viewOf(await found(reader, id), clock())),
    update: async (principal, id, change, context) =>
      viewOf(await updateTrigger(deps, principal, id, change, context), clock()),
    delete: (principal, id, context) => deleteTrigger(deps, principal, id, context),
    async rotateSecret(principal, id, context) {
      await db.tenant(principal.tenantId).read((reader) => found(reader, id))
      secrets.requireKey()
      const row = await rotateTriggerSecret(deps, principal, id, context)
      return {
        secret: secrets.secretOf(row),
        previousUntil: (row.secretRotatedAt ?? clock()) + SECRET_GRACE_MS,
      }
    },
    receive: (id, delivery) => receiveDelivery(deps, id, delivery),
    async send(principal, event, context) {
      const signal = await sendSignal(deps, principal, event, context)
      // The first at once; the maintenance loop goes on with the others, and with all where this fails.
      await deliverSignals(deps, 1).catch((error: unknown) =>
        deps.observer.trouble('An event could not be handed on.', { signal: signal.id, error }),
      )
      return signal
    },
    signal: async (tenantId, id) => {
      const row = await db.tenant(tenantId).read((reader) => reader.first(signalById, { id }))
      if (row === undefined) throw new AppError('route.not-found', `There is no event "${id}" any more.`)
      const { name, correlation, createdAt } = row
      return { id, name, correlation, createdAt }
    },
  }
}

export function triggerTasks(deps: TriggersDeps): readonly MaintenanceTask[] {
  return [
    { name: 'schedules', everyMs: SCHEDULES_EVERY_MS, run: (at) => tickSchedules(deps, at) },
    { name: 'deliveries', everyMs: DELIVERIES_EVERY_MS, run: () => deliverSignals(deps) },
    { name: 'trigger-pruning', everyMs: PRUNE_EVERY_MS, run: (at) => prune(deps, at) },
  ]
}

async function prune({ db }: TriggersDeps, at: EpochMs): Promise<void> {
  const limit = PRUNE_BATCH_MAX
  const ended = await db.system.read((reader) => reader.all(waitsOfEndedRuns, { limit }))
  for (const { tenantId, runId } of ended)
    await db.tenant(tenantId).write((tx) => tx.run(deleteWaitsOfRun, { runId }))
  await db.system.write(async (tx) => {
    await tx.run(deleteOldSignals, { before: at - SIGNAL_RETENTION_MS, limit })
    await tx.run(deleteOldTicks, { before: at - TICK_RETENTION_MS, limit })
  })
}

async function found(reader: TenantReader, id: TriggerId): Promise<TriggerRow> {
  const row = await reader.first(triggerById, { id })
  if (row === undefined) throw notFound(id)
  return row
}

function viewOf(row: TriggerRow, at: EpochMs): Trigger {
  const { cron, timezone, nextAt } = row
  if (row.state === 'paused' || cron === null || timezone === null || nextAt === null)
    return { row, nextTicks: [] }
  const read = readSchedule(cron, timezone)
  const ticks: EpochMs[] = [nextAt]
  while (read.ok && ticks.length < NEXT_TICKS_SHOWN) {
    const next = read.schedule.next(Math.max(ticks.at(-1) ?? at, at))
    if (next === undefined) break
    ticks.push(next)
  }
  return { row, nextTicks: ticks }
}
