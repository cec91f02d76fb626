// What starts runs by itself, and named events: for triggers, and for nodes that wait for one.

import type { RunId, SignalId, TenantId, TriggerId } from '../../base/ids.ts'
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
    /** CEL over `trigger` ({at} or {payload, headers} or {name, correlation, data}): the run's input. */
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
    /** schedule: the next tick. */
    nextAt: integerOrNull(),
    lastAt: integerOrNull(),
    lastRunId: textOrNull<RunId>(),
    /** Why its last tick started nothing. */
    lastError: textOrNull(),
    /** In whose name its runs start: what this user may do now is what they may do. */
    ownerId: text(),
    createdBy: text(),
    createdAt: integer(),
    updatedAt: integer(),
  },
  primaryKey: ['tenantId', 'id'],
  unique: [['tenantId', 'name']],
  indexes: [
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
    runId: textOrNull<RunId>(),
    createdAt: integer(),
  },
  primaryKey: ['tenantId', 'triggerId', 'tick'],
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
  indexes: [{ name: 'signals_by_name', columns: ['tenantId', 'name', 'correlation', 'id'] }],
  retained: 'createdAt',
})

/** Steps that wait for a named event. The row goes when the wait is over. */
export const signalWaits = table('signal_waits', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    runId: text<RunId>(),
    step: integer(),
    name: text(),
    correlation: text(),
    createdAt: integer(),
  },
  primaryKey: ['tenantId', 'runId', 'step'],
  indexes: [{ name: 'signal_waits_by_name', columns: ['tenantId', 'name', 'correlation'] }],
  foreignKeys: [{ columns: ['tenantId', 'runId'], table: 'runs', references: ['tenantId', 'id'] }],
})
