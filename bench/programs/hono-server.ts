// The peer of the HTTP benches: one route of Hono on @hono/node-server, which knows its answer beforehand.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { answerQuestions } from '../support/answer.ts'

export interface HonoServerInput {
  readonly path: string
  /** Sent as JSON, made into text for each request. */
  readonly body: object
  readonly headers: Readonly<Record<string, string>>
  /** 0 takes a free one. */
  readonly port: number
}

export interface HonoServerReady {
  readonly url: string
}

await answerQuestions<HonoServerInput, HonoServerReady, never, never>(
  async ({ path, body, headers, port }) => {
    const hono = new Hono()
    hono.get(path, (context) => context.json(body, 200, headers))
    const server = createAdaptorServer({ fetch: hono.fetch })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return {
      ready: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
      answer: () => Promise.reject(new Error('The server answers over HTTP.')),
      close: async () => void server.close(),
    }
  },
)
