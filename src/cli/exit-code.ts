// Exit codes: what a script learns from a command that ended. They are promised; a number never changes its meaning.

import { isAppError } from '../base/errors.ts'
import { ApiError } from '../sdk/api-error.ts'
import { CliFailure } from './cli-failure.ts'

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  budget: 5,
  /** 128 and the number of SIGINT, as shells have it. */
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliFailure) return EXIT[error.kind]
  if (error instanceof ApiError) return exitCodeOfStatus(error.status)
  if (isAppError(error)) return EXIT.failed
  return EXIT.failed
}

/** By the HTTP status of a refusal. */
export function exitCodeOfStatus(status: number): ExitCode {
  if (status === 404) return EXIT.notFound
  if (status === 401 || status === 403) return EXIT.denied
  return status === 402 ? EXIT.budget : EXIT.failed
}
