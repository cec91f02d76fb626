// Whatever the guard lets pass, only rows of the tenant come out: random queries over the rows of two tenants.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import type { Compilable, Expression, ExpressionBuilder, Kysely, SqlBool } from 'kysely'
import { openTestDatabase } from '../../test/support/database.ts'
import { newId, type TenantId } from '../base/ids.ts'
import { addBody } from './contract-statements.ts'
import type { Tables } from './statement.ts'

const QUERIES = 3_000

type Condition =
  | { readonly kind: 'ours' | 'theirs'; readonly side: 'a' | 'b' }
  | { readonly kind: 'equal'; readonly column: 'tenantId' | 'hash' }
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }

interface Shape {
  readonly kind:
    | 'innerJoin'
    | 'leftJoin'
    | 'rightJoin'
    | 'fullJoin'
    | 'subquery'
    | 'derived'
    | 'union'
    | 'common'
  readonly on: readonly Condition[]
  readonly where: readonly Condition[]
}

const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constantFrom('ours', 'ours', 'ours', 'theirs'), side: fc.constantFrom('a', 'b') }),
    fc.record({
      kind: fc.constant('equal' as const),
      column: fc.constantFrom('tenantId', 'tenantId', 'hash'),
    }),
    fc.record({
      kind: fc.constantFrom('all', 'any'),
      parts: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('not' as const), part: tie('condition') }),
  ),
}))

const conditions = fc.array(condition, { maxLength: 3 })
const shape: fc.Arbitrary<Shape> = fc.record({
  kind: fc.constantFrom(
    'innerJoin',
    'leftJoin',
    'rightJoin',
    'fullJoin',
    'subquery',
    'derived',
    'union',
    'common',
  ),
  on: conditions,
  where: conditions,
})

type TwoBodies = Tables & { readonly a: Tables['bodies']; readonly b: Tables['bodies'] }
type Builder = ExpressionBuilder<TwoBodies, 'a' | 'b'>

function build(eb: Builder, part: Condition, ours: TenantId, theirs: TenantId): Expression<SqlBool> {
  switch (part.kind) {
    case 'ours':
    case 'theirs':
      return eb(`${part.side}.tenantId`, '=', part.kind === 'ours' ? ours : theirs)
    case 'equal':
      return eb(`a.${part.column}`, '=', eb.ref(`b.${part.column}`))
    case 'all':
      return eb.and(part.parts.map((each) => build(eb, each, ours, theirs)))
    case 'any':
      return eb.or(part.parts.map((each) => build(eb, each, ours, theirs)))
    case 'not':
      return eb.not(build(eb, part.part, ours, theirs))
    default:
      return part satisfies never
  }
}

/** A query that shows the tenants of the rows that it reached, as `x` and `y`. */
function queryOf(
  { kind, on, where }: Shape,
  db: Kysely<Tables>,
  ours: TenantId,
  theirs: TenantId,
): Compilable<unknown> {
  // The types of seven kinds of query are beside the point here: what counts is the tree.
  const loose = db as unknown as Kysely<TwoBodies>
  const all = (parts: readonly Condition[]) => (eb: unknown) =>
    (eb as Builder).and(parts.map((part) => build(eb as Builder, part, ours, theirs)))
  const part = loose.selectFrom('bodies as b').select('b.tenantId as y')
  const onlyB = all(on.filter((each) => each.kind === 'ours' && each.side === 'b'))
  const from = loose.selectFrom('bodies as a').select('a.tenantId as x')
  switch (kind) {
    case 'subquery':
      return from
        .select((eb) => eb.selectFrom('bodies as b').select('b.tenantId').where(all(on)).limit(1).as('y'))
        .where(all(where.filter((each) => !/"b"|"equal"/.test(JSON.stringify(each)))))
    case 'derived':
      return loose.selectFrom(part.where(onlyB).as('c')).select('c.y')
    case 'common':
      return loose
        .with('c', () => part.where(onlyB))
        .selectFrom('c')
        .selectAll()
    case 'union':
      return from
        .where(all(where.filter((each) => each.kind === 'ours' && each.side === 'a')))
        .unionAll(part.where(onlyB) as never)
    case 'innerJoin':
      return from
        .innerJoin('bodies as b', (join) => join.on(all(on)))
        .select('b.tenantId as y')
        .where(all(where))
    case 'leftJoin':
      return from
        .leftJoin('bodies as b', (join) => join.on(all(on)))
        .select('b.tenantId as y')
        .where(all(where))
    case 'rightJoin':
      return from
        .rightJoin('bodies as b', (join) => join.on(all(on)))
        .select('b.tenantId as y')
        .where(all(where))
    case 'fullJoin':
      return from
        .fullJoin('bodies as b', (join) => join.on(all(on)))
        .select('b.tenantId as y')
        .where(all(where))
    default:
      return kind satisfies never
  }
}

it(`lets out no row of another tenant (${QUERIES} random queries)`, async () => {
  await using db = await openTestDatabase()
  const [ours, theirs] = [newId('tenant'), newId('tenant')]
  for (const id of [ours, theirs]) {
    for (const hash of ['p', 'q']) await db.tenant(id).write((tx) => tx.run(addBody, { hash, bytes: 1 }))
  }
  let passed = 0
  const property = fc.asyncProperty(shape, async (random) => {
    const read = db
      .tenant(ours)
      .read((reader) => reader.query((builder) => queryOf(random, builder, ours, theirs)))
    const rows = await read.catch((error: Error) => {
      assert.match(error.message, /reaches the table "bodies" without|ambiguous/)
      return undefined
    })
    if (rows === undefined) return
    passed += 1
    for (const row of rows) assert.ok(!Object.values(row as object).includes(theirs), JSON.stringify(row))
  })
  await fc.assert(property, { numRuns: QUERIES })
  assert.ok(passed > QUERIES / 50, `only ${passed} passed the guard`)
})
