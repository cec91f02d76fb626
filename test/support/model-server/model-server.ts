// A local HTTP server that speaks the wire formats of the model providers and answers from a script.
// It never reaches the network. Tests of models/ and of the whole product use it through real provider packages.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isJsonObject, type Json } from '../../../src/base/json.ts'
import { anthropicWire } from './anthropic-messages.ts'
import { googleWire } from './google-generate.ts'
import { openaiChatWire } from './openai-chat.ts'
import { openaiResponsesWire } from './openai-responses.ts'
import { answer, type Reply } from './reply.ts'
import { sendReply } from './send.ts'
import type { Wire } from './wire.ts'

export interface ReceivedRequest {
  readonly wire: Wire['name'] | 'unknown'
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Json
}

export type ReplyOrFunction = Reply | ((request: ReceivedRequest) => Reply)

export interface ModelServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`. OpenAI and Anthropic live under `/v1`, Google under `/v1beta`; any prefix works. */
  readonly url: string
  /** Every request, oldest first. */
  readonly requests: readonly ReceivedRequest[]
  /** Adds replies that are used up one by one, in the order in which requests arrive. */
  script(...replies: readonly ReplyOrFunction[]): void
  /** What is answered when the script is used up. Default: the text "ok". */
  otherwise(reply: ReplyOrFunction): void
}

const WIRES: readonly Wire[] = [openaiChatWire, openaiResponsesWire, anthropicWire, googleWire]

export async function startModelServer(): Promise<ModelServer> {
  const requests: ReceivedRequest[] = []
  const queue: ReplyOrFunction[] = []
  let fallback: ReplyOrFunction = answer({ text: 'ok' })
  const closing = new AbortController()

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    const body = await readBody(request)
    const wire = WIRES.find((candidate) => candidate.matches(path))
    const received: ReceivedRequest = { wire: wire?.name ?? 'unknown', path, headers: request.headers, body }
    requests.push(received)
    if (wire === undefined) {
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"error":{"message":"No such route."}}')
      return
    }
    const next = queue.shift() ?? fallback
    const reply = typeof next === 'function' ? next(received) : next
    const model = modelOf(path, body)
    await sendReply(
      { wire, model, stream: wire.streams(path, body), response, signal: closing.signal },
      reply,
    )
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = (server.address() as AddressInfo).port

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    script: (...replies) => {
      queue.push(...replies)
    },
    otherwise: (reply) => {
      fallback = reply
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

async function readBody(request: IncomingMessage): Promise<Json> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk)
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

/** The model of a request: in the body, or for Google in the path. */
function modelOf(path: string, body: Json): string {
  if (isJsonObject(body) && typeof body.model === 'string') return body.model
  return /models\/([^:/]+):/.exec(path)?.[1] ?? 'unknown'
}
