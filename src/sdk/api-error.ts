// What went wrong with a call: the server's problem, or no answer at all.

import { ERROR_CODES, type ErrorCode, type FieldError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'

const CODES: ReadonlySet<string> = new Set(ERROR_CODES)
const UNAVAILABLE: ReadonlySet<number> = new Set([502, 503, 504])

/** The server refused or failed: `code` says why, `message` what to do, `errors` which fields were wrong. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ErrorCode
  readonly status: number
  readonly errors: readonly FieldError[]
  readonly requestId: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(
    problem: Pick<ApiError, 'code' | 'status' | 'message' | 'errors' | 'requestId' | 'retryAfterMs'>,
  ) {
    super(problem.message)
    this.code = problem.code
    this.status = problem.status
    this.errors = problem.errors
    this.requestId = problem.requestId
    this.retryAfterMs = problem.retryAfterMs
  }
}

/** No answer came: the connection failed, was cut, or took too long. `cause` has what the runtime said. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
}

/** Whether it is the server's problem, and, where a code is named, that one. */
export function isApiError(error: unknown, code?: ErrorCode): error is ApiError {
  return error instanceof ApiError && (code === undefined || error.code === code)
}

/** The error of an answer that is no success. What stands in between (a proxy) may answer without a problem. */
export async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '')
  const problem = parsed(text)
  const status = response.status
  const code =
    typeof problem.code === 'string' && CODES.has(problem.code) ? (problem.code as ErrorCode) : undefined
  return new ApiError({
    code: code ?? (UNAVAILABLE.has(status) ? 'server.unavailable' : 'internal'),
    status,
    message:
      typeof problem.detail === 'string'
        ? problem.detail
        : `The server answered ${status} without saying why.`,
    errors: fieldErrors(problem.errors),
    requestId: response.headers.get('x-request-id') ?? undefined,
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
  })
}

function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : {}
  } catch {
    return {}
  }
}

function fieldErrors(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((item) =>
    isJsonObject(item) && typeof item.path === 'string' && typeof item.message === 'string'
      ? [{ path: item.path, message: item.message }]
      : [],
  )
}

/** RFC 9110: seconds, or a date. */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined
  if (/^\d{1,6}$/.test(header)) return Number(header) * 1_000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now())
}
