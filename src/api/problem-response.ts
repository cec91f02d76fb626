// Failures as RFC 9457 problems. What is unknown says nothing of its inside.

import { AppError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { codecOf } from '../contract/codec.ts'
import { problem, problemTitle, problemType, statusByCode } from '../contract/problem.ts'

const codec = codecOf(problem)

export interface ProblemContext {
  readonly requestId: string
  readonly headers: Readonly<Record<string, string>>
}

/** The failure as it may be told: an unknown one becomes `internal`. */
export function knownError(error: unknown): AppError {
  if (error instanceof AppError) return error
  return new AppError('internal', 'Something went wrong here. Try again, or ask with the request id.', {
    cause: error,
  })
}

export function problemResponse(error: AppError, context: ProblemContext): Response {
  const status = statusByCode[error.code]
  const headers: Record<string, string> = { ...context.headers, 'content-type': 'application/problem+json' }
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  const retryAfterMs = error.retryAfterMs ?? (status === 429 || status === 503 ? 1_000 : undefined)
  if (retryAfterMs !== undefined)
    headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1_000)))
  return new Response(JSON.stringify(problemBody(error, status, context.requestId)), { status, headers })
}

function problemBody(error: AppError, status: number, requestId: string): Json {
  return codec.encode({
    type: problemType(error.code),
    title: problemTitle(error.code),
    status,
    code: error.code,
    detail: error.message,
    requestId,
    errors: error.errors.length > 0 ? [...error.errors] : undefined,
  })
}
