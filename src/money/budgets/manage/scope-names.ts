// What people call the things that budgets are on: read for those that have a name, a statement for each kind.

import type { TenantReader } from '../../../storage/database.ts'
import { isOneOf } from '../../../storage/dialect.ts'
import { type Bind, statement } from '../../../storage/statement.ts'
import type { Budget } from '../budget.ts'

type Scoped = Pick<Budget, 'scopeType' | 'scopeId'>

/** By the id of the thing; also of what was archived or revoked. */
export async function scopeNames(
  reader: TenantReader,
  budgets: readonly Scoped[],
): Promise<ReadonlyMap<string, string>> {
  const idsOf = (...types: readonly Budget['scopeType'][]): readonly string[] =>
    budgets.filter(({ scopeType }) => types.includes(scopeType)).map(({ scopeId }) => scopeId)
  const asked = [
    [definitionNames, idsOf('agent', 'workflow')],
    [projectNames, idsOf('project')],
    [keyNames, idsOf('key')],
  ] as const
  const found = await Promise.all(
    asked.map(([names, ids]) => (ids.length === 0 ? [] : reader.all(names, { ids: JSON.stringify(ids) }))),
  )
  return new Map(found.flat().map(({ id, name }) => [id, name]))
}

const definitionNames = statement('budgets.definition-names', (db, p: Bind<{ ids: string }>, dialect) =>
  db
    .selectFrom('definitions')
    .select(['id', 'name'])
    .where('tenantId', '=', p.tenantId)
    .where((eb) => isOneOf(dialect, eb.ref('id'), p.ids)),
)

const projectNames = statement('budgets.project-names', (db, p: Bind<{ ids: string }>, dialect) =>
  db
    .selectFrom('projects')
    .select(['id', 'name'])
    .where('tenantId', '=', p.tenantId)
    .where((eb) => isOneOf(dialect, eb.ref('id'), p.ids)),
)

const keyNames = statement('budgets.key-names', (db, p: Bind<{ ids: string }>, dialect) =>
  db
    .selectFrom('apiKeys')
    .select(['id', 'name'])
    .where('tenantId', '=', p.tenantId)
    .where((eb) => isOneOf(dialect, eb.ref('id'), p.ids)),
)
