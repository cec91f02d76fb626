// The queue: jobs, whose rows are the truth whatever engine carries their tickets, and the workers that take them.

import type { JobId, RunId, TenantId } from '../../base/ids.ts'
import { JOB_STATES } from '../../contract/job.ts'
import { integer, integerOrNull, json, jsonOrNull, oneOf, table, text, textOrNull } from './table.ts'

export const jobs = table('jobs', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    id: text<JobId>(),
    /** Which handler takes it: `agent` and `workflow` drive a run. */
    kind: text({ defaultTo: 'agent' }),
    /** The run that it drives, where it drives one. */
    runId: textOrNull<RunId>(),
    payload: jsonOrNull({ personal: true }),
    /** The agent or workflow that `definitionCap` counts by. */
    definitionId: textOrNull(),
    /** How many jobs of this definition may be leased at a time; null: as many as the tenant may have. */
    definitionCap: integerOrNull(),
    /**
     * `queued` may be claimed, `scheduled` waits for its time, `parked` for somebody's answer, `unroutable` for a worker
     * that can run it. `done`, `dead` (given up) and `cancelled` are final.
     */
    state: oneOf(...JOB_STATES),
    /** Class: 0 high, 1 normal, 2 low. */
    priority: integer(),
    /** Orders a tenant's queued jobs: when it was due, plus what its class costs. A constant rate of ageing needs no update. */
    readyRank: integer({ defaultTo: 0 }),
    notBefore: integer(),
    /** Claims so far that ended without a result. */
    attempt: integer(),
    maxAttempts: integer({ defaultTo: 20 }),
    leaseOwner: textOrNull(),
    leaseUntil: integer(),
    fence: integer(),
    /** When a ticket was last sent for it, where an engine carries tickets; 0: none is under way. */
    ticketedAt: integer({ defaultTo: 0 }),
    /** One open job of a kind may have it. */
    dedupKey: textOrNull(),
    cancelRequestedAt: integerOrNull(),
    /** JSON: how far it has come, as its handler says. */
    progress: jsonOrNull(),
    /** Why it is `unroutable` or `dead`, or what its last attempt failed of. */
    errorCode: textOrNull(),
    errorMessage: textOrNull(),
    /** W3C trace context of who put it in the queue. */
    traceparent: textOrNull(),
    createdAt: integer(),
    updatedAt: integer(),
    finishedAt: integerOrNull(),
  },
  primaryKey: ['tenantId', 'id'],
  indexes: [
    { name: 'jobs_by_run', columns: ['tenantId', 'runId'], unique: true, where: 'run_id is not null' },
    { name: 'jobs_ready', columns: ['tenantId', 'readyRank', 'id'], where: "state = 'queued'" },
    {
      name: 'jobs_capped',
      columns: ['tenantId', 'definitionId', 'readyRank', 'id'],
      where: "state = 'queued' and definition_cap is not null",
    },
    { name: 'jobs_ticketed', columns: ['ticketedAt'], where: "state = 'queued' and ticketed_at > 0" },
    { name: 'jobs_scheduled', columns: ['notBefore'], where: "state = 'scheduled'" },
    { name: 'jobs_leased', columns: ['leaseUntil'], where: "state = 'leased'" },
    { name: 'jobs_held', columns: ['tenantId', 'definitionId'], where: "state = 'leased'" },
    {
      name: 'jobs_by_dedup',
      columns: ['tenantId', 'kind', 'dedupKey'],
      unique: true,
      where: "dedup_key is not null and state in ('queued', 'scheduled', 'leased', 'parked', 'unroutable')",
    },
    {
      name: 'jobs_set_aside',
      columns: ['tenantId', 'state', 'id'],
      where: "state in ('unroutable', 'dead')",
    },
  ],
  retained: 'finishedAt',
})

/** Who takes jobs. A row is there while its process lives; one whose heartbeat is old belongs to a dead process. */
export const workers = table('workers', {
  tenant: false,
  columns: {
    /** `host/machine/pid/random`, as leases name it. */
    id: text(),
    version: text(),
    engine: text(),
    /** JSON array of job kinds. */
    kinds: json(),
    /** JSON array: names of the host's own tools, which tell whether it can run a definition. */
    codeTools: json(),
    concurrency: integer(),
    active: integer(),
    startedAt: integer(),
    heartbeatAt: integer(),
    /** Since when it takes no more jobs. */
    drainingAt: integerOrNull(),
  },
  primaryKey: ['id'],
  indexes: [{ name: 'workers_by_heartbeat', columns: ['heartbeatAt'] }],
})
