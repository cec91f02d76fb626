// The client of the HTTP benches: keep-alive connections, one request at a time on each.

import { Pool } from 'undici'
import { answerOf, questionOf } from '../support/adder.ts'
import { answerQuestions } from '../support/answer.ts'
import { type Load, type LoadOptions, load } from '../support/load.ts'

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
    answer: (question) => {
      const pool = poolOf(question)
      return load((n) => (question.kind === 'get' ? get(pool, question) : run(pool, question, n)), question)
    },
    close: async () => {
      for (const pool of pools.values()) await pool.close()
    },
  }
})

async function get(pool: Pool, { path, headers, bytes }: ClientQuestion & { kind: 'get' }): Promise<void> {
  const { statusCode, body } = await pool.request({ method: 'GET', path, headers })
  const received = (await body.arrayBuffer()).byteLength
  if (statusCode !== 200 || received !== bytes) {
    throw new Error(`GET ${path}: status ${statusCode}, ${received} bytes instead of ${bytes}.`)
  }
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
