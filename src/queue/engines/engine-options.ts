// What every engine is opened with, and what to say where one cannot be used.

import { AppError } from '../../base/errors.ts'
import type { Clock } from '../../base/time.ts'

export interface EngineOptions {
  readonly clock: Clock
  /** Told of what went wrong with an engine that goes on. */
  readonly onError: (error: unknown) => void
}

/** Loads a package that is only there where somebody wanted the engine. */
export async function loadPackage<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new AppError(
      'engine.unavailable',
      `This queue engine needs the package "${name}": run "npm install ${name}", or choose another engine.`,
      { cause: error },
    )
  }
}

export function unreachable(what: string, setting: string, error: unknown): AppError {
  return new AppError(
    'engine.unavailable',
    `${what} cannot be used (${reasonOf(error)}): start it, or correct ${setting}.`,
    { cause: error },
  )
}

/** One line, without a secret: what a client library says of a failure names hosts and codes only. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  const message = error instanceof Error ? error.message || error.name : String(error)
  return (message.split('\n')[0] ?? '').replace(/\/\/[^@/\s]*@/g, '//***@')
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
}
