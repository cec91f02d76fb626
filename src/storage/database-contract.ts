// What every database must do, run against each of them. Deviations are named where they are allowed.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isAppError } from '../base/errors.ts'
import { newId, type TenantId } from '../base/ids.ts'
import {
  addBody,
  addBodyOnce,
  addTenant,
  bodiesOfAll,
  countBodies,
  countUp,
  getBody,
  sumBytes,
  sumBytesAsNumber,
} from './contract-statements.ts'
import type { Database } from './database.ts'
import { systemStatement } from './statement.ts'
import { isConstraintError } from './storage-errors.ts'

/** Registers the suite; `open` gives a fresh database with all tables each time. */
export function databaseContract(name: string, open: () => Promise<Database>): void {
  describe(`database contract: ${name}`, () => {
    transactions(open)
    values(open)
    scopes(open)
    closing(open)
  })
}

type Open = () => Promise<Database>

const COUNTER = { hash: 'counter', bytes: 0 }

async function bodyCount(db: Database, tenantId: TenantId): Promise<number> {
  const row = await db.tenant(tenantId).read((reader) => reader.first(countBodies, {}))
  return row?.bodyCount ?? -1
}

function transactions(open: Open): void {
  it('stores what a unit wrote, and shows it to the next read', async () => {
    await using db = await open()
    const tenant = db.tenant(newId('tenant'))
    const changed = await tenant.write((tx) => tx.run(addBody, { hash: 'a', bytes: 7 }))
    assert.equal(changed, 1)
    const row = await tenant.read((reader) => reader.first(getBody, { hash: 'a' }))
    assert.deepEqual(row, { tenantId: tenant.tenantId, hash: 'a', bytes: 7, content: 'text', createdAt: 1 })
    assert.equal(await tenant.read((reader) => reader.first(getBody, { hash: 'b' })), undefined)
  })

  it('stores nothing of a unit that throws, and gives its error to the caller', async () => {
    await using db = await open()
    const tenant = db.tenant(newId('tenant'))
    const failure = new Error('no')
    const write = tenant.write(async (tx) => {
      await tx.run(addBody, { hash: 'a', bytes: 1 })
      throw failure
    })
    await assert.rejects(write, failure)
    assert.equal(await bodyCount(db, tenant.tenantId), 0)
  })

  it('fails a unit in which a statement failed, also when that was caught', async () => {
    await using db = await open()
    const tenant = db.tenant(newId('tenant'))
    const write = tenant.write(async (tx) => {
      await tx.run(addBody, { hash: 'a', bytes: 1 })
      await tx.run(addBody, { hash: 'a', bytes: 1 }).catch(() => undefined)
      await tx.run(addBody, { hash: 'b', bytes: 1 }).catch(() => undefined)
      return 'done'
    })
    await assert.rejects(write, (error) => isConstraintError(error, 'unique'))
    assert.equal(await bodyCount(db, tenant.tenantId), 0)
  })

  it('keeps concurrent units apart: each that fails fails alone, no update is lost', async () => {
    await using db = await open()
    const tenant = db.tenant(newId('tenant'))
    await tenant.write((tx) => tx.run(addBody, COUNTER))
    const units = Array.from({ length: 60 }, (_, i) =>
      tenant.write(async (tx) => {
        await tx.run(countUp, { hash: 'counter' })
        await tx.run(addBody, { hash: `body ${i}`, bytes: i })
        if (i % 3 === 0) throw new Error(`unit ${i}`)
      }),
    )
    const settled = await Promise.allSettled(units)
    assert.deepEqual(
      settled.map(({ status }) => status),
      units.map((_, i) => (i % 3 === 0 ? 'rejected' : 'fulfilled')),
    )
    const counter = await tenant.read((reader) => reader.first(getBody, { hash: 'counter' }))
    assert.equal(counter?.bytes, 40)
    assert.equal(await bodyCount(db, tenant.tenantId), 41)
  })

  it('never shows a read what a unit wrote that is rolled back', async () => {
    await using db = await open()
    const tenant = db.tenant(newId('tenant'))
    const reads: Promise<number>[] = []
    const write = tenant.write(async (tx) => {
      await tx.run(addBody, { hash: 'a', bytes: 1 })
      reads.push(bodyCount(db, tenant.tenantId))
      throw new Error('no')
    })
    await assert.rejects(write, /no/)
    assert.deepEqual(await Promise.all(reads), [0])
  })

  it('refuses statements after the unit is over', async () => {
    await using db = await open()
    const tenant = db.tenant(newId('tenant'))
    const tx = await tenant.write(async (inside) => ({ inside }))
    await assert.rejects(tx.inside.run(addBody, { hash: 'a', bytes: 1 }), /transaction is over/)
    assert.equal(await bodyCount(db, tenant.tenantId), 0)
  })

  it('answers changed rows, returned rows and conflicts that were ignored', async () => {
    await using db = await open()
    const tenant = db.tenant(newId('tenant'))
    await tenant.write(async (tx) => {
      assert.equal(await tx.run(addBodyOnce, COUNTER), 1)
      assert.equal(await tx.run(addBodyOnce, COUNTER), 0)
      assert.deepEqual(await tx.all(countUp, { hash: 'counter' }), [{ hash: 'counter', bytes: 1 }])
      assert.deepEqual(await tx.first(countUp, { hash: 'counter' }), { hash: 'counter', bytes: 2 })
      assert.equal(await tx.run(countUp, { hash: 'counter' }), 1)
      assert.equal(await tx.run(countUp, { hash: 'nobody' }), 0)
    })
  })
}

function values(open: Open): void {
  it('reads sums above 2^53 exactly as bigints where the name ends in Nanos, and refuses them elsewhere', async () => {
    await using db = await open()
    const tenant = db.tenant(newId('tenant'))
    await tenant.write(async (tx) => {
      for (const hash of ['a', 'b', 'c']) await tx.run(addBody, { hash, bytes: Number.MAX_SAFE_INTEGER })
    })
    await tenant.read(async (reader) => {
      const sum = await reader.first(sumBytes, {})
      assert.deepEqual(sum, { totalNanos: 3n * BigInt(Number.MAX_SAFE_INTEGER), bodyCount: 3 })
      await assert.rejects(reader.first(sumBytesAsNumber, {}), RangeError)
    })
  })

  it('gives null for the sum of nothing', async () => {
    await using db = await open()
    const row = await db.tenant(newId('tenant')).read((reader) => reader.first(sumBytes, {}))
    assert.deepEqual(row, { totalNanos: null, bodyCount: 0 })
  })

  it('refuses values that are missing or of a kind that no column has, and names the place', async () => {
    await using db = await open()
    const tenant = db.tenant(newId('tenant'))
    for (const [bytes, message] of [
      [undefined, /no value for "bytes"/],
      [true, /cannot bind true to "bytes"/],
      [Number.NaN, /cannot bind NaN to "bytes"/],
      [new Date(0), /cannot bind an object to "bytes"/],
      [[1], /cannot bind an array to "bytes"/],
    ] as const) {
      await assert.rejects(
        tenant.write((tx) => tx.run(addBody, { hash: 'a', bytes } as never)),
        message,
      )
    }
  })

  it('binds the values of a query that was built on the spot, whatever is in them', async () => {
    await using db = await open()
    const tenant = db.tenant(newId('tenant'))
    const hash = `'; drop table bodies; -- \\ " \u{1F9EA}`
    await tenant.write((tx) => tx.run(addBody, { hash, bytes: 1 }))
    const rows = await tenant.read((reader) =>
      reader.query((builder, tenantId) =>
        builder
          .selectFrom('bodies')
          .select('hash')
          .where('tenantId', '=', tenantId)
          .where('hash', 'in', [hash, 'x']),
      ),
    )
    assert.deepEqual(rows, [{ hash }])
  })

  it('orders texts by their bytes', async () => {
    await using db = await open()
    const tenant = db.tenant(newId('tenant'))
    await tenant.write(async (tx) => {
      for (const hash of ['b', 'A', 'a', 'B', '_']) await tx.run(addBody, { hash, bytes: 1 })
    })
    const rows = await tenant.read((reader) =>
      reader.query((builder, tenantId) =>
        builder.selectFrom('bodies').select('hash').where('tenantId', '=', tenantId).orderBy('hash'),
      ),
    )
    assert.equal(rows.map((row) => row.hash).join(''), 'AB_ab')
  })
}

function scopes(open: Open): void {
  it('takes the tenant from the scope, whatever the parameters say', async () => {
    await using db = await open()
    const [ours, theirs] = [newId('tenant'), newId('tenant')]
    await db.tenant(theirs).write((tx) => tx.run(addBody, { hash: 'a', bytes: 2 }))
    const params = { hash: 'a', bytes: 1, tenantId: theirs }
    await db.tenant(ours).write((tx) => tx.run(addBody, params))
    const row = await db.tenant(ours).read((reader) => reader.first(getBody, params))
    assert.equal(row?.bytes, 1)
    assert.equal(await bodyCount(db, theirs), 1)
  })

  it('runs system statements across tenants, and narrows a transaction to one', async () => {
    await using db = await open()
    const id = newId('tenant')
    await db.system.write(async (tx) => {
      await tx.run(addTenant, { id })
      await tx.forTenant(id).run(addBody, { hash: 'a', bytes: 1 })
      await tx.forTenant(newId('tenant')).run(addBody, { hash: 'a', bytes: 1 })
      assert.deepEqual(await tx.first(bodiesOfAll, {}), { bodyCount: 2 })
    })
    assert.deepEqual(await db.system.read((reader) => reader.first(bodiesOfAll, {})), { bodyCount: 2 })
    assert.equal(await bodyCount(db, id), 1)
  })

  it('refuses statements of the other kind, and writes where only reading is allowed', async () => {
    await using db = await open()
    const tenant = db.tenant(newId('tenant'))
    await assert.rejects(
      tenant.read((reader) => reader.all(bodiesOfAll as never, {})),
      /a tenant scope cannot run it/,
    )
    await assert.rejects(
      tenant.write((tx) => tx.run(addTenant as never, {})),
      /a tenant scope cannot run it/,
    )
    await assert.rejects(
      db.system.read((reader) => reader.all(getBody as never, {})),
      /a system scope cannot run it/,
    )
    await assert.rejects(
      tenant.read((reader) => reader.all(countUp, { hash: 'a' })),
      /only a transaction runs it/,
    )
    await assert.rejects(
      db.system.read((reader) => reader.all(addTenant, { id: newId('tenant') })),
      /only a transaction/,
    )
  })

  it('refuses two statements of one name', async () => {
    await using db = await open()
    const other = systemStatement('contract.bodies-of-all', 'another one', (builder) =>
      builder.selectFrom('bodies').selectAll(),
    )
    await db.system.read((reader) => reader.all(bodiesOfAll, {}))
    await assert.rejects(
      db.system.read((reader) => reader.all(other, {})),
      /Two statements have the name/,
    )
  })
}

function closing(open: Open): void {
  it('finishes the writes that are pending when it is closed, and takes none afterwards', async () => {
    const db = await open()
    const tenant = db.tenant(newId('tenant'))
    const writes = Array.from({ length: 20 }, (_, i) =>
      tenant.write((tx) => tx.run(addBody, { hash: `${i}`, bytes: i })),
    )
    const closed = db[Symbol.asyncDispose]()
    assert.deepEqual(await Promise.all(writes), Array(20).fill(1))
    await closed
    const stopping = (error: unknown): boolean => isAppError(error, 'server.stopping')
    await assert.rejects(
      tenant.write((tx) => tx.run(addBody, COUNTER)),
      stopping,
    )
    await assert.rejects(bodyCount(db, tenant.tenantId), stopping)
    await assert.rejects(db.ping(), stopping)
    await db[Symbol.asyncDispose]()
  })

  it('answers a ping', async () => {
    await using db = await open()
    await db.ping()
  })
}
