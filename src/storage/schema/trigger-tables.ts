// What starts runs by itself, and named events: for triggers, and for nodes that wait for one.

import type { RunId, SignalId, TenantId, TriggerId, UserId } from '../../base/ids.ts'
import { integer, integerOrNull, json, oneOf, oneOfOrNull, table, text, textOrNull } from './table.ts'

export const triggers = table('triggers', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<TriggerId>(),
    name: text(),
    kind: oneOf('schedule', 'webhook', 'event'),
    targetKind: oneOf('agent', 'workflow'),
    /** The agent's or workflow's name; its published version runs. */
    target: text(),
    /** CEL over `trigger` ({scheduled_at} or {payload, headers} or {event}): the run's input. */
    input: text(),
    state: oneOf('active', 'paused'),
    /** schedule: five or six fields, or @daily …; and the IANA zone in which they are read. */
    cron: textOrNull(),
    timezone: textOrNull(),
    /** What becomes of ticks that nobody was there for: none, the last one, or each (up to a limit). */
    missed: oneOfOrNull('skip', 'last', 'all'),
    /** event: the name that starts it, and CEL over `event` that must be true. */
    eventName: textOrNull(),
    eventCondition: textOrNull(),
    /** webhook: which of its secrets counts; a rotation makes the next one. */
    secretVersion: integer({ defaultTo: 1 }),
    /** Until some time after it, the secret before counts as well. */
    secretRotatedAt: integerOrNull(),
    /** schedule: the next tick. */
    nextAt: integerOrNull(),
    lastAt: integerOrNull(),
    lastRunId: textOrNull<RunId>(),
    /** Why its last tick started nothing. */
    lastError: textOrNull(),
    /** In whose name its runs start: what this user may do now is what they may do. */
    ownerId: text<UserId>(),
    /** JSON array: what the owner could do when they wrote it (a key may be narrow): its runs may do no more. */
    permissions: json(),
    createdBy: text(),
    createdAt: integer(),
    updatedAt: integer(),
  },
  primaryKey: ['tenantId', 'id'],
  unique: [['tenantId', 'name']],
  indexes: [
    { name: 'triggers_by_id', columns: ['id'] },
    { name: 'triggers_due', columns: ['nextAt'], where: "state = 'active' and next_at is not null" },
    {
      name: 'triggers_by_event',
      columns: ['tenantId', 'eventName'],
      where: "state = 'active' and event_name is not null",
    },
  ],
})

/** What a trigger was set off by: a tick's time, a delivery's id, an event's id. Each sets it off once. */
export const triggerTicks = table('trigger_ticks', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    triggerId: text<TriggerId>(),
    tick: text(),
    /** `pending`: it is to start a run, and whoever comes first starts it. `failed`: it started none. */
    state: oneOf('pending', 'started', 'failed'),
    runId: textOrNull<RunId>(),
    error: textOrNull(),
    createdAt: integer(),
  },
  primaryKey: ['tenantId', 'triggerId', 'tick'],
  indexes: [
    { name: 'trigger_ticks_pending', columns: ['createdAt'], where: "state = 'pending'" },
    { name: 'trigger_ticks_by_age', columns: ['createdAt'] },
  ],
  foreignKeys: [{ columns: ['tenantId', 'triggerId'], table: 'triggers', references: ['tenantId', 'id'] }],
  retained: 'createdAt',
})

/** Named events that came: kept, so that one which comes before somebody waits for it is not lost. */
export const signals = table('signals', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<SignalId>(),
    name: text(),
    correlation: text(),
    data: json({ personal: true }),
    createdBy: text(),
    createdAt: integer(),
  },
  primaryKey: ['tenantId', 'id'],
  indexes: [
    { name: 'signals_by_name', columns: ['tenantId', 'name', 'correlation', 'id'] },
    { name: 'signals_by_age', columns: ['createdAt'] },
    { name: 'signals_of_tenant_by_age', columns: ['tenantId', 'createdAt'] },
  ],
  retained: 'createdAt',
})

/**
 * Steps that wait for a named event: `open`; `claimed` by an event that is to be handed to it; `taken` once it has it,
 * so that a run takes an event once. A run's rows go when it has ended.
 */
export const signalWaits = table('signal_waits', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    runId: text<RunId>(),
    step: integer(),
    name: text(),
    correlation: text(),
    state: oneOf('open', 'claimed', 'taken'),
    signalId: textOrNull<SignalId>(),
    createdAt: integer(),
  },
  primaryKey: ['tenantId', 'runId', 'step'],
  indexes: [
    { name: 'signal_waits_open', columns: ['tenantId', 'name', 'correlation'], where: "state = 'open'" },
    { name: 'signal_waits_claimed', columns: ['createdAt'], where: "state = 'claimed'" },
  ],
  foreignKeys: [{ columns: ['tenantId', 'runId'], table: 'runs', references: ['tenantId', 'id'] }],
})
