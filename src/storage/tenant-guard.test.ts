import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newId } from '../base/ids.ts'
import { createCompiler } from './compile.ts'
import { guardCases, loose } from './guard-cases.test.ts'
import { statement, systemStatement } from './statement.ts'

guardCases(
  'what is read',
  {
    'no condition': (db) => db.selectFrom('runs').selectAll(),
    'only its own id': (db) =>
      db
        .selectFrom('runs')
        .selectAll()
        .where('id', '=', 'run_x' as never),
    'another value': (db) =>
      db
        .selectFrom('runs')
        .selectAll()
        .where('tenantId', '=', 'ten_other' as never),
    'the value of another parameter': (db, p) =>
      db
        .selectFrom('runs')
        .selectAll()
        .where('tenantId', '=', p.id as never),
    'a wider operator': (db, p) => db.selectFrom('runs').selectAll().where('tenantId', '>=', p.tenantId),
    'in a list': (db, p) => db.selectFrom('runs').selectAll().where('tenantId', 'in', [p.tenantId]),
    'under or': (db, p) =>
      db
        .selectFrom('runs')
        .selectAll()
        .where((eb) => eb.or([eb('tenantId', '=', p.tenantId), eb('state', '=', 'queued')])),
    'under not': (db, p) =>
      db
        .selectFrom('runs')
        .selectAll()
        .where((eb) => eb.not(eb('tenantId', '=', p.tenantId))),
    'compared with its negation': (db, p) =>
      db
        .selectFrom('runs')
        .selectAll()
        .where((eb) => eb(eb('tenantId', '=', p.tenantId), '=', eb.lit(false))),
    'only in having': (db, p) =>
      db.selectFrom('runs').select('tenantId').groupBy('tenantId').having('tenantId', '=', p.tenantId),
    'a joined table of its own': (db, p) =>
      db
        .selectFrom('runs')
        .innerJoin('steps', 'steps.runId', 'runs.id')
        .selectAll('steps')
        .where('runs.tenantId', '=', p.tenantId),
    'the first table of a left join, by the condition of the join': (db, p) =>
      db
        .selectFrom('runs')
        .leftJoin('steps', (join) =>
          join.onRef('steps.tenantId', '=', 'runs.tenantId').on('runs.tenantId', '=', p.tenantId),
        )
        .selectAll('runs'),
    'a right join, by the condition of the join': (db, p) =>
      db
        .selectFrom('runs')
        .rightJoin('steps', (join) => join.onRef('steps.tenantId', '=', 'runs.tenantId'))
        .selectAll('steps')
        .where('runs.state', '=', 'queued')
        .where('runs.tenantId', '=', p.tenantId),
    'two tables that are only bound to each other': (db) =>
      db.selectFrom('runs').innerJoin('steps', 'steps.tenantId', 'runs.tenantId').selectAll('runs'),
    'a table that is bound to itself': (db) =>
      db.selectFrom('runs').selectAll().whereRef('tenantId', '=', 'tenantId'),
    'an alias': (db, p) =>
      db.selectFrom(['runs as a', 'runs as b']).selectAll('b').where('a.tenantId', '=', p.tenantId),
    'a subquery in the condition': (db, p) =>
      db
        .selectFrom('runs')
        .selectAll()
        .where('tenantId', '=', p.tenantId)
        .where('id', 'in', (eb) => eb.selectFrom('steps').select('runId')),
    'a subquery among the columns': (db) =>
      db.selectNoFrom((eb) =>
        eb
          .selectFrom('runs')
          .select((inner) => inner.fn.countAll().as('n'))
          .as('n'),
      ),
    'a subquery bound to the wrong table outside': (db, p) =>
      db
        .selectFrom('tenants')
        .select((eb) =>
          eb.selectFrom('runs').select('runs.id').whereRef('runs.tenantId', '=', 'tenants.id').as('r'),
        )
        .where('tenants.id', '=', p.tenantId),
    'a derived table': (db) => db.selectFrom((eb) => eb.selectFrom('runs').selectAll().as('r')).selectAll(),
    'a derived table that pretends to have the tenant': (db, p) =>
      db
        .selectFrom((eb) => eb.selectFrom('tenants').select('id as tenantId').as('t'))
        .innerJoin('runs', 'runs.tenantId', 't.tenantId')
        .selectAll('runs')
        .where('t.tenantId', '=', p.tenantId),
    'a common table': (db) =>
      db
        .with('all_runs', (cte) => cte.selectFrom('runs').selectAll())
        .selectFrom('all_runs')
        .selectAll(),
    'a common table with the name of a table': (db) =>
      loose(db)
        .with('runs', (cte) => cte.selectFrom('users').selectAll())
        .selectFrom('runs')
        .selectAll(),
    'the second part of a union': (db, p) =>
      db
        .selectFrom('runs')
        .select('id')
        .where('tenantId', '=', p.tenantId)
        .unionAll((eb) => eb.selectFrom('runs').select('id')),
    'a table in another schema': (db) => loose(db).withSchema('public').selectFrom('runs').selectAll(),
    'a table of no schema': (db) => loose(db).selectFrom('pgClass').selectAll(),
  },
  {
    'a condition': (db, p) =>
      db.selectFrom('runs').selectAll().where('tenantId', '=', p.tenantId).where('state', '=', 'queued'),
    'a condition the other way round': (db, p) =>
      db
        .selectFrom('runs')
        .selectAll()
        .where((eb) => eb(eb.val(p.tenantId), '=', eb.ref('tenantId'))),
    'a condition in parentheses': (db, p) =>
      db
        .selectFrom('runs')
        .selectAll()
        .where((eb) => eb.and([eb('state', '=', 'queued'), eb('tenantId', '=', p.tenantId)])),
    'an or beside it': (db, p) =>
      db
        .selectFrom('runs')
        .selectAll()
        .where('tenantId', '=', p.tenantId)
        .where((eb) => eb.or([eb('state', '=', 'queued'), eb('state', '=', 'failed')])),
    'a join on the tenant': (db, p) =>
      db
        .selectFrom('runs as r')
        .innerJoin('steps as s', (join) =>
          join.onRef('s.tenantId', '=', 'r.tenantId').onRef('s.runId', '=', 'r.id'),
        )
        .selectAll('s')
        .where('r.tenantId', '=', p.tenantId),
    'a chain of joins, bound at its end': (db, p) =>
      db
        .selectFrom('runs')
        .leftJoin('steps', (join) =>
          join.onRef('steps.tenantId', '=', 'runs.tenantId').onRef('steps.runId', '=', 'runs.id'),
        )
        .innerJoin('sessions', (join) =>
          join.onRef('sessions.tenantId', '=', 'runs.tenantId').on('sessions.tenantId', '=', p.tenantId),
        )
        .select('runs.id'),
    'a subquery bound to the table outside': (db, p) =>
      db
        .selectFrom('runs')
        .select((eb) =>
          eb
            .selectFrom('steps')
            .select('steps.seq')
            .whereRef('steps.tenantId', '=', 'runs.tenantId')
            .limit(1)
            .as('s'),
        )
        .where('runs.tenantId', '=', p.tenantId),
    'platform tables': (db, p) => db.selectFrom('tenants').selectAll().where('id', '=', p.tenantId),
    'a bound common table': (db, p) =>
      db
        .with('mine', (cte) => cte.selectFrom('runs').select('id').where('tenantId', '=', p.tenantId))
        .selectFrom('mine')
        .selectAll(),
    'a bound union': (db, p) =>
      db
        .selectFrom('runs')
        .select('id')
        .where('tenantId', '=', p.tenantId)
        .union(
          (eb) =>
            eb.selectFrom('runs').select('parentRunId as id').where('tenantId', '=', p.tenantId) as never,
        ),
    locks: (db, p) =>
      db.selectFrom('jobs').selectAll().where('tenantId', '=', p.tenantId).forUpdate().skipLocked(),
  },
)

describe('the tenant guard', () => {
  const compiler = createCompiler('postgres')

  it('names the statement and the table', () => {
    const statements = statement('runs.all', (db) => db.selectFrom('runs').selectAll())
    assert.throws(
      () => compiler.tenant(statements),
      /^Error: The statement "runs\.all" reaches the table "runs" without/,
    )
  })

  it('compares queries that are built on the spot with the tenant of the scope', () => {
    const [ours, theirs] = [newId('tenant'), newId('tenant')]
    compiler.query((db, id) => db.selectFrom('runs').selectAll().where('tenantId', '=', id), ours)
    assert.throws(
      () => compiler.query((db) => db.selectFrom('runs').selectAll().where('tenantId', '=', theirs), ours),
      /without/,
    )
  })

  it('lets system statements cross tenants, with a reason', () => {
    compiler.system(
      systemStatement('jobs.claim', 'finds the next job', (db) => db.selectFrom('jobs').selectAll()),
    )
    const silent = systemStatement('jobs.silent', ' ', (db) => db.selectFrom('jobs').selectAll())
    assert.throws(() => compiler.system(silent), /gives no reason/)
  })
})
