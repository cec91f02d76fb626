// The limit of SQLite: one row in a durable transaction of its own, as many as one connection makes one after another.
// With the same file settings as ours, and nothing around the driver.

import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { answerQuestions } from '../support/answer.ts'

export interface WritesQuestion {
  readonly durationMs: number
}

export interface WritesAnswer {
  readonly perSecond: number
}

await answerQuestions<{ readonly folder: string }, null, WritesQuestion, WritesAnswer>(async ({ folder }) => {
  const db = new DatabaseSync(join(folder, 'writes.db'))
  db.exec(
    'pragma journal_mode = wal; pragma synchronous = full; create table jobs (id text primary key, state text)',
  )
  const insert = db.prepare(`insert into jobs values (?, 'queued')`)
  return {
    ready: null,
    answer: async ({ durationMs }) => {
      const startedAt = performance.now()
      let count = 0
      for (; performance.now() - startedAt < durationMs; count++) insert.run(randomUUID())
      return { perSecond: (count * 1_000) / (performance.now() - startedAt) }
    },
    close: async () => db.close(),
  }
})
