// Statements of the database contract, over two plain tables.

import type { TenantId } from '../base/ids.ts'
import { type Bind, type SystemBind, statement, systemStatement } from './statement.ts'

export interface NewBody {
  readonly hash: string
  readonly bytes: number
}

/** `bytes` serves as a counter. */
export const addBody = statement('contract.add-body', (db, p: Bind<NewBody>) =>
  db
    .insertInto('bodies')
    .values({ tenantId: p.tenantId, hash: p.hash, bytes: p.bytes, content: 'text', createdAt: 1 }),
)

export const addBodyOnce = statement('contract.add-body-once', (db, p: Bind<NewBody>) =>
  db
    .insertInto('bodies')
    .values({ tenantId: p.tenantId, hash: p.hash, bytes: p.bytes, content: 'text', createdAt: 1 })
    .onConflict((conflict) => conflict.columns(['tenantId', 'hash']).doNothing()),
)

export const countUp = statement('contract.count-up', (db, p: Bind<{ readonly hash: string }>) =>
  db
    .updateTable('bodies')
    .set((eb) => ({ bytes: eb('bytes', '+', 1) }))
    .where('tenantId', '=', p.tenantId)
    .where('hash', '=', p.hash)
    .returning(['hash', 'bytes']),
)

export const getBody = statement('contract.get-body', (db, p: Bind<{ readonly hash: string }>) =>
  db.selectFrom('bodies').selectAll().where('tenantId', '=', p.tenantId).where('hash', '=', p.hash),
)

export const countBodies = statement('contract.count-bodies', (db, p: Bind<object>) =>
  db
    .selectFrom('bodies')
    .select((eb) => eb.fn.countAll<number>().as('bodyCount'))
    .where('tenantId', '=', p.tenantId),
)

export const sumBytes = statement('contract.sum-bytes', (db, p: Bind<object>) =>
  db
    .selectFrom('bodies')
    .select((eb) => [eb.fn.sum<bigint>('bytes').as('totalNanos'), eb.fn.countAll<number>().as('bodyCount')])
    .where('tenantId', '=', p.tenantId),
)

/** The same sum under a name that does not say that it is a bigint. */
export const sumBytesAsNumber = statement('contract.sum-bytes-as-number', (db, p: Bind<object>) =>
  db
    .selectFrom('bodies')
    .select((eb) => eb.fn.sum<number>('bytes').as('total'))
    .where('tenantId', '=', p.tenantId),
)

export const addTenant = systemStatement(
  'contract.add-tenant',
  'makes tenants for the contract',
  (db, p: SystemBind<{ readonly id: TenantId }>) =>
    db.insertInto('tenants').values({
      id: p.id,
      name: 'Tenant',
      status: 'active',
      capturePolicy: 'full',
      createdAt: 1,
      updatedAt: 1,
    }),
)

export const bodiesOfAll = systemStatement('contract.bodies-of-all', 'counts over all tenants', (db) =>
  db.selectFrom('bodies').select((eb) => eb.fn.countAll<number>().as('bodyCount')),
)
