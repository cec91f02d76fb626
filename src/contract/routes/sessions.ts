import { pageOf, pageQuery } from '../fields.ts'
import { route } from '../route.ts'
import { createSession, session, sessionTurn } from '../session.ts'
import { idParam } from './path-params.ts'

const params = { id: idParam('session', 'session.not-found') } as const

export const sessionRoutes = {
  createSession: route({
    method: 'POST',
    path: '/sessions',
    permission: 'RUN_AGENTS',
    tag: 'sessions',
    summary: 'Begin a conversation with an agent',
    body: { schema: createSession },
    responses: { 201: session },
    errors: ['agent.not-found', 'agent.not-published', 'agent.archived'],
    idempotent: true,
  }),
  getSession: route({
    method: 'GET',
    path: '/sessions/{id}',
    permission: 'READ_RUNS',
    tag: 'sessions',
    summary: 'Get a session',
    params,
    responses: { 200: session },
  }),
  listSessionTurns: route({
    method: 'GET',
    path: '/sessions/{id}/turns',
    permission: 'READ_RUNS',
    tag: 'sessions',
    summary: 'List the turns of a session, in order',
    params,
    query: pageQuery,
    responses: { 200: pageOf(sessionTurn) },
  }),
} as const
