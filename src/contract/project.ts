// Projects as they are written and answered.

import { z } from 'zod'
import { NAME_CHARS_MAX } from '../base/limits.ts'
import { line, time } from './fields.ts'

export const projectState = z.enum(['active', 'archived'])

export const project = z.object({
  id: z.string(),
  name: z.string(),
  /** An archived one keeps what it has and takes nothing new. */
  state: projectState,
  createdBy: z.string(),
  createdAt: time,
  updatedAt: time,
})

export const createProject = z.strictObject({ name: line(NAME_CHARS_MAX) })

/** What is left out stays as it is. */
export const updateProject = z.strictObject({
  name: line(NAME_CHARS_MAX).optional(),
  state: projectState.optional(),
})

export type Project = z.infer<typeof project>
export type CreateProject = z.infer<typeof createProject>
export type UpdateProject = z.infer<typeof updateProject>
