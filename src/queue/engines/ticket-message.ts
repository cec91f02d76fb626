// What a message of an engine holds: some tickets, as JSON. Reading one is parsing at the border: anything may be in it.

import { z } from 'zod'
import { isId } from '../../base/ids.ts'
import type { Ticket } from '../transport.ts'

/** How many tickets travel together at most: a message costs the engine the same with one ticket and with many. */
export const TICKETS_PER_MESSAGE = 25
/** A backlog is spread over at least so many messages, so that several workers get work. */
const SPREAD = 16
/** A message that is larger is none of ours. */
const MESSAGE_CHARS_MAX = 65_536

const message = z.object({ tickets: z.array(z.tuple([z.string(), z.string()])).max(1_000) })

/** Deals tickets out to messages, in their order. */
export function bundle(tickets: readonly Ticket[], spread = SPREAD): readonly (readonly Ticket[])[] {
  const size = Math.min(Math.max(Math.ceil(tickets.length / spread), 1), TICKETS_PER_MESSAGE)
  return Array.from({ length: Math.ceil(tickets.length / size) }, (_, n) =>
    tickets.slice(n * size, (n + 1) * size),
  )
}

export function messageOf(tickets: readonly Ticket[]): { tickets: [string, string][] } {
  return { tickets: tickets.map(({ tenantId, jobId }) => [tenantId, jobId]) }
}

/** The tickets of a message, given as JSON text or parsed; undefined where it is none of ours. */
export function parseMessage(given: unknown): readonly Ticket[] | undefined {
  const parsed = message.safeParse(typeof given === 'string' ? parseJson(given) : given)
  if (!parsed.success) return undefined
  const tickets: Ticket[] = []
  for (const [tenantId, jobId] of parsed.data.tickets) {
    if (!isId('tenant', tenantId) || !isId('job', jobId)) return undefined
    tickets.push({ tenantId, jobId })
  }
  return tickets
}

function parseJson(text: string): unknown {
  if (text.length > MESSAGE_CHARS_MAX) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
