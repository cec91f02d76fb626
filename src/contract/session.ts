// Sessions (conversations of several runs) as they are answered.

import { z } from 'zod'
import { agentName } from './definition.ts'
import { idPattern, time } from './fields.ts'

export const session = z.object({
  id: z.string(),
  agentId: z.string(),
  turnCount: z.int(),
  /** The run that speaks now; a session has one at a time. */
  activeRunId: z.string().nullable(),
  createdAt: time,
  updatedAt: time,
})

export const createSession = z.strictObject({
  /** Agent id or name. */
  agent: z.union([z.string().regex(idPattern('agent'), 'must be an agent id or name'), agentName]),
})

export const sessionTurn = z.object({
  seq: z.int(),
  runId: z.string(),
  input: z.string(),
  output: z.string(),
  createdAt: time,
})

export type Session = z.infer<typeof session>
export type SessionTurn = z.infer<typeof sessionTurn>
