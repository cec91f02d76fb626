// Who acts and for whom: the principal, its tenant, its keys, and the audit log, as they are answered.

import { z } from 'zod'
import { NAME_CHARS_MAX } from '../base/limits.ts'
import { jsonObject } from './definition.ts'
import { line, time } from './fields.ts'
import { PERMISSIONS } from './permission.ts'

const permissions = z.array(z.enum(PERMISSIONS))

export const me = z.object({
  tenantId: z.string(),
  userId: z.string(),
  kind: z.enum(['human', 'service']),
  apiKeyId: z.string().nullable(),
  permissions,
  operator: z.boolean(),
})

export const tenant = z.object({
  id: z.string(),
  name: z.string(),
  status: z.enum(['active', 'suspended']),
  /** What the prompt log keeps of a run once it has ended. */
  capturePolicy: z.enum(['full', 'redacted', 'metadata']),
  /** How many of its jobs run at once; null: as the platform has it for every tenant. */
  maxConcurrentJobs: z.int().nullable(),
  createdAt: time,
  updatedAt: time,
})

export const updateTenant = z.strictObject({
  name: line(200).optional(),
  capturePolicy: z.enum(['full', 'redacted', 'metadata']).optional(),
  maxConcurrentJobs: z
    .int()
    .min(1)
    .max(100_000)
    .nullable()
    .optional()
    .meta({ description: 'For the operator of the platform only, who may change it of any tenant.' }),
})

export const apiKey = z.object({
  id: z.string(),
  name: z.string(),
  /** The first characters, to recognise it by. */
  prefix: z.string(),
  ownerId: z.string(),
  permissions,
  createdAt: time,
  expiresAt: time.nullable(),
  revokedAt: time.nullable(),
  lastUsedAt: time.nullable(),
})

/** `key` is shown once, in the answer that made it; null where the same `Idempotency-Key` is sent again. */
export const createdApiKey = apiKey.extend({ key: z.string().nullable() })

export const createApiKey = z.strictObject({
  name: line(NAME_CHARS_MAX),
  /** What the key may do, within what its owner may do. */
  permissions: permissions.min(1).max(PERMISSIONS.length),
  expiresAt: time.optional(),
})

export const auditEntry = z.object({
  seq: z.string(),
  type: z.string(),
  actor: z.string(),
  /** The id of what was changed. */
  subject: z.string(),
  data: jsonObject,
  requestId: z.string().nullable(),
  occurredAt: time,
})

export type Me = z.infer<typeof me>
export type Tenant = z.infer<typeof tenant>
export type UpdateTenant = z.infer<typeof updateTenant>
export type ApiKey = z.infer<typeof apiKey>
export type CreatedApiKey = z.infer<typeof createdApiKey>
export type CreateApiKey = z.infer<typeof createApiKey>
export type AuditEntry = z.infer<typeof auditEntry>
