// The SQL of resources: a definition's head joined with one of its versions.

import type { Kysely } from 'kysely'
import type { DefinitionId, TenantId } from '../../base/ids.ts'
import type { Bind, Tables } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'
import type { Kind } from '../catalog.ts'

interface Page {
  readonly kind: Kind
  readonly before: DefinitionId
  readonly limit: number
}

/** The published version where there is one, else the latest. */
export const selectResource = statement(
  'resources.by-id',
  (db, p: Bind<{ readonly kind: Kind; readonly id: DefinitionId }>) =>
    shownVersions(db, p.tenantId).where('definitions.kind', '=', p.kind).where('definitions.id', '=', p.id),
)

export const selectResourceByName = statement(
  'resources.by-name',
  (db, p: Bind<{ readonly kind: Kind; readonly name: string }>) =>
    shownVersions(db, p.tenantId)
      .where('definitions.kind', '=', p.kind)
      .where('definitions.name', '=', p.name)
      .where('definitions.archivedAt', 'is', null),
)

/** Newest first. What is added while somebody pages comes before the first page, so that nothing is skipped or repeated. */
export const selectResources = statement('resources.page', (db, p: Bind<Page>) =>
  pageOf(db, p).where('definitions.archivedAt', 'is', null),
)

export const selectArchivedResources = statement('resources.page-archived', (db, p: Bind<Page>) =>
  pageOf(db, p).where('definitions.archivedAt', 'is not', null),
)

/** Published definitions of every kind that hold the name as a text; the caller reads whether they mean it. */
export const selectMentions = statement(
  'resources.mentions',
  (db, p: Bind<{ readonly like: string; readonly after: DefinitionId | ''; readonly limit: number }>) =>
    shownVersions(db, p.tenantId)
      .where('definitions.archivedAt', 'is', null)
      .where('definitions.publishedVersion', 'is not', null)
      .where('definitions.kind', 'in', ['agent', 'workflow'])
      .where('definitionVersions.body', 'like', p.like)
      .where('definitions.id', '>', p.after as DefinitionId)
      .orderBy('definitions.id')
      .limit(p.limit),
)

function pageOf(db: Kysely<Tables>, p: Bind<Page>) {
  return shownVersions(db, p.tenantId)
    .where('definitions.kind', '=', p.kind)
    .where('definitions.id', '<', p.before)
    .orderBy('definitions.id', 'desc')
    .limit(p.limit)
}

function shownVersions(db: Kysely<Tables>, tenantId: TenantId) {
  return db
    .selectFrom('definitions')
    .innerJoin('definitionVersions', (join) =>
      join
        .onRef('definitionVersions.tenantId', '=', 'definitions.tenantId')
        .onRef('definitionVersions.definitionId', '=', 'definitions.id')
        .on((on) =>
          on(
            'definitionVersions.version',
            '=',
            on.fn.coalesce('definitions.publishedVersion', 'definitions.latestVersion'),
          ),
        ),
    )
    .where('definitions.tenantId', '=', tenantId)
    .selectAll('definitions')
    .select([
      'definitionVersions.version',
      'definitionVersions.status',
      'definitionVersions.digest',
      'definitionVersions.body',
      'definitionVersions.createdAt as versionCreatedAt',
      'definitionVersions.createdBy',
    ])
}
