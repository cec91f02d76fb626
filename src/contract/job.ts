// Jobs and workers as they are answered.

import { z } from 'zod'
import { failure, json, time } from './fields.ts'

/** `scheduled`, `parked` and `unroutable` wait (for a time, for somebody, for a worker); the last three are final. */
export const JOB_STATES = [
  'queued',
  'scheduled',
  'leased',
  'parked',
  'unroutable',
  'done',
  'dead',
  'cancelled',
] as const
export const PRIORITIES = ['high', 'normal', 'low'] as const

export const jobState = z.enum(JOB_STATES)
export const jobPriority = z.enum(PRIORITIES)
export const jobKind = z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'must be a kind such as "agent"')

export const job = z.object({
  id: z.string(),
  kind: z.string(),
  runId: z.string().nullable(),
  state: jobState,
  priority: jobPriority,
  attempt: z.int(),
  maxAttempts: z.int(),
  leaseOwner: z.string().nullable(),
  leaseUntil: time.nullable(),
  notBefore: time,
  progress: json,
  /** Why it is unroutable or dead, or what its last attempt failed of. */
  error: failure.nullable(),
  createdAt: time,
  finishedAt: time.nullable(),
})

export const worker = z.object({
  id: z.string(),
  version: z.string(),
  engine: z.string(),
  kinds: z.array(z.string()),
  concurrency: z.int(),
  active: z.int(),
  /** `lost`: its heartbeat is old. */
  state: z.enum(['live', 'draining', 'lost']),
  startedAt: time,
  heartbeatAt: time,
})

/** How many jobs one request takes up again, where it does not say. */
export const REDRIVE_DEFAULT = 100
export const REDRIVE_MAX = 1_000

export const redriveJobs = z.strictObject({
  state: z.enum(['dead', 'unroutable']).optional().meta({ description: '`dead` where nothing is said.' }),
  kind: jobKind.optional(),
  limit: z
    .int()
    .min(1)
    .max(REDRIVE_MAX)
    .optional()
    .meta({ description: `At most so many; ${REDRIVE_DEFAULT} where nothing is said.` }),
})

export const redrivenJobs = z.object({
  /** The jobs that go on now: new ones where a run was taken up again. */
  items: z.array(job),
  refused: z.array(z.object({ jobId: z.string(), error: failure })),
  /** There are more of them: ask again. */
  more: z.boolean(),
})

export type RedriveJobs = z.infer<typeof redriveJobs>
export type RedrivenJobs = z.infer<typeof redrivenJobs>
export type Job = z.infer<typeof job>
export type JobPriority = z.infer<typeof jobPriority>
export type Worker = z.infer<typeof worker>
