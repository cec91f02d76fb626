// Counts what a process asks of SQLite, on the driver itself, so that nothing can go by uncounted.

import { DatabaseSync, StatementSync } from 'node:sqlite'

export interface SqliteCounts {
  /** Statements of rows: everything but the control of transactions. */
  readonly statements: number
  readonly statementMs: number
  readonly commits: number
  /** A commit writes to the disk and waits for it. */
  readonly commitMs: number
}

const CONTROL = /^\s*(begin|rollback|savepoint|release)\b/i
const COMMIT = /^\s*commit\b/i
const METHODS = ['run', 'get', 'all'] as const

/** Counts from now on, also statements that were prepared before; what it answers stops it and tells. */
export function startCounting(): () => SqliteCounts {
  const counts = { statements: 0, statementMs: 0, commits: 0, commitMs: 0 }
  const counted = <T>(sql: string, work: () => T): T => {
    const startedAt = performance.now()
    const value = work()
    const ms = performance.now() - startedAt
    if (COMMIT.test(sql)) {
      counts.commits += 1
      counts.commitMs += ms
    } else if (!CONTROL.test(sql)) {
      counts.statements += 1
      counts.statementMs += ms
    }
    return value
  }
  const { prototype } = StatementSync
  const { exec } = DatabaseSync.prototype
  const before = METHODS.map((name) => [name, Object.getOwnPropertyDescriptor(prototype, name)] as const)
  for (const [name, descriptor] of before) {
    const original = descriptor?.value as (...values: unknown[]) => unknown
    Object.defineProperty(prototype, name, {
      ...descriptor,
      value(this: StatementSync, ...values: unknown[]) {
        return counted(this.sourceSQL, () => original.apply(this, values))
      },
    })
  }
  DatabaseSync.prototype.exec = function (sql) {
    return counted(sql, () => exec.call(this, sql))
  }
  return () => {
    for (const [name, descriptor] of before)
      if (descriptor) Object.defineProperty(prototype, name, descriptor)
    DatabaseSync.prototype.exec = exec
    return counts
  }
}
