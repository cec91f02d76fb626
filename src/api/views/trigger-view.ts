import { formatTime } from '../../base/time.ts'
import type { SentEvent, Trigger as TriggerResource } from '../../contract/trigger.ts'
import type { Signal, Trigger } from '../../runtime/triggers/trigger.ts'
import { timeOrNull } from './time-view.ts'

export function triggerView({ row, nextTicks }: Trigger): TriggerResource {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    target: row.targetKind === 'agent' ? { agent: row.target } : { workflow: row.target },
    input: row.input,
    state: row.state,
    cron: row.cron,
    timezone: row.timezone,
    missed: row.missed,
    eventName: row.eventName,
    condition: row.eventCondition,
    path: row.kind === 'webhook' ? `/api/v1/hooks/${row.id}` : null,
    nextAt: timeOrNull(row.state === 'active' ? row.nextAt : null),
    nextTicks: nextTicks.map(formatTime),
    lastAt: timeOrNull(row.lastAt),
    lastRunId: row.lastRunId,
    lastError: row.lastError,
    ownerId: row.ownerId,
    createdBy: row.createdBy,
    createdAt: formatTime(row.createdAt),
    updatedAt: formatTime(row.updatedAt),
  }
}

export function signalView({ id, name, correlation, createdAt }: Signal): SentEvent {
  return { id, name, correlation, createdAt: formatTime(createdAt) }
}
