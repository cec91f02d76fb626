import { bodyOf, guardCases, loose } from './guard-cases.test.ts'

guardCases(
  'what is changed',
  {
    'an update without the tenant': (db) => db.updateTable('runs').set({ state: 'failed' }),
    'an update that sets the tenant': (db, p) =>
      db
        .updateTable('runs')
        .set({ tenantId: 'ten_other' as never })
        .where('tenantId', '=', p.tenantId),
    'an update that sets the tenant by its name in the database': (db, p) =>
      loose(db).updateTable('runs').set({ tenant_id: 'x' }).where('tenantId', '=', p.tenantId),
    'an update from an unbound table': (db, p) =>
      db.updateTable('runs').from('steps').set({ state: 'failed' }).where('runs.tenantId', '=', p.tenantId),
    'an update with an unbound subquery as value': (db, p) =>
      db
        .updateTable('runs')
        .set({ errorMessage: (eb) => eb.selectFrom('bodies').select('content').limit(1) })
        .where('tenantId', '=', p.tenantId),
    'a delete without the tenant': (db) => db.deleteFrom('runs'),
    'a delete using an unbound table': (db, p) =>
      db
        .deleteFrom('runs')
        .using('steps')
        .where('runs.tenantId', '=', p.tenantId)
        .whereRef('steps.runId', '=', 'runs.id'),
    'a change of a platform table': (db, p) =>
      db.updateTable('tenants').set({ name: 'x' }).where('id', '=', p.tenantId),
    'a delete from a platform table': (db, p) => db.deleteFrom('tenants').where('id', '=', p.tenantId),
    'an insert into a platform table': (db) =>
      db.insertInto('users').values({
        id: 'u' as never,
        kind: 'human',
        name: 'n',
        email: null,
        platformRole: 'OPERATOR',
        createdAt: 1,
      }),
    'an insert without the tenant': (db) => loose(db).insertInto('bodies').values({ hash: 'h' }),
    'an insert for another tenant': (db, p) =>
      db.insertInto('bodies').values({ ...bodyOf(p), tenantId: 'ten_other' as never }),
    'an insert of two rows, one for another tenant': (db, p) =>
      db.insertInto('bodies').values([bodyOf(p), { ...bodyOf(p), tenantId: 'ten_other' as never }]),
    'an insert of default values': (db) => loose(db).insertInto('bodies').defaultValues(),
    'an insert of selected rows with their own tenant': (db) =>
      db
        .insertInto('bodies')
        .columns(['tenantId', 'hash', 'bytes', 'content', 'createdAt'])
        .expression((eb) =>
          eb.selectFrom('tenants').select(['id', 'name', 'createdAt', 'name as content', 'updatedAt']),
        ),
    'an insert of everything that is selected': (db, p) =>
      loose(db)
        .insertInto('bodies')
        .columns(['tenantId', 'hash'])
        .expression((eb) => eb.selectFrom('bodies').selectAll().where('tenantId', '=', p.tenantId)),
    'an insert of a union': (db, p) =>
      loose(db)
        .insertInto('bodies')
        .columns(['tenantId'])
        .expression((eb) =>
          eb
            .selectFrom('bodies')
            .select('tenantId')
            .where('tenantId', '=', p.tenantId)
            .union(eb.selectFrom('tenants').select('id as tenantId')),
        ),
    'a replacement': (db, p) => db.replaceInto('bodies').values(bodyOf(p)),
    'an insert or replace': (db, p) => db.insertInto('bodies').orReplace().values(bodyOf(p)),
    'an upsert over a key that tenants share': (db, p) =>
      loose(db)
        .insertInto('apiKeys')
        .values({ tenantId: p.tenantId, hash: 'h' })
        .onConflict((conflict) => conflict.column('hash').doUpdateSet({ name: 'x' })),
    'an upsert over a constraint': (db, p) =>
      db
        .insertInto('bodies')
        .values(bodyOf(p))
        .onConflict((conflict) => conflict.constraint('x').doUpdateSet({ bytes: 2 })),
    'an upsert that sets the tenant': (db, p) =>
      db
        .insertInto('bodies')
        .values(bodyOf(p))
        .onConflict((conflict) =>
          conflict.columns(['tenantId', 'hash']).doUpdateSet({ tenantId: 'x' as never }),
        ),
    'an upsert bound by the row that was not stored': (db, p) =>
      db
        .insertInto('bodies')
        .values(bodyOf(p))
        .onConflict((conflict) =>
          conflict.column('hash').doUpdateSet({ bytes: 2 }).where('excluded.tenantId', '=', p.tenantId),
        ),
    'a merge': (db) =>
      db.mergeInto('bodies').using('tenants', 'tenants.id', 'bodies.tenantId').whenMatched().thenDelete(),
    'a change of the schema': (db) => db.schema.dropTable('users') as never,
  },
  {
    'an update, a delete, with what they return': (db, p) =>
      db.updateTable('runs').set({ state: 'failed' }).where('tenantId', '=', p.tenantId).returningAll(),
    'an upsert over a key of the tenant': (db, p) =>
      db
        .insertInto('bodies')
        .values(bodyOf(p))
        .onConflict((conflict) =>
          conflict.columns(['tenantId', 'hash']).doUpdateSet((eb) => ({ bytes: eb.ref('excluded.bytes') })),
        ),
    'an upsert over a shared key, bound by a condition': (db, p) =>
      db
        .insertInto('bodies')
        .values(bodyOf(p))
        .onConflict((conflict) =>
          conflict.column('hash').doUpdateSet({ bytes: 2 }).where('bodies.tenantId', '=', p.tenantId),
        ),
    'an insert of what was selected of the tenant': (db, p) =>
      db
        .insertInto('bodies')
        .columns(['tenantId', 'hash', 'bytes', 'content', 'createdAt'])
        .expression((eb) =>
          eb
            .selectFrom('bodies as b')
            .select(['b.tenantId', 'hash', 'bytes', 'content', 'createdAt'])
            .where('b.tenantId', '=', p.tenantId),
        ),
    'an insert of the tenant as a value': (db, p) =>
      db
        .insertInto('bodies')
        .columns(['tenantId', 'hash', 'bytes', 'content', 'createdAt'])
        .expression((eb) =>
          eb
            .selectFrom('tenants')
            .select([eb.val(p.tenantId).as('t'), 'id', 'createdAt', 'name', 'updatedAt']),
        ),
  },
)
