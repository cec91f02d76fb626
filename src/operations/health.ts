// Health: whether the process lives, and whether it can serve now. Owns no part that it asks; answers within a bound.

import type { Clock } from '../base/time.ts'

export interface HealthCheck {
  readonly name: string
  /** Answers a word of detail, or throws with one line that says what is wrong. */
  readonly run: () => Promise<string>
}

export interface CheckResult {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

export interface Readiness {
  readonly ready: boolean
  readonly checks: readonly CheckResult[]
}

export interface Health {
  /** The answer may be as old as `READINESS_AGE_MAX_MS`: a public route must not become a load on the database. */
  ready(): Promise<Readiness>
  /** From now on not ready: load balancers send requests elsewhere while those under way finish. */
  stopping(): void
}

const CHECK_MS_MAX = 2_000
const READINESS_AGE_MAX_MS = 500

export function createHealth(deps: {
  readonly checks: readonly HealthCheck[]
  readonly clock: Clock
}): Health {
  let stopping = false
  let latest: { readonly at: number; readonly readiness: Promise<Readiness> } | undefined
  return {
    stopping: () => {
      stopping = true
    },
    ready: async () => {
      if (stopping) return { ready: false, checks: [{ name: 'server', ok: false, detail: 'stopping' }] }
      const now = deps.clock()
      if (latest === undefined || now - latest.at >= READINESS_AGE_MAX_MS || now < latest.at) {
        latest = { at: now, readiness: runChecks(deps.checks) }
      }
      return latest.readiness
    },
  }
}

async function runChecks(checks: readonly HealthCheck[]): Promise<Readiness> {
  const results = await Promise.all(checks.map(runCheck))
  return { ready: results.every(({ ok }) => ok), checks: results }
}

async function runCheck({ name, run }: HealthCheck): Promise<CheckResult> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${CHECK_MS_MAX} ms`)), CHECK_MS_MAX)
  try {
    return { name, ok: true, detail: await Promise.race([run(), late.promise]) }
  } catch (error) {
    return {
      name,
      ok: false,
      detail: error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'failed',
    }
  } finally {
    clearTimeout(timer)
  }
}
