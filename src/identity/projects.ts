// Use cases of projects: made, listed, renamed, archived. The edge has checked who may.

import { AppError } from '../base/errors.ts'
import { newId, type ProjectId } from '../base/ids.ts'
import type { JsonObject } from '../base/json.ts'
import type { Clock } from '../base/time.ts'
import { actorOf } from '../contract/principal.ts'
import { appendAudit } from '../events/append.ts'
import type { Database, TenantReader, TenantTransaction } from '../storage/database.ts'
import { cleanName, NAME_MESSAGE } from './key-input.ts'
import { PROJECTS_PER_TENANT_MAX, type Project, type Projects } from './project.ts'
import {
  countProjects,
  insertProject,
  lockProject,
  lockProjects,
  projectById,
  projectByName,
  updateProjectRow,
} from './project-store.ts'

export interface ProjectsDeps {
  readonly db: Database
  readonly clock: Clock
}

export function createProjects({ db, clock }: ProjectsDeps): Projects {
  return {
    async create(principal, input, context) {
      const at = clock()
      const name = nameOf(input.name)
      const actor = actorOf(principal)
      const id = newId('project', at)
      const project: Project = { id, name, state: 'active', createdBy: actor, createdAt: at, updatedAt: at }
      await db.tenant(principal.tenantId).write(async (tx) => {
        await standInLine(tx)
        const count = Number((await tx.first(countProjects, {}))?.count ?? 0)
        if (count >= PROJECTS_PER_TENANT_MAX) throw tooMany()
        await refuseTaken(tx, name, id)
        await tx.run(insertProject, project)
        const { requestId } = context
        await appendAudit(tx, { type: 'project.created', actor, subject: id, data: { name }, requestId, at })
        await context.inTransaction?.(tx, id)
      })
      return project
    },

    async list(tenantId, { limit, cursor, state }) {
      const rows = await db.tenant(tenantId).read((reader) =>
        reader.query((builder, tenant) => {
          let query = builder.selectFrom('projects').selectAll().where('tenantId', '=', tenant)
          if (cursor !== undefined) query = query.where('id', '<', cursor as ProjectId)
          if (state !== undefined) query = query.where('state', '=', state)
          return query.orderBy('id', 'desc').limit(limit + 1)
        }),
      )
      const items = rows.slice(0, limit)
      return { items, nextCursor: rows.length > limit ? items.at(-1)?.id : undefined }
    },

    get: (tenantId, id) => db.tenant(tenantId).read((reader) => foundProject(reader, id)),

    async update(principal, id, change, context) {
      const at = clock()
      const name = change.name === undefined ? undefined : nameOf(change.name)
      return db.tenant(principal.tenantId).write(async (tx) => {
        if (name !== undefined) await standInLine(tx)
        const before = await tx.first(lockProject, { id })
        if (before === undefined) throw projectNotFound(id)
        const after = { ...before, name: name ?? before.name, state: change.state ?? before.state }
        const data = differences(before, after)
        if (Object.keys(data).length === 0) return before
        if (after.name !== before.name) await refuseTaken(tx, after.name, id)
        await tx.run(updateProjectRow, { id, name: after.name, state: after.state, updatedAt: at })
        const { requestId } = context
        const actor = actorOf(principal)
        await appendAudit(tx, { type: 'project.updated', actor, subject: id, data, requestId, at })
        await context.inTransaction?.(tx, id)
        return { ...after, updatedAt: at }
      })
    },
  }
}

/** Throws `project.not-found` where the tenant has no such project, or where it is archived and takes nothing new. */
export async function requireActiveProject(reader: TenantReader, id: ProjectId): Promise<void> {
  const { name, state } = await foundProject(reader, id)
  if (state === 'active') return
  throw new AppError(
    'project.not-found',
    `The project "${name}" is archived and takes nothing new; take it up again first (state: active).`,
  )
}

async function foundProject(reader: TenantReader, id: ProjectId): Promise<Project> {
  const row = await reader.first(projectById, { id })
  if (row === undefined) throw projectNotFound(id)
  return row
}

function projectNotFound(id: ProjectId): AppError {
  return new AppError(
    'project.not-found',
    `There is no project "${id}"; list the projects to see which there are.`,
  )
}

function standInLine(tx: TenantTransaction): Promise<unknown> {
  return tx.first(lockProjects, { key: JSON.stringify(['projects', tx.tenantId]) })
}

async function refuseTaken(tx: TenantTransaction, name: string, id: ProjectId): Promise<void> {
  const taken = await tx.first(projectByName, { name })
  if (taken !== undefined && taken.id !== id)
    throw new AppError('project.name-taken', `There is a project "${name}" already (${taken.id}).`)
}

function nameOf(text: string): string {
  const name = cleanName(text)
  if (name !== undefined) return name
  const errors = [{ path: '/name', message: NAME_MESSAGE }]
  throw new AppError('request.invalid', 'A project cannot have this name; see errors.', { errors })
}

/** What changed, as `{field: {before, after}}`. */
function differences(before: Project, after: Project): JsonObject {
  const data: Record<string, JsonObject> = {}
  for (const field of ['name', 'state'] as const)
    if (before[field] !== after[field]) data[field] = { before: before[field], after: after[field] }
  return data
}

function tooMany(): AppError {
  const message = `The tenant has ${PROJECTS_PER_TENANT_MAX} projects, which is the most; rename one that is archived.`
  return new AppError('request.invalid', message)
}
