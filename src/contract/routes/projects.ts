import { pageOf, pageQuery } from '../fields.ts'
import { createProject, project, projectState, updateProject } from '../project.ts'
import { route } from '../route.ts'
import { idParam } from './path-params.ts'

const shared = { tag: 'projects' } as const
const params = { id: idParam('project', 'project.not-found') } as const

export const projectRoutes = {
  createProject: route({
    ...shared,
    method: 'POST',
    path: '/projects',
    permission: 'WRITE_PROJECTS',
    summary: 'Create a project: runs name it, and costs and budgets are by it',
    body: { schema: createProject },
    responses: { 201: project },
    errors: ['project.name-taken'],
    idempotent: true,
  }),
  listProjects: route({
    ...shared,
    method: 'GET',
    path: '/projects',
    permission: 'READ_PROJECTS',
    summary: 'List projects, newest first',
    query: pageQuery.extend({ state: projectState.optional() }),
    responses: { 200: pageOf(project) },
  }),
  getProject: route({
    ...shared,
    method: 'GET',
    path: '/projects/{id}',
    permission: 'READ_PROJECTS',
    summary: 'Get a project',
    params,
    responses: { 200: project },
  }),
  updateProject: route({
    ...shared,
    method: 'PATCH',
    path: '/projects/{id}',
    permission: 'WRITE_PROJECTS',
    summary: 'Rename a project, archive it or take it up again',
    description: 'An archived project keeps its runs and costs; no run can be started in it.',
    params,
    body: { schema: updateProject },
    responses: { 200: project },
    errors: ['project.name-taken'],
  }),
} as const
