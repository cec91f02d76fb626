// Sends a reply over HTTP: headers, events, stalls, cuts.

import type { ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { AnswerReply, Reply } from './reply.ts'
import type { Wire, WireEvent } from './wire.ts'

const HTML_PAGE =
  '<!doctype html><html><head><title>Gateway</title></head><body><h1>It works!</h1></body></html>'

export interface SendTarget {
  readonly wire: Wire
  readonly model: string
  readonly stream: boolean
  readonly response: ServerResponse
  /** Aborted when the server closes, so that no stall outlives it. */
  readonly signal: AbortSignal
}

export async function sendReply(target: SendTarget, reply: Reply): Promise<void> {
  const { response, wire } = target
  switch (reply.type) {
    case 'answer':
      return sendAnswer(target, reply)
    case 'error': {
      const body = JSON.stringify(wire.error(reply.status, reply.cause ?? 'plain', reply.message))
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers }).end(body)
      return
    }
    case 'html':
      response.writeHead(reply.status, { 'content-type': 'text/html; charset=utf-8' }).end(HTML_PAGE)
      return
    case 'redirect':
      response.writeHead(307, { location: reply.location }).end()
      return
    case 'hang_up':
      response.destroy()
      return
    default:
      return reply satisfies never
  }
}

async function sendAnswer(target: SendTarget, reply: AnswerReply): Promise<void> {
  const { response, signal } = target
  if (reply.firstChunkMs !== undefined) await wait(reply.firstChunkMs, undefined, { signal })
  if (!target.stream) {
    const body = JSON.stringify(target.wire.body(reply, target.model))
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  const events = target.wire.events(reply, target.model)
  for (const [index, event] of events.entries()) {
    if (response.destroyed) return
    if (reply.stall?.beforeEvent === index) await wait(reply.stall.ms, undefined, { signal })
    if (reply.cut?.beforeEvent === index) return cut(response, reply.cut.how)
    if (reply.corruptBefore === index) response.write('data: {"this is": not JSON\n\n')
    if (reply.errorBefore === index) {
      response.end(eventText(target.wire.streamError()))
      return
    }
    response.write(eventText(event))
  }
  response.end()
}

function eventText(event: WireEvent): string {
  const data = event.data === '[DONE]' ? event.data : JSON.stringify(event.data)
  return event.event === undefined ? `data: ${data}\n\n` : `event: ${event.event}\ndata: ${data}\n\n`
}

function cut(response: ServerResponse, how: 'end' | 'reset'): void {
  if (how === 'end') {
    response.end()
    return
  }
  // What was written must arrive before the connection goes.
  response.write(': \n\n', () => response.socket?.resetAndDestroy())
}
