// What has to be told to Stripe, in the database. SQL in, types out.

import type { OutboxId } from '../../base/ids.ts'
import { newId } from '../../base/ids.ts'
import type { JsonObject } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import type { RowOf } from '../../storage/schema/tables.ts'
import { type Bind, type SystemBind, statement, systemStatement } from '../../storage/statement.ts'

export type OutboxRow = RowOf<'billingOutbox'>
export type OutboxKind = OutboxRow['kind']

const REASON = 'what is told to Stripe is sent for all tenants by whichever process comes first'

/** Writes down what has to be told, with the fact that it tells of. The same identifier is told once. */
export async function tellStripe(
  tx: TenantTransaction,
  kind: OutboxKind,
  identifier: string,
  payload: JsonObject,
  at: EpochMs,
): Promise<boolean> {
  const id = newId('outbox', at)
  const row = { id, kind, identifier, payload: JSON.stringify(payload), at }
  return (await tx.run(insertOutbox, row)) === 1
}

const insertOutbox = statement(
  'stripe.tell',
  (db, p: Bind<{ id: OutboxId; kind: OutboxKind; identifier: string; payload: string; at: EpochMs }>) =>
    db
      .insertInto('billingOutbox')
      .values({
        tenantId: p.tenantId,
        id: p.id,
        kind: p.kind,
        identifier: p.identifier,
        payload: p.payload,
        state: 'pending',
        attempts: 0,
        triedAt: null,
        nextAt: p.at,
        lastError: null,
        createdAt: p.at,
        sentAt: null,
      })
      .onConflict((conflict) => conflict.columns(['tenantId', 'identifier']).doNothing()),
)

/** Those that are due, the oldest first. */
export const dueOutbox = systemStatement(
  'stripe.due',
  REASON,
  (db, p: SystemBind<{ at: EpochMs; limit: number }>) =>
    db
      .selectFrom('billingOutbox')
      .select(['tenantId', 'id', 'nextAt'])
      .where('state', '=', 'pending')
      .where('nextAt', '<=', p.at)
      .orderBy('nextAt')
      .limit(p.limit),
)

/** Takes one for a while; no row where another process has it. */
export const takeOutbox = statement(
  'stripe.take',
  (db, p: Bind<{ id: OutboxId; at: EpochMs; until: EpochMs }>) =>
    db
      .updateTable('billingOutbox')
      .set((eb) => ({
        nextAt: p.until,
        attempts: eb('attempts', '+', 1),
        triedAt: eb.fn.coalesce('triedAt', eb.cast<number>(eb.val(p.at), 'bigint')),
      }))
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('state', '=', 'pending')
      .where('nextAt', '<=', p.at)
      .returningAll(),
)

export const endOutbox = statement(
  'stripe.end',
  (db, p: Bind<{ id: OutboxId; state: OutboxRow['state']; lastError: string | null; at: EpochMs }>) =>
    db
      .updateTable('billingOutbox')
      .set({ state: p.state, lastError: p.lastError, sentAt: p.at })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('state', '=', 'pending'),
)

/** `triedAt` is null where Stripe certainly did nothing: the day begins anew with the next try. */
export const retryOutbox = statement(
  'stripe.retry',
  (db, p: Bind<{ id: OutboxId; lastError: string; triedAt: EpochMs | null; nextAt: EpochMs }>) =>
    db
      .updateTable('billingOutbox')
      .set({ lastError: p.lastError, triedAt: p.triedAt, nextAt: p.nextAt })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('state', '=', 'pending'),
)

export const countOutbox = statement('stripe.count', (db, p: Bind<object>) =>
  db
    .selectFrom('billingOutbox')
    .select((eb) => ['state', eb.fn.countAll<number>().as('count')])
    .where('tenantId', '=', p.tenantId)
    .groupBy('state'),
)

/** The newest that could not be told. */
export const failedOutbox = statement('stripe.failed', (db, p: Bind<{ limit: number }>) =>
  db
    .selectFrom('billingOutbox')
    .select(['identifier', 'kind', 'state', 'lastError', 'createdAt'])
    .where('tenantId', '=', p.tenantId)
    .where('lastError', 'is not', null)
    .where('state', '<>', 'sent')
    .orderBy('id', 'desc')
    .limit(p.limit),
)

/** The meter events of a time, by the moment that they tell of: what was told, and what has yet to be. */
export const toldOfMeter = statement('stripe.told', (db, p: Bind<{ prefix: string; until: string }>) =>
  db
    .selectFrom('billingOutbox')
    .select(['identifier', 'payload', 'state', 'sentAt'])
    .where('tenantId', '=', p.tenantId)
    .where('kind', '=', 'meter_event')
    .where('identifier', '>=', p.prefix)
    .where('identifier', '<', p.until),
)
