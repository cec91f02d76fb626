// What a budget is put on: found by its id, or by its name where it has one. What is another tenant's is not there.

import type { FieldError } from '../../../base/errors.ts'
import { type ApiKeyId, type DefinitionId, isId, type RunId, type UserId } from '../../../base/ids.ts'
import type { CreateBudget } from '../../../contract/budget.ts'
import type { BudgetScope } from '../../../contract/money.ts'
import type { TenantReader } from '../../../storage/database.ts'
import { type Bind, statement } from '../../../storage/statement.ts'

type Asked = CreateBudget['scope']

/** The id that the budget is stored with, or what is wrong with the one that was given. */
export type FoundScope =
  | { readonly ok: true; readonly id: string }
  | { readonly ok: false; readonly error: FieldError }

const ID_PATH = '/scope/id'

export async function findScope(reader: TenantReader, { type, id }: Asked): Promise<FoundScope> {
  if (type === 'tenant') {
    return id === undefined || id === reader.tenantId
      ? { ok: true, id: reader.tenantId }
      : wrong('is not this tenant; leave it out')
  }
  if (id === undefined) return wrong(`is missing: say which ${WORDS[type]}`)
  const found = await idOfScope(reader, type, id)
  return found === undefined ? wrong(`is the id of no ${WORDS[type]} here`) : { ok: true, id: found }
}

/** For filters: the id behind a name, or the text itself where nothing has that name. */
export async function scopeIdOf(
  reader: TenantReader,
  type: BudgetScope | undefined,
  text: string,
): Promise<string> {
  if (type === undefined || type === 'tenant') return text
  return (await idOfScope(reader, type, text)) ?? text
}

const WORDS: Readonly<Record<BudgetScope, string>> = {
  tenant: 'tenant',
  project: 'project',
  agent: 'agent',
  workflow: 'workflow',
  user: 'user',
  key: 'API key',
  run: 'run',
}

async function idOfScope(
  reader: TenantReader,
  type: Exclude<BudgetScope, 'tenant'>,
  id: string,
): Promise<string | undefined> {
  switch (type) {
    case 'agent':
    case 'workflow':
      return (await reader.first(definitionOfScope, { kind: type, id }))?.id
    case 'project':
      return (await reader.first(projectOfScope, { id }))?.id
    case 'user':
      return isId('user', id) ? (await reader.first(userOfScope, { id }))?.id : undefined
    case 'key':
      return isId('apiKey', id) ? (await reader.first(keyOfScope, { id }))?.id : undefined
    case 'run':
      return isId('run', id) ? (await reader.first(runOfScope, { id }))?.id : undefined
    default:
      return type satisfies never
  }
}

const definitionOfScope = statement(
  'budgets.scope-definition',
  (db, p: Bind<{ readonly kind: 'agent' | 'workflow'; readonly id: string }>) =>
    db
      .selectFrom('definitions')
      .select('id')
      .where('tenantId', '=', p.tenantId)
      .where('kind', '=', p.kind)
      .where('archivedAt', 'is', null)
      .where((eb) => eb.or([eb('id', '=', p.id as DefinitionId), eb('name', '=', p.id)]))
      .limit(1),
)

const projectOfScope = statement('budgets.scope-project', (db, p: Bind<{ readonly id: string }>) =>
  db
    .selectFrom('projects')
    .select('id')
    .where('tenantId', '=', p.tenantId)
    .where((eb) => eb.or([eb(eb.ref('id'), '=', p.id as never), eb('name', '=', p.id)]))
    // An id before a name that looks like one.
    .orderBy((eb) => eb.case().when('name', '=', p.id).then(1).else(0).end())
    .limit(1),
)

const userOfScope = statement('budgets.scope-user', (db, p: Bind<{ readonly id: UserId }>) =>
  db
    .selectFrom('memberships')
    .select('userId as id')
    .where('tenantId', '=', p.tenantId)
    .where('userId', '=', p.id),
)

const keyOfScope = statement('budgets.scope-key', (db, p: Bind<{ readonly id: ApiKeyId }>) =>
  db.selectFrom('apiKeys').select('id').where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

const runOfScope = statement('budgets.scope-run', (db, p: Bind<{ readonly id: RunId }>) =>
  db.selectFrom('runs').select('id').where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

function wrong(message: string): FoundScope {
  return { ok: false, error: { path: ID_PATH, message } }
}
