import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { forEachDatabase, openTestDatabase } from '../../../test/support/database.ts'
import { isAppError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import { adminOf } from '../admin.ts'
import { addBody, getBody } from '../contract-statements.ts'
import type { Database } from '../database.ts'
import { generateMigration, lastSnapshot } from './generate-migration.ts'
import { assertCurrentSchema, migrate, migrationHistory, migrationStatus, rollback } from './migrate.ts'
import { MIGRATIONS_FOLDER, readMigrations } from './migration-files.ts'
import { checkSchemaAgreement } from './schema-agreement.ts'
import { diffSchemas } from './schema-diff.ts'
import { declaredSchema, type SchemaShape } from './schema-shape.ts'

it('has a migration for every change of the declared schema', async () => {
  const { snapshot } = await lastSnapshot()
  assert.deepEqual(diffSchemas(snapshot, declaredSchema()), [], 'a table changed: generate a migration')
})

/** The spine, and a second migration that adds, changes and drops. */
async function withTwoMigrations(
  work: (folder: string, second: SchemaShape) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-factory-migrations-'))
  try {
    await generateMigration('first', declaredSchema(), folder)
    await generateMigration('second', changedSchema(), folder)
    await work(folder, changedSchema())
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Every kind of change that the generator knows, on the table of the contract and around it. */
function changedSchema(): SchemaShape {
  const { tables } = declaredSchema()
  const extra = {
    name: 'extra',
    type: 'text',
    nullable: false,
    generated: false,
    defaultTo: 'x',
    oneOf: ['x', 'y'],
  } as const
  const changed = tables.flatMap((table) => {
    if (table.name === 'usage_records') return []
    if (table.name === 'jobs')
      return [{ ...table, columns: [...table.columns, extra], indexes: table.indexes.slice(1) }]
    if (table.name !== 'bodies') return [table]
    const columns = table.columns
      .filter(({ name }) => name !== 'created_at')
      .map((column) =>
        column.name === 'bytes' ? { ...column, type: 'text' as const, nullable: true } : column,
      )
    const index = { name: 'bodies_by_extra', columns: ['extra'], unique: true, where: 'extra is not null' }
    const key = { columns: ['tenant_id'], table: 'tenants', references: ['id'] }
    return [
      {
        ...table,
        columns: [...columns, extra],
        unique: [['hash', 'extra']],
        indexes: [index],
        foreignKeys: [key],
      },
    ]
  })
  const added = { ...extra, name: 'id', defaultTo: null, oneOf: null }
  const table = {
    name: 'added',
    columns: [added],
    primaryKey: ['id'],
    unique: [],
    indexes: [],
    foreignKeys: [],
  }
  return { tables: [...changed, table] }
}

forEachDatabase((name, open) => {
  /** A database without tables: what `open` made is taken back. */
  async function openEmpty(): Promise<Database> {
    const db = await open()
    await rollback(db, { steps: (await readMigrations(name)).length })
    return db
  }

  it('makes the tables that are declared, takes them back, and makes them again', async () => {
    await using db = await open()
    assert.deepEqual(await checkSchemaAgreement(db), [])
    const known = await readMigrations(name)
    assert.deepEqual(await migrate(db), [])
    assert.equal((await rollback(db, { steps: known.length })).length, known.length)
    assert.deepEqual(await checkSchemaAgreement(db, { tables: [] }), [])
    assert.equal((await migrate(db)).length, known.length)
    assert.deepEqual(await checkSchemaAgreement(db), [])
    await assertCurrentSchema(db)
  })

  it('finds what differs from the declaration', async () => {
    await using db = await open()
    await adminOf(db).session((session) =>
      session.script('drop index jobs_ready; alter table bodies add column more text'),
    )
    const differences = await checkSchemaAgreement(db)
    assert.equal(differences.length, 2)
    assert.match(
      differences.join('\n'),
      /missing index jobs_ready[\s\S]*not declared column bodies\.more text/,
    )
  })

  it('changes tables with rows in them, up and down', () =>
    withTwoMigrations(async (folder, second) => {
      await using db = await openEmpty()
      const tenant = db.tenant(newId('tenant'))
      await migrate(db, { folder, to: 1 })
      await migrate(db, { folder, to: 1 })
      await adminOf(db).session((session) =>
        session.script(
          `insert into tenants (id, name, status, capture_policy, created_at, updated_at) values ('${tenant.tenantId}', 'T', 'active', 'full', 1, 1)`,
        ),
      )
      await tenant.write((tx) => tx.run(addBody, { hash: 'a', bytes: 7 }))
      assert.deepEqual(
        (await migrate(db, { folder })).map((migration) => migration.name),
        ['second'],
      )
      assert.deepEqual(await checkSchemaAgreement(db, second), [])
      const [row] = await adminOf(db).session((session) => session.rows('select bytes, extra from bodies'))
      assert.deepEqual({ ...row }, { bytes: '7', extra: 'x' })
      await rollback(db, { folder })
      assert.deepEqual(await checkSchemaAgreement(db), [])
      const back = await tenant.read((reader) => reader.first(getBody, { hash: 'a' }))
      assert.deepEqual(back, {
        tenantId: tenant.tenantId,
        hash: 'a',
        bytes: 7,
        content: 'text',
        createdAt: 0,
      })
    }))

  it('lets two migrators start at once', async () => {
    await using db = await openEmpty()
    const done = await Promise.all([migrate(db), migrate(db)])
    assert.equal(done.flat().length, (await readMigrations(name)).length)
    assert.deepEqual(await checkSchemaAgreement(db), [])
  })

  it('leaves nothing of a migration that fails', () =>
    withTwoMigrations(async (folder) => {
      await using db = await openEmpty()
      const file = `${folder}/0002_second.${name}.up.sql`
      await writeFile(file, `${await readFile(file, 'utf8')}\ninsert into nothing values (1);`)
      await assert.rejects(migrate(db, { folder }), /nothing/)
      assert.deepEqual(await checkSchemaAgreement(db), [])
      const status = await migrationStatus(db, folder)
      assert.deepEqual(
        status.map(({ version, applied }) => [version, applied !== undefined]),
        [
          [1, true],
          [2, false],
        ],
      )
      await assert.rejects(assertCurrentSchema(db, folder), (error) => isAppError(error, 'settings.invalid'))
    }))

  it('refuses an edited migration, and a database of a newer program', () =>
    withTwoMigrations(async (folder) => {
      await using db = await openEmpty()
      await migrate(db, { folder })
      assert.equal((await migrationHistory(db)).length, 2)
      const newer = (error: unknown): boolean => isAppError(error, 'storage.newer-schema')
      await rm(`${folder}/0002_second.${name}.up.sql`)
      await assert.rejects(migrate(db, { folder }), newer)
      await assert.rejects(assertCurrentSchema(db, folder), newer)
      await assert.rejects(rollback(db, { folder }), newer)
      await writeFile(`${folder}/0001_first.${name}.up.sql`, 'select 1;')
      await assert.rejects(migrate(db, { folder }), (error) => isAppError(error, 'storage.checksum-mismatch'))
    }))
})

it('refuses a required column without a value for old rows, a bad name, and a gap in the numbers', () =>
  withTwoMigrations(async (folder, { tables }) => {
    const column = {
      name: 'more',
      type: 'text',
      nullable: false,
      generated: false,
      defaultTo: null,
      oneOf: null,
    } as const
    const required = tables.map((table) =>
      table.name === 'users' ? { ...table, columns: [...table.columns, column] } : table,
    )
    await assert.rejects(
      generateMigration('third', { tables: required }, folder),
      /users\.more is required: give it defaultTo/,
    )
    await assert.rejects(generateMigration('Third one', { tables }, folder), /no name for a migration/)
    assert.deepEqual(await generateMigration('third', { tables }, folder), [])
    await rm(`${folder}/0001_first.sqlite.up.sql`)
    await assert.rejects(readMigrations('sqlite', folder), /should have the number 1/)
  }))

it('knows its files by their content, whatever the line ends', async () => {
  await using db = await openTestDatabase()
  const [first] = await readMigrations('sqlite')
  assert.equal((await migrationHistory(db))[0]?.checksum, first?.checksum)
  assert.match(MIGRATIONS_FOLDER, /migrations.$/)
})
