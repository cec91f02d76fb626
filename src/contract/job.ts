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

export type Job = z.infer<typeof job>
export type JobState = z.infer<typeof jobState>
export type JobPriority = z.infer<typeof jobPriority>
export type Worker = z.infer<typeof worker>
