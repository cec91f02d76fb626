// Agents, tools and workflows as they are answered: flat, with the definition inside.

import { z } from 'zod'
import { json, time } from './fields.ts'

const versionStatus = z.enum(['draft', 'published', 'archived'])

/** A definition with its head: the published version where there is one, else the latest. */
export function resourceOf<D extends z.ZodType>(definition: D) {
  return z.object({
    id: z.string(),
    name: z.string(),
    version: z.int(),
    status: versionStatus,
    /** SHA-256 in hexadecimal of the definition's canonical JSON (RFC 8785). */
    digest: z.string(),
    latestVersion: z.int(),
    publishedVersion: z.int().nullable(),
    definition,
    createdAt: time,
    updatedAt: time,
    archivedAt: time.nullable(),
  })
}

export function versionOf<D extends z.ZodType>(definition: D) {
  return z.object({
    id: z.string(),
    version: z.int(),
    status: versionStatus,
    digest: z.string(),
    definition,
    createdAt: time,
    createdBy: z.string(),
  })
}

export const versionDiff = z.object({
  from: z.int(),
  to: z.int(),
  changes: z.array(
    z.object({
      path: z.string().meta({ description: 'A JSON Pointer into the definition.' }),
      type: z.enum(['added', 'removed', 'changed']),
      before: json.optional(),
      after: json.optional(),
    }),
  ),
})

export type VersionDiff = z.infer<typeof versionDiff>
