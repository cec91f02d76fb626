import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openTestDatabase } from '../../../test/support/database.ts'
import { isAppError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import { adminOf } from '../admin.ts'
import { addBody, countBodies, getBody, sumBytes } from '../contract-statements.ts'
import type { Database, TenantDatabase } from '../database.ts'
import { migrate } from '../migrations/migrate.ts'
import { openDatabase } from '../open.ts'
import { statement } from '../statement.ts'

async function openImpatient(): Promise<Database> {
  const db = await openDatabase('sqlite::memory:', { sqlite: { unitMsMax: 50 } })
  await migrate(db)
  return db
}

async function hashes(tenant: TenantDatabase): Promise<string> {
  const rows = await tenant.read((reader) =>
    reader.query((db, id) =>
      db.selectFrom('bodies').select('hash').where('tenantId', '=', id).orderBy('hash'),
    ),
  )
  return rows.map(({ hash }) => hash).join('')
}

const numbers = statement<object, { readonly kind: string; readonly nanos: bigint }>(
  'writer-test.numbers',
  (db) =>
    db.selectNoFrom((eb) => [
      eb.fn<string>('typeof', [eb.val(2 ** 40 + 0.5)]).as('kind'),
      eb.cast<bigint>(eb.val('9007199254740993'), 'integer').as('nanos'),
    ]),
)

describe('the writer of SQLite', () => {
  it('commits units that wait together once, and keeps one that fails out of it', async () => {
    await using db = await openTestDatabase()
    const tenant = db.tenant(newId('tenant'))
    const order: string[] = []
    const write = (hash: string, fails: boolean): Promise<void> =>
      tenant.write(async (tx) => {
        order.push(`${hash} begins`)
        await tx.run(addBody, { hash, bytes: 1 })
        order.push(`${hash} ends`)
        if (fails) throw new Error(hash)
      })
    const units = [write('a', false), write('b', true), write('c', false)]
    void units[0]?.then(() => order.push('a is stored'))
    const settled = await Promise.allSettled(units)
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    const begun = ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']
    assert.deepEqual(order, [...begun, 'a is stored'])
    assert.equal(await hashes(tenant), 'ac')
  })

  it('rolls back a unit that awaits something else than its transaction, and goes on with the next', async () => {
    await using db = await openImpatient()
    const tenant = db.tenant(newId('tenant'))
    const late: unknown[] = []
    const hanging = tenant.write(async (tx) => {
      await tx.run(addBody, { hash: 'a', bytes: 1 })
      await sleep(100)
      await tx.run(addBody, { hash: 'x', bytes: 1 }).catch((error: Error) => late.push(error.message))
    })
    const nested = tenant.write(async (tx) => {
      await tx.run(addBody, { hash: 'b', bytes: 1 })
      await tenant.write((inner) => inner.run(addBody, { hash: 'c', bytes: 1 }))
    })
    const good = tenant.write((tx) => tx.run(addBody, { hash: 'd', bytes: 1 }))
    await assert.rejects(
      hanging,
      /did not end within 50 ms and was rolled back: it may await nothing but its transaction/,
    )
    await assert.rejects(nested, /did not end within 50 ms/)
    assert.equal(await good, 1)
    await sleep(100)
    assert.match(String(late[0]), /transaction is over/)
    assert.equal(await hashes(tenant), 'cd')
  })

  it('fails all units of a batch when the disk is full, and writes again when there is room', async () => {
    await using db = await openTestDatabase()
    const tenant = db.tenant(newId('tenant'))
    const limit = (pages: string): Promise<void> =>
      adminOf(db).session((session) => session.script(`pragma max_page_count = ${pages}`))
    await limit('1')
    const units = Array.from({ length: 40 }, (_, i) =>
      tenant.write(async (tx) => {
        for (let row = 0; row < 40; row++)
          await tx.run(addBody, { hash: `${i} ${row} ${'x'.repeat(200)}`, bytes: 1 })
      }),
    )
    const settled = await Promise.allSettled(units)
    assert.ok(settled.every((unit) => unit.status === 'rejected' && isAppError(unit.reason, 'storage.full')))
    await limit('1000000')
    assert.deepEqual(await tenant.read((reader) => reader.first(countBodies, {})), { bodyCount: 0 })
    await tenant.write((tx) => tx.run(addBody, { hash: 'a', bytes: 1 }))
    assert.equal(await hashes(tenant), 'a')
  })

  it('binds whole numbers as integers and reads bigints only where the name says so', async () => {
    await using db = await openTestDatabase()
    const tenant = db.tenant(newId('tenant'))
    await tenant.read(async (reader) => {
      assert.deepEqual(await reader.first(numbers, {}), { kind: 'real', nanos: 9007199254740993n })
    })
    await tenant.write((tx) => tx.run(addBody, { hash: 'a', bytes: 2 ** 52 }))
    assert.equal((await tenant.read((reader) => reader.first(getBody, { hash: 'a' })))?.bytes, 2 ** 52)
    assert.equal((await tenant.read((reader) => reader.first(sumBytes, {})))?.totalNanos, 2n ** 52n)
    await assert.rejects(
      tenant.write((tx) => tx.run(addBody, { hash: 'b', bytes: 0.5 })),
      /type constraint/,
    )
  })

  it('does not pass what it cannot open', async () => {
    await assert.rejects(openDatabase('sqlite:package.json/data.db'), (error) =>
      isAppError(error, 'settings.invalid'),
    )
    await assert.rejects(openDatabase('sqlite:package.json'), /cannot be opened: .*not a database/)
    for (const url of ['sqlite:', 'mysql://localhost/x', 'postgres:x', '']) {
      await assert.rejects(
        openDatabase(url),
        (error) => isAppError(error, 'settings.invalid') && /one of/.test(error.message),
      )
    }
  })
})
