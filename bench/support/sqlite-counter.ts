// Counts what a process asks of SQLite, on the driver itself, so that nothing can go by uncounted.

import { DatabaseSync, StatementSync } from 'node:sqlite'

export interface SqliteCounts {
  /** Statements of rows: everything but the control of transactions. */
  readonly statements: number
  readonly commits: number
}

const CONTROL = /^\s*(begin|commit|rollback|savepoint|release)\b/i
const METHODS = ['run', 'get', 'all'] as const

/** Counts while the work goes on. Also statements that were prepared before are counted. */
export async function countSqlite(work: () => Promise<unknown>): Promise<SqliteCounts> {
  let statements = 0
  let commits = 0
  const note = (sql: string): void => {
    if (/^\s*commit\b/i.test(sql)) commits += 1
    else if (!CONTROL.test(sql)) statements += 1
  }
  const { prototype } = StatementSync
  const { exec } = DatabaseSync.prototype
  const before = METHODS.map((name) => [name, Object.getOwnPropertyDescriptor(prototype, name)] as const)
  for (const [name, descriptor] of before) {
    const original = descriptor?.value as (...values: unknown[]) => unknown
    Object.defineProperty(prototype, name, {
      ...descriptor,
      value(this: StatementSync, ...values: unknown[]) {
        note(this.sourceSQL)
        return original.apply(this, values)
      },
    })
  }
  DatabaseSync.prototype.exec = function (sql) {
    note(sql)
    return exec.call(this, sql)
  }
  try {
    await work()
  } finally {
    for (const [name, descriptor] of before)
      if (descriptor) Object.defineProperty(prototype, name, descriptor)
    DatabaseSync.prototype.exec = exec
  }
  return { statements, commits }
}
