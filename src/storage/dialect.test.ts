import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { newId, type TenantId } from '../base/ids.ts'
import { addBody } from './contract-statements.ts'
import type { Database } from './database.ts'
import { currentTransactionId, forUpdate, forUpdateSkipLocked, visibleEvents } from './dialect.ts'
import { type Bind, statement } from './statement.ts'

const addEvent = statement('dialect-test.add-event', (db, p: Bind<{ readonly type: string }>, dialect) =>
  db.insertInto('events').values({
    tenantId: p.tenantId,
    txId: currentTransactionId(dialect),
    type: p.type,
    runId: null,
    runSeq: null,
    actor: 'system',
    subject: 'test',
    audit: 0,
    data: '{}',
    requestId: null,
    occurredAt: 1,
  }),
)

const readEvents = statement('dialect-test.read-events', (db, p: Bind<object>, dialect) =>
  db
    .selectFrom('events')
    .select(['type', 'txId'])
    .where('tenantId', '=', p.tenantId)
    .where(visibleEvents(dialect))
    .orderBy('txId')
    .orderBy('seq'),
)

const claimBody = statement('dialect-test.claim', (db, p: Bind<object>, dialect) =>
  db
    .updateTable('bodies')
    .set({ bytes: 1 })
    .where('tenantId', '=', p.tenantId)
    .where('hash', '=', (eb) =>
      forUpdateSkipLocked(dialect)(
        eb
          .selectFrom('bodies')
          .select('hash')
          .where('tenantId', '=', p.tenantId)
          .where('bytes', '=', 0)
          .orderBy('hash')
          .limit(1),
      ),
    )
    .returning('hash'),
)

const lockBody = statement('dialect-test.lock', (db, p: Bind<object>, dialect) =>
  forUpdate(dialect)(db.selectFrom('bodies').select('hash').where('tenantId', '=', p.tenantId)),
)

async function types(db: Database, tenantId: TenantId): Promise<string> {
  const rows = await db.tenant(tenantId).read((reader) => reader.all(readEvents, {}))
  return rows.map(({ type }) => type).join(' ')
}

forEachDatabase((name, open) => {
  it('shows a cursor an event only when none can come before it any more', async () => {
    await using db = await open()
    const tenant = db.tenant(newId('tenant'))
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const slow = tenant.write(async (tx) => {
      await tx.run(addEvent, { type: 'first' })
      begun.resolve()
      // Only on Postgres: there transactions run beside each other.
      if (name === 'postgres') await gate.promise
    })
    await begun.promise
    await tenant.write((tx) => tx.run(addEvent, { type: 'second' }))
    assert.equal(await types(db, tenant.tenantId), name === 'postgres' ? '' : 'first second')
    gate.resolve()
    await slow
    assert.equal(await types(db, tenant.tenantId), 'first second')
    const [row] = await tenant.read((reader) => reader.all(readEvents, {}))
    assert.equal(name === 'sqlite', row?.txId === 0)
  })

  it('gives two claims at the same moment two rows', async () => {
    await using db = await open()
    const tenant = db.tenant(newId('tenant'))
    await tenant.write(async (tx) => {
      for (const hash of ['a', 'b', 'c']) await tx.run(addBody, { hash, bytes: 0 })
      assert.equal((await tx.all(lockBody, {})).length, 3)
    })
    const claims = await Promise.all(
      [1, 2, 3].map(() =>
        tenant.write(async (tx) => {
          const row = await tx.first(claimBody, {})
          return row?.hash
        }),
      ),
    )
    assert.deepEqual(claims.toSorted(), ['a', 'b', 'c'])
    assert.equal(await tenant.write((tx) => tx.first(claimBody, {})), undefined)
  })
})
