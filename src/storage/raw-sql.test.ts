import { sql } from 'kysely'
import { bodyOf, guardCases, loose } from './guard-cases.test.ts'

guardCases(
  'raw SQL',
  {
    'an update that sets a raw column': (db, p) =>
      loose(db).updateTable('runs').set(sql`"tenant_id"`, 'x').where('tenantId', '=', p.tenantId),
    'an insert with a computed tenant': (db, p) =>
      db.insertInto('bodies').values({ ...bodyOf(p), tenantId: sql`lower(${p.tenantId})` }),
    'a table in raw SQL': (db, p) =>
      db
        .selectFrom('runs')
        .selectAll()
        .where('tenantId', '=', p.tenantId)
        .where(sql<boolean>`exists (select 1 from STEPS)`),
    'a table in raw SQL, in two pieces': (db) =>
      db.selectNoFrom(sql`(select count(*) from ru${sql.raw('ns')})`.as('n')),
    'a table as a raw identifier': (db) =>
      db.selectNoFrom(sql`(select count(*) from ${sql.table('apiKeys')})`.as('n')),
    'a table as a raw id': (db) => db.selectNoFrom(sql`(select count(*) from ${sql.id('api_keys')})`.as('n')),
    'a table as a raw reference': (db) =>
      db.selectNoFrom(sql`(select count(*) from ${sql.ref('runs')})`.as('n')),
    'a table as a raw reference in a schema': (db) =>
      db.selectNoFrom(sql`(select 1 from ${sql.ref('public.runs')})`.as('n')),
    'an escaped table in raw SQL': (db) => db.selectNoFrom(sql`(select 1 from U&"\\0072uns")`.as('n')),
    'or in raw SQL': (db, p) =>
      db.selectFrom('runs').selectAll().where('tenantId', '=', p.tenantId).where(sql<boolean>`1 = 1 or true`),
    'or joined in raw SQL': (db, p) =>
      db
        .selectFrom('runs')
        .selectAll()
        .where('tenantId', '=', p.tenantId)
        .where(sql<boolean>`${sql.join([sql`false`, sql`true`], sql` or `)}`),
    'parentheses that close the condition': (db, p) =>
      db
        .selectFrom('runs')
        .selectAll()
        .where('tenantId', '=', p.tenantId)
        .where(sql<boolean>`1 = 1) or (1 = 1`),
    'a comment': (db, p) =>
      db.selectFrom('runs').selectAll().where(sql<boolean>`true --`).where('tenantId', '=', p.tenantId),
    'a second statement': (db, p) =>
      db
        .selectFrom('runs')
        .selectAll()
        .where('tenantId', '=', p.tenantId)
        .where(sql<boolean>`true; delete from users`),
    'an open quote': (db, p) =>
      db.selectFrom('runs').selectAll().where(sql<boolean>`'`).where('tenantId', '=', p.tenantId),
    'a function that is not a name': (db) =>
      db.selectNoFrom((eb) => eb.fn('(select count(*) from runs) + abs', [eb.lit(1)]).as('n')),
    'raw SQL alone': (db) => ({ compile: () => sql`select * from users`.compile(db) }),
  },
  {
    'expressions in raw SQL': (db, p) =>
      db
        .selectFrom('runs')
        .select(sql<number>`coalesce(sum(${sql.ref('runs.costNanos')}), 0)`.as('totalNanos'))
        .where('tenantId', '=', p.tenantId)
        .where(sql<boolean>`(state = 'queued' or state in ('failed', 'done (really)'))`),
  },
)
