// What a cost can belong to, found by id or name within the tenant.

import { AppError } from '../../base/errors.ts'
import {
  type ApiKeyId,
  type DefinitionId,
  type IdKind,
  isId,
  type ProjectId,
  type RunId,
  type UserId,
} from '../../base/ids.ts'
import type { CostEntity } from '../../contract/cost.ts'
import type { Dimensions } from '../../contract/money.ts'
import { dimensionsOf } from '../../runtime/dimensions.ts'
import type { TenantReader } from '../../storage/database.ts'
import { textsOf } from '../../storage/dialect.ts'
import { type Bind, statement } from '../../storage/statement.ts'

/** The column that says so, and the ids that count; undefined: everything of the tenant. */
export interface Entity {
  readonly id: string
  readonly filter: Filter | undefined
}

export type DimensionColumn = 'agentId' | 'workflowId' | 'userId' | 'apiKeyId' | 'projectId' | 'runId'
export interface Filter {
  readonly column: DimensionColumn
  readonly ids: readonly string[]
}

export const NOBODY: Dimensions = {
  runId: null,
  agentId: null,
  workflowId: null,
  userId: null,
  apiKeyId: null,
  projectId: null,
}

/** Throws the entity's own `….not-found`. A run is taken with all that it called. */
export async function findEntity(reader: TenantReader, type: CostEntity, text: string): Promise<Entity> {
  switch (type) {
    case 'tenant':
      if (text !== reader.tenantId) throw new AppError('tenant.not-found', 'That is not your tenant.')
      return { id: text, filter: undefined }
    case 'agent':
    case 'workflow': {
      const id = await definitionIdOf(reader, type, text)
      return { id, filter: { column: type === 'agent' ? 'agentId' : 'workflowId', ids: [id] } }
    }
    case 'project': {
      const id = await projectIdOf(reader, text)
      return { id, filter: { column: 'projectId', ids: [id] } }
    }
    case 'user': {
      const id = idIn('user', text)
      return { id, filter: { column: 'userId', ids: [id] } }
    }
    case 'key': {
      const id = idIn('apiKey', text)
      if ((await reader.first(keyById, { id })) === undefined)
        throw new AppError('api-key.not-found', `There is no API key "${id}".`)
      return { id, filter: { column: 'apiKeyId', ids: [id] } }
    }
    case 'run': {
      const id = idIn('run', text)
      return { id, filter: { column: 'runId', ids: await runsFrom(reader, id) } }
    }
    default:
      return type satisfies never
  }
}

/** Whose cost that of a run is. Throws `run.not-found`. */
export async function dimensionsOfRun(
  reader: TenantReader,
  id: RunId,
): Promise<Dimensions & { rootRunId: RunId; replay: boolean }> {
  const run = await reader.first(runById, { id })
  if (run === undefined) throw new AppError('run.not-found', `There is no run "${id}".`)
  return { ...dimensionsOf(run), rootRunId: run.rootRunId, replay: run.replayOf !== null }
}

export async function definitionIdOf(
  reader: TenantReader,
  kind: 'agent' | 'workflow',
  idOrName: string,
): Promise<DefinitionId> {
  const byId = isId(kind, idOrName) ? await reader.first(definitionById, { kind, id: idOrName }) : undefined
  const found = byId ?? (await reader.first(definitionByName, { kind, name: idOrName }))
  if (found === undefined) throw new AppError(`${kind}.not-found`, `There is no ${kind} "${idOrName}".`)
  return found.id
}

export async function projectIdOf(reader: TenantReader, idOrName: string): Promise<ProjectId> {
  const byId = isId('project', idOrName) ? await reader.first(projectById, { id: idOrName }) : undefined
  const found = byId ?? (await reader.first(projectByName, { name: idOrName }))
  if (found === undefined) throw new AppError('project.not-found', `There is no project "${idOrName}".`)
  return found.id
}

export async function isMember(reader: TenantReader, id: UserId): Promise<boolean> {
  return (await reader.first(memberById, { id })) !== undefined
}

/** The names of agents, workflows and projects by id, as far as they are there. */
export async function namesOf(
  reader: TenantReader,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const array = JSON.stringify(ids)
  const definitions = await reader.all(definitionNames, { ids: array })
  const projects = await reader.all(projectNames, { ids: array })
  return new Map([...definitions, ...projects].map(({ id, name }) => [id, name]))
}

async function runsFrom(reader: TenantReader, id: RunId): Promise<readonly RunId[]> {
  const { rootRunId } = await dimensionsOfRun(reader, id)
  const below = await reader.all(runsBelow, { rootRunId })
  const children = Map.groupBy(below, ({ parentRunId }) => parentRunId)
  const ids: RunId[] = [id]
  // Grows while it is walked: every run is found below one that was found.
  for (const parent of ids) for (const child of children.get(parent) ?? []) ids.push(child.id)
  return ids
}

function idIn<K extends IdKind>(kind: K, text: string) {
  if (isId(kind, text)) return text
  const code = kind === 'run' ? 'run.not-found' : kind === 'apiKey' ? 'api-key.not-found' : 'cost.not-found'
  throw new AppError(code, 'There is nothing with that id here.')
}

const runById = statement('costs.run', (db, p: Bind<{ readonly id: RunId }>) =>
  db
    .selectFrom('runs')
    .select([
      'id',
      'kind',
      'definitionId',
      'workflowId',
      'userId',
      'createdBy',
      'projectId',
      'rootRunId',
      'replayOf',
    ])
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id),
)

const runsBelow = statement('costs.runs-below', (db, p: Bind<{ readonly rootRunId: RunId }>) =>
  db
    .selectFrom('runs')
    .select(['id', 'parentRunId'])
    .where('tenantId', '=', p.tenantId)
    .where('rootRunId', '=', p.rootRunId)
    .where('parentRunId', 'is not', null),
)

const definitionById = statement(
  'costs.definition-by-id',
  (db, p: Bind<{ readonly kind: 'agent' | 'workflow'; readonly id: DefinitionId }>) =>
    db
      .selectFrom('definitions')
      .select('id')
      .where('tenantId', '=', p.tenantId)
      .where('kind', '=', p.kind)
      .where('id', '=', p.id),
)

const definitionByName = statement(
  'costs.definition-by-name',
  (db, p: Bind<{ readonly kind: 'agent' | 'workflow'; readonly name: string }>) =>
    db
      .selectFrom('definitions')
      .select('id')
      .where('tenantId', '=', p.tenantId)
      .where('kind', '=', p.kind)
      .where('name', '=', p.name)
      .where('archivedAt', 'is', null),
)

const definitionNames = statement(
  'costs.definition-names',
  (db, p: Bind<{ readonly ids: string }>, dialect) =>
    db
      .selectFrom('definitions')
      .select(['id', 'name'])
      .where('tenantId', '=', p.tenantId)
      .where('id', 'in', textsOf<DefinitionId>(dialect, p.ids)),
)

const projectById = statement('costs.project-by-id', (db, p: Bind<{ readonly id: ProjectId }>) =>
  db.selectFrom('projects').select('id').where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

const projectByName = statement('costs.project-by-name', (db, p: Bind<{ readonly name: string }>) =>
  db.selectFrom('projects').select('id').where('tenantId', '=', p.tenantId).where('name', '=', p.name),
)

const projectNames = statement('costs.project-names', (db, p: Bind<{ readonly ids: string }>, dialect) =>
  db
    .selectFrom('projects')
    .select(['id', 'name'])
    .where('tenantId', '=', p.tenantId)
    .where('id', 'in', textsOf<ProjectId>(dialect, p.ids)),
)

const memberById = statement('costs.member', (db, p: Bind<{ readonly id: UserId }>) =>
  db.selectFrom('memberships').select('userId').where('tenantId', '=', p.tenantId).where('userId', '=', p.id),
)

const keyById = statement('costs.key', (db, p: Bind<{ readonly id: ApiKeyId }>) =>
  db.selectFrom('apiKeys').select('id').where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)
