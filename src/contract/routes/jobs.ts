import { z } from 'zod'
import { pageOf, pageQuery } from '../fields.ts'
import { job, jobKind, jobState, redriveJobs, redrivenJobs, worker } from '../job.ts'
import { OPERATE } from '../permission.ts'
import { route, START_REFUSALS } from '../route.ts'
import { idParam } from './path-params.ts'

const jobs = { tag: 'jobs' } as const
const params = { id: idParam('job', 'job.not-found') } as const
const nothing = { schema: z.strictObject({}), optional: true } as const

export const jobRoutes = {
  listJobs: route({
    ...jobs,
    method: 'GET',
    path: '/jobs',
    permission: 'READ_RUNS',
    summary: 'List jobs, newest first',
    query: pageQuery.extend({ state: jobState.optional(), kind: jobKind.optional() }),
    responses: { 200: pageOf(job) },
  }),
  getJob: route({
    ...jobs,
    method: 'GET',
    path: '/jobs/{id}',
    permission: 'READ_RUNS',
    summary: 'Get the job that makes a worker advance a run',
    params,
    responses: { 200: job },
  }),
  cancelJob: route({
    ...jobs,
    method: 'POST',
    path: '/jobs/{id}/cancel',
    permission: 'MANAGE_JOBS',
    summary: 'Cancel a job, and the run that it drives',
    description: 'A worker that has it is told with its next heartbeat.',
    params,
    body: nothing,
    responses: { 200: job },
    errors: ['job.state-conflict', 'run.state-conflict'],
  }),
  retryJob: route({
    ...jobs,
    method: 'POST',
    path: '/jobs/{id}/retry',
    permission: 'MANAGE_JOBS',
    summary: 'Let a job that waits for its next attempt or for a worker be tried now',
    params,
    body: nothing,
    responses: { 200: job },
    errors: ['job.state-conflict'],
  }),
  redriveJob: route({
    ...jobs,
    method: 'POST',
    path: '/jobs/{id}/redrive',
    permission: 'MANAGE_JOBS',
    summary: 'Take up a dead job again',
    description:
      'A run that has failed stays failed: a new run, whose `redrive_of` names it, goes on from its recorded steps, and its job is answered. A job without a run is queued again.',
    params,
    body: nothing,
    responses: { 200: job },
    errors: [...START_REFUSALS, 'job.state-conflict', 'run.state-conflict', 'run.not-replayable'],
  }),
  redriveJobs: route({
    ...jobs,
    method: 'POST',
    path: '/jobs/redrive',
    permission: 'MANAGE_JOBS',
    summary: 'Take up many dead or unroutable jobs again',
    description: 'The oldest first. Each for itself: one that cannot be taken up is told and keeps no other.',
    body: { schema: redriveJobs, optional: true },
    responses: { 200: redrivenJobs },
    unrepeatable: true,
  }),
  listWorkers: route({
    method: 'GET',
    path: '/workers',
    permission: OPERATE,
    tag: 'workers',
    summary: 'List the workers of the platform',
    responses: { 200: z.object({ items: z.array(worker) }) },
  }),
} as const
