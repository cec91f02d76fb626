// Tenants' own prices in the database. SQL in, rows out.

import type { PriceId } from '../../../base/ids.ts'
import type { EpochMs } from '../../../base/time.ts'
import { lockText } from '../../../storage/dialect.ts'
import { type Bind, statement } from '../../../storage/statement.ts'
import type { OwnPriceRow } from './own-price.ts'

/** Those who change the prices of a tenant stand in line, so that periods do not come to overlap and a count is true. */
export const lockOwnPrices = statement('own-prices.lock', (db, p: Bind<{ key: string }>, dialect) =>
  db.selectNoFrom(lockText(dialect, p.key).as('locked')),
)

export const insertOwnPrice = statement('own-prices.insert', (db, p: Bind<OwnPriceRow>) =>
  db.insertInto('tenantPrices').values({
    tenantId: p.tenantId,
    id: p.id,
    subject: p.subject,
    effectiveFrom: p.effectiveFrom,
    effectiveUntil: p.effectiveUntil,
    amounts: p.amounts,
    note: p.note,
    createdBy: p.createdBy,
    createdAt: p.createdAt,
    withdrawnAt: p.withdrawnAt,
  }),
)

export const ownPriceById = statement('own-prices.get', (db, p: Bind<{ id: PriceId }>) =>
  db.selectFrom('tenantPrices').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

/** All that count at some time. */
export const ownPricesInUse = statement('own-prices.in-use', (db, p: Bind<{ limit: number }>) =>
  db
    .selectFrom('tenantPrices')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('withdrawnAt', 'is', null)
    .orderBy('subject')
    .orderBy('effectiveFrom')
    .limit(p.limit),
)

export const ownPricesOfSubject = statement('own-prices.of-subject', (db, p: Bind<{ subject: string }>) =>
  db
    .selectFrom('tenantPrices')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('subject', '=', p.subject)
    .where('withdrawnAt', 'is', null)
    .orderBy('effectiveFrom'),
)

export const countOwnPrices = statement('own-prices.count', (db, p: Bind<object>) =>
  db
    .selectFrom('tenantPrices')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('tenantId', '=', p.tenantId)
    .where('withdrawnAt', 'is', null),
)

export const endOwnPrice = statement(
  'own-prices.end',
  (db, p: Bind<{ id: PriceId; effectiveUntil: EpochMs }>) =>
    db
      .updateTable('tenantPrices')
      .set({ effectiveUntil: p.effectiveUntil })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('effectiveUntil', 'is', null),
)

/** Changes nothing where it is withdrawn already. */
export const markWithdrawn = statement('own-prices.withdraw', (db, p: Bind<{ id: PriceId; at: EpochMs }>) =>
  db
    .updateTable('tenantPrices')
    .set({ withdrawnAt: p.at })
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id)
    .where('withdrawnAt', 'is', null),
)
