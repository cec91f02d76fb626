// RFC 9457 problems: each error code has a status; a new code does not compile until it has one.

import { z } from 'zod'
import type { ErrorCode } from '../base/errors.ts'
import { ERROR_CODES } from '../base/errors.ts'

export const statusByCode: Readonly<Record<ErrorCode, number>> = {
  'request.malformed': 400,
  'request.invalid': 422,
  'request.too-large': 413,
  'request.unsupported-media-type': 415,
  'request.method-not-allowed': 405,
  'request.timeout': 408,
  'route.not-found': 404,
  'idempotency.key-reused': 422,
  'idempotency.in-progress': 409,
  'cursor.invalid': 422,
  'auth.missing': 401,
  'auth.invalid': 401,
  'auth.expired': 401,
  'access.denied': 403,
  'rate.limited': 429,
  'tenant.not-found': 404,
  'tenant.suspended': 403,
  'api-key.not-found': 404,
  'agent.not-found': 404,
  'agent.name-taken': 409,
  'agent.not-published': 409,
  'agent.archived': 409,
  'agent.cycle': 422,
  'tool.not-found': 404,
  'tool.name-taken': 409,
  'tool.not-published': 409,
  'tool.archived': 409,
  'tool.unregistered': 409,
  'workflow.not-found': 404,
  'workflow.name-taken': 409,
  'workflow.archived': 409,
  'version.not-found': 404,
  'version.conflict': 409,
  'definition.invalid': 422,
  'definition.in-use': 409,
  'session.not-found': 404,
  'session.busy': 409,
  'run.not-found': 404,
  'run.finished': 409,
  'run.state-conflict': 409,
  'run.lost': 500,
  'step.not-found': 404,
  'job.not-found': 404,
  'model-call.not-found': 404,
  'model.unknown': 422,
  'model.not-configured': 422,
  'model.failed': 502,
  'model.refused': 502,
  'model.empty': 502,
  'model.timeout': 504,
  'output.invalid': 502,
  'guardrail.blocked': 422,
  'tool.failed': 502,
  'tool.declined': 409,
  'tool.timeout': 504,
  'tool.input-invalid': 422,
  'tool.output-invalid': 502,
  'tool.output-too-large': 502,
  'limit.steps': 422,
  'limit.tool-calls': 422,
  'limit.tokens': 422,
  'limit.money': 402,
  'limit.time': 422,
  'limit.identical-calls': 422,
  'limit.depth': 422,
  'outbound.refused': 422,
  'outbound.failed': 502,
  'settings.invalid': 500,
  'storage.newer-schema': 503,
  'storage.checksum-mismatch': 503,
  'storage.locked': 503,
  'storage.full': 507,
  'server.stopping': 503,
  'server.unavailable': 503,
  internal: 500,
}

export const fieldError = z.strictObject({ path: z.string(), message: z.string() })

export const problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(ERROR_CODES),
  detail: z.string(),
  instance: z.string().optional(),
  requestId: z.string().optional(),
  errors: z.array(fieldError).optional(),
})

/** Where the code is explained, relative to the server. */
export function problemType(code: ErrorCode): string {
  return `/docs#problem-${code}`
}

/** The code as words: `agent.not-found` becomes "Agent not found". */
export function problemTitle(code: ErrorCode): string {
  const words = code.replace(/[.-]/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
