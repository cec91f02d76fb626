// The client of the HTTP benches: keep-alive connections, one request at a time on each.

import { Pool } from 'undici'
import { answerOf, questionOf } from '../support/adder.ts'
import { answerQuestions } from '../support/answer.ts'
import { type Load, type LoadOptions, load } from '../support/load.ts'
import { openRawConnection } from '../support/raw-connection.ts'

export type ClientQuestion = LoadOptions & {
  readonly url: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
} & (
    | { readonly kind: 'get'; readonly bytes: number }
    /** Starts a run each time, waits for its end and checks its answer. */
    | { readonly kind: 'run' }
  )

await answerQuestions<object, null, ClientQuestion, Load>(async () => {
  const pools = new Map<string, Pool>()
  const poolOf = ({ url, concurrency }: ClientQuestion): Pool => {
    const key = `${url} ${concurrency}`
    const pool = pools.get(key) ?? new Pool(url, { connections: concurrency, pipelining: 1 })
    pools.set(key, pool)
    return pool
  }
  return {
    ready: null,
    answer: (question) =>
      question.kind === 'get' ? loadGets(question) : loadRuns(poolOf(question), question),
    close: async () => {
      for (const pool of pools.values()) await pool.close()
    },
  }
})

async function loadGets(question: ClientQuestion & { readonly kind: 'get' }): Promise<Load> {
  const opening = Array.from({ length: question.concurrency }, () => openRawConnection(question))
  const free = await Promise.all(opening)
  const connections = [...free]
  try {
    return await load(async () => {
      const connection = free.pop()
      if (connection === undefined) throw new Error('There are fewer connections than requests.')
      await connection.get()
      free.push(connection)
    }, question)
  } finally {
    for (const connection of connections) connection.close()
  }
}

function loadRuns(pool: Pool, question: ClientQuestion): Promise<Load> {
  return load((n) => run(pool, question, n), question)
}

async function run(pool: Pool, { path, headers }: ClientQuestion, n: number): Promise<void> {
  const body = JSON.stringify({ input: questionOf(n) })
  const answer = await pool.request({ method: 'POST', path, headers, body })
  const text = await answer.body.text()
  const { state, output } = JSON.parse(text) as { readonly state?: string; readonly output?: string }
  if (answer.statusCode !== 200 || state !== 'completed' || output !== answerOf(n)) {
    throw new Error(`POST ${path}: status ${answer.statusCode}: ${text}`)
  }
}
