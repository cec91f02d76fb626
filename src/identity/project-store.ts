// Projects in the database. SQL in, rows out.

import type { ProjectId } from '../base/ids.ts'
import { forUpdate, lockText } from '../storage/dialect.ts'
import { type Bind, statement } from '../storage/statement.ts'
import type { Project } from './project.ts'

/** Those who add or rename a project stand in line, so that a count and a name are true. */
export const lockProjects = statement('projects.lock', (db, p: Bind<{ key: string }>, dialect) =>
  db.selectNoFrom(lockText(dialect, p.key).as('locked')),
)

export const countProjects = statement('projects.count', (db, p: Bind<object>) =>
  db
    .selectFrom('projects')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('tenantId', '=', p.tenantId),
)

export const insertProject = statement('projects.insert', (db, p: Bind<Project>) =>
  db.insertInto('projects').values({
    tenantId: p.tenantId,
    id: p.id,
    name: p.name,
    state: p.state,
    createdBy: p.createdBy,
    createdAt: p.createdAt,
    updatedAt: p.updatedAt,
  }),
)

export const projectById = statement('projects.get', (db, p: Bind<{ id: ProjectId }>) =>
  db.selectFrom('projects').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

export const projectByName = statement('projects.by-name', (db, p: Bind<{ name: string }>) =>
  db.selectFrom('projects').select('id').where('tenantId', '=', p.tenantId).where('name', '=', p.name),
)

export const lockProject = statement('projects.lock-row', (db, p: Bind<{ id: ProjectId }>, dialect) =>
  forUpdate(dialect)(
    db.selectFrom('projects').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
  ),
)

export const updateProjectRow = statement(
  'projects.update',
  (db, p: Bind<Pick<Project, 'id' | 'name' | 'state' | 'updatedAt'>>) =>
    db
      .updateTable('projects')
      .set({ name: p.name, state: p.state, updatedAt: p.updatedAt })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id),
)
