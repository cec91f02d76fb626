import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openTestDatabase } from '../../../test/support/database.ts'
import { createDatabase } from '../../../test/support/postgres.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { AppError, isAppError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import { adminOf } from '../admin.ts'
import { addBody, countUp, getBody } from '../contract-statements.ts'
import type { Database } from '../database.ts'
import { migrate } from '../migrations/migrate.ts'
import { openDatabase } from '../open.ts'
import type { PostgresOptions } from './open-postgres.ts'

async function openWith(options: PostgresOptions): Promise<Database> {
  const created = await createDatabase(process.env.TEST_POSTGRES_URL ?? '')
  const db = await openDatabase(created.url, { postgres: options })
  await migrate(db)
  const close = db[Symbol.asyncDispose].bind(db)
  return Object.assign(db, {
    [Symbol.asyncDispose]: () => close().then(() => created[Symbol.asyncDispose]()),
  })
}

const unavailable = (error: unknown): boolean => isAppError(error, 'server.unavailable')

describe('Postgres', { skip: !testDatabases().includes('postgres') }, () => {
  it('runs the loser of a deadlock again', async () => {
    await using db = await openTestDatabase('postgres')
    const tenant = db.tenant(newId('tenant'))
    await tenant.write(async (tx) => {
      for (const hash of ['a', 'b']) await tx.run(addBody, { hash, bytes: 0 })
    })
    let attempts = 0
    const both = (first: string, second: string): Promise<void> =>
      tenant.write(async (tx) => {
        attempts += 1
        await tx.run(countUp, { hash: first })
        await sleep(50)
        await tx.run(countUp, { hash: second })
      })
    await Promise.all([both('a', 'b'), both('b', 'a')])
    assert.ok(attempts > 2, `${attempts} attempts`)
    for (const hash of ['a', 'b']) {
      assert.equal((await tenant.read((reader) => reader.first(getBody, { hash })))?.bytes, 2)
    }
  })

  it('gives up on a lock in time, and says that the database is busy', async () => {
    await using db = await openWith({ lockMsMax: 50 })
    const tenant = db.tenant(newId('tenant'))
    await tenant.write((tx) => tx.run(addBody, { hash: 'a', bytes: 0 }))
    const gate = Promise.withResolvers<void>()
    const holder = tenant.write(async (tx) => {
      await tx.run(countUp, { hash: 'a' })
      await gate.promise
    })
    await sleep(20)
    await assert.rejects(
      tenant.write((tx) => tx.run(countUp, { hash: 'a' })),
      (error) => isAppError(error, 'storage.locked'),
    )
    gate.resolve()
    await holder
  })

  it('survives that the server ends its connections, idle or in a transaction', async () => {
    const broken: Error[] = []
    await using db = await openWith({ onIdleError: (error) => broken.push(error) })
    const tenant = db.tenant(newId('tenant'))
    const end =
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'
    const write = tenant.write(async (tx) => {
      await tx.run(addBody, { hash: 'a', bytes: 0 })
      await adminOf(db).session((session) => session.script(end))
      await sleep(50)
      await tx.run(addBody, { hash: 'b', bytes: 0 })
    })
    await assert.rejects(write, unavailable)
    await tenant.write((tx) => tx.run(addBody, { hash: 'a', bytes: 0 }))
    await adminOf(db).session((session) => session.script(end))
    await sleep(50)
    assert.equal((await tenant.read((reader) => reader.first(getBody, { hash: 'a' })))?.bytes, 0)
  })

  it('prepares nothing where a pooler does not keep it, and still has its limits', async () => {
    await using db = await openWith({ prepared: false, lockMsMax: 50, connectionsMax: 2 })
    const tenant = db.tenant(newId('tenant'))
    await tenant.write((tx) => tx.run(addBody, { hash: 'a', bytes: 1 }))
    const prepared = await adminOf(db).session((session) =>
      session.rows('select name from pg_prepared_statements'),
    )
    assert.deepEqual(prepared, [])
    const gate = Promise.withResolvers<void>()
    const holder = tenant.write(async (tx) => {
      await tx.run(countUp, { hash: 'a' })
      await gate.promise
    })
    await sleep(20)
    await assert.rejects(
      tenant.write((tx) => tx.run(countUp, { hash: 'a' })),
      (error) => isAppError(error, 'storage.locked'),
    )
    gate.resolve()
    await holder
  })

  it('says why it cannot connect, without the password', async () => {
    const wrong = new URL(process.env.TEST_POSTGRES_URL ?? '')
    wrong.password = 'not-the-password'
    for (const url of [wrong.href, 'postgres://me:secret@127.0.0.1:1/none']) {
      const error = await openDatabase(url).catch((failure: unknown) => failure)
      assert.ok(error instanceof AppError && error.code === 'settings.invalid')
      assert.match(
        error.message,
        /^Postgres at 127\.0\.0\.1:\d+\/\w+ cannot be used: .*(authentication|ECONNREFUSED)/,
      )
      assert.doesNotMatch(error.message, /secret|not-the-password/)
    }
  })
})
