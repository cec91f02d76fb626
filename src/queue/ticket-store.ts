// The SQL of tickets: which jobs may have one now, and that they have one. Each statement walks an index that holds only
// the rows in question.

import type { TenantId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import { isOneOf, lockText } from '../storage/dialect.ts'
import type { Bind, SystemBind } from '../storage/statement.ts'
import { statement, systemStatement } from '../storage/statement.ts'
import { QUEUED_BY_KEY, withCapped } from './queued.ts'

const REASON = 'the relay serves every tenant'

/** Two relays never choose at the same time: each counts what the other has given. */
export const lockRelay = systemStatement('relay.lock', REASON, (db, _p: SystemBind<object>, dialect) =>
  db.selectNoFrom(lockText(dialect, 'agent-factory relay').as('locked')),
)

/** What a dead worker held may be claimed again. Who still believes to hold it fails at its fence. */
export const requeueLapsed = systemStatement(
  'relay.requeue-lapsed',
  'leases of any tenant lapse',
  (db, p: SystemBind<{ at: EpochMs }>) =>
    db
      .updateTable('jobs')
      .set({ state: 'queued', leaseOwner: null, ticketedAt: 0, updatedAt: p.at })
      .where('state', '=', 'leased')
      .where('leaseUntil', '<', p.at),
)

/** A ticket that nobody used by now counts as lost. */
export const forgetTickets = systemStatement(
  'relay.forget-tickets',
  'tickets of any tenant get lost',
  (db, p: SystemBind<{ before: EpochMs }>) =>
    db
      .updateTable('jobs')
      .set({ ticketedAt: 0 })
      .where('state', '=', 'queued')
      .where('ticketedAt', '>', 0)
      .where('ticketedAt', '<', p.before),
)

export const leasedByDefinition = systemStatement('relay.leased', REASON, (db, _p: SystemBind<object>) =>
  db
    .selectFrom('jobs')
    .select((eb) => ['tenantId', 'definitionId', eb.fn.countAll<number>().as('count')])
    .where('state', '=', 'leased')
    .groupBy(['tenantId', 'definitionId']),
)

export const ticketedByDefinition = systemStatement('relay.ticketed', REASON, (db, _p: SystemBind<object>) =>
  db
    .selectFrom('jobs')
    .select((eb) => ['tenantId', 'definitionId', eb.fn.countAll<number>().as('count')])
    .where('state', '=', 'queued')
    .where('ticketedAt', '>', 0)
    .groupBy(['tenantId', 'definitionId']),
)

/** How many jobs the workers that live and do not drain can do at a time. */
export const liveConcurrency = systemStatement(
  'relay.concurrency',
  REASON,
  (db, p: SystemBind<{ since: EpochMs }>) =>
    db
      .selectFrom('workers')
      .select((eb) => eb.fn.coalesce(eb.fn.sum<number>('concurrency'), eb.lit(0)).as('total'))
      .where('heartbeatAt', '>', p.since)
      .where('drainingAt', 'is', null),
)

/** A tenant's definitions with queued jobs that a cap is on. */
export const cappedDefinitions = statement('relay.capped-definitions', (db, p: Bind<object>) =>
  withCapped(db, p.tenantId)
    .selectFrom('capped')
    .select((eb) => eb.ref('capped.definitionId').$notNull().as('definitionId'))
    .where('capped.definitionId', 'is not', null),
)

const CANDIDATE = ['id', 'readyRank', 'definitionId', 'definitionCap'] as const

export const freeCandidates = statement('relay.free-candidates', (db, p: Bind<{ limit: number }>) =>
  db
    .selectFrom('jobs')
    .select([...CANDIDATE])
    .where('tenantId', '=', p.tenantId)
    .where('state', '=', 'queued')
    .where('ticketedAt', '=', 0)
    .where('definitionCap', 'is', null)
    .orderBy('readyRank')
    .orderBy('id')
    .limit(p.limit),
)

export const cappedCandidates = statement(
  'relay.capped-candidates',
  (db, p: Bind<{ definitionId: string; limit: number }>) =>
    db
      .selectFrom('jobs')
      .select([...CANDIDATE])
      .where('tenantId', '=', p.tenantId)
      .where('state', '=', 'queued')
      .where('ticketedAt', '=', 0)
      .where('definitionCap', 'is not', null)
      .where('definitionId', '=', p.definitionId)
      .orderBy('readyRank')
      .orderBy('id')
      .limit(p.limit),
)

export const ticketById = statement(
  'relay.ticket-by-id',
  (db, p: Bind<{ at: EpochMs; ids: string }>, dialect) =>
    db
      .updateTable('jobs')
      .set({ ticketedAt: p.at })
      .where('tenantId', '=', p.tenantId)
      .where((eb) => isOneOf(dialect, eb.ref('id'), p.ids))
      .where(QUEUED_BY_KEY, '=', 'queued')
      .where('ticketedAt', '=', 0)
      .returning(['id', 'readyRank']),
)

/** Takes back the marks of one pass whose tickets were not sent. */
export const takeBackTickets = statement(
  'relay.take-back',
  (db, p: Bind<{ at: EpochMs; ids: string }>, dialect) =>
    db
      .updateTable('jobs')
      .set({ ticketedAt: 0 })
      .where('tenantId', '=', p.tenantId)
      .where((eb) => isOneOf(dialect, eb.ref('id'), p.ids))
      .where(QUEUED_BY_KEY, '=', 'queued')
      .where('ticketedAt', '=', p.at),
)

export interface DefinitionCount {
  readonly tenantId: TenantId
  readonly definitionId: string | null
  readonly count: number
}
