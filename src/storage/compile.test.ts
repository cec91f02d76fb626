import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newId } from '../base/ids.ts'
import { bindValues, createCompiler } from './compile.ts'
import { camelCase, isMoney, snakeCase } from './identifiers.ts'
import { ALL_TABLES } from './schema/all-tables.ts'
import { TABLES } from './schema/tables.ts'
import { type Bind, statement } from './statement.ts'

const page = statement(
  'compile-test.page',
  (db, p: Bind<{ readonly after: string; readonly limit: number }>) =>
    db
      .selectFrom('jobs')
      .select(['id', 'leaseOwner'])
      .where('tenantId', '=', p.tenantId)
      .where('state', '=', 'queued')
      .where('attempt', '<', 3)
      .where((eb) => eb.or([eb('id', '>', p.after as never), eb('runId', '>', p.after as never)]))
      .where('leaseOwner', '!=', "it's")
      .limit(p.limit),
)

describe('the compiler', () => {
  it('writes places, constants and names as each database reads them', () => {
    const sqlite = createCompiler('sqlite').tenant(page)
    assert.equal(
      sqlite.sql,
      `select "id", "lease_owner" from "jobs" where "tenant_id" = ?1 and "state" = 'queued' and "attempt" < 3 ` +
        `and ("id" > ?2 or "run_id" > ?2) and "lease_owner" != ?3 limit ?4`,
    )
    const postgres = createCompiler('postgres').tenant(page)
    assert.equal(postgres.sql, sqlite.sql.replaceAll('?', '$'))
    const tenantId = newId('tenant')
    assert.deepEqual(bindValues(sqlite, { after: 'a', limit: 5 }, tenantId), [tenantId, 'a', "it's", 5])
  })

  it('never writes a value of a query that is built on the spot into the text', () => {
    const tenantId = newId('tenant')
    const query = createCompiler('sqlite').query(
      (db, id) => db.selectFrom('jobs').select('id').where('tenantId', '=', id).where('state', '=', 'queued'),
      tenantId,
    )
    assert.equal(query.sql, 'select "id" from "jobs" where "tenant_id" = ?1 and "state" = ?2')
    assert.deepEqual(bindValues(query, undefined, tenantId), [tenantId, 'queued'])
  })

  it('knows which statements change rows, also inside a common table', () => {
    const compiler = createCompiler('postgres')
    assert.equal(compiler.tenant(page).writes, false)
    const hidden = statement('compile-test.hidden', (db, p: Bind<object>) =>
      db
        .with('gone', (cte) => cte.deleteFrom('jobs').where('tenantId', '=', p.tenantId).returning('id'))
        .selectFrom('gone')
        .selectAll(),
    )
    assert.equal(compiler.tenant(hidden).writes, true)
  })

  it('refuses a marker that is put into a text', () => {
    const wrong = statement('compile-test.wrong', (db, p: Bind<{ readonly id: string }>) =>
      db
        .selectFrom('jobs')
        .selectAll()
        .where('tenantId', '=', p.tenantId)
        .where('id', 'like', `${p.id}%` as never),
    )
    assert.throws(() => createCompiler('sqlite').tenant(wrong), /"id" is a place for a value/)
  })

  it('cannot be executed through the builder', async () => {
    let executed: Promise<unknown> = Promise.resolve()
    const own = statement('compile-test.own', (db, p: Bind<object>) => {
      executed = db.selectFrom('tenants').selectAll().execute()
      return db.selectFrom('jobs').selectAll().where('tenantId', '=', p.tenantId)
    })
    createCompiler('sqlite').tenant(own)
    await assert.rejects(executed, /built, not executed/)
  })
})

describe('names', () => {
  it('go to the database and back', () => {
    for (const table of ALL_TABLES) {
      for (const name of Object.keys(table.columns)) assert.equal(camelCase(snakeCase(name)), name)
    }
    for (const [key, table] of Object.entries(TABLES)) assert.equal(snakeCase(key), table.name)
  })

  it('say which numbers are bigints: every column of money, and no other', () => {
    for (const table of ALL_TABLES) {
      for (const [name, column] of Object.entries(table.columns))
        assert.equal(isMoney(name), column.kind === 'money', name)
    }
  })
})
