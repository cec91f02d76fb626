// Tickets in this process's memory: for tests, and for one process that does everything.

import type { Ticket, Transport } from '../transport.ts'
import { createBell } from './bell.ts'
import { consumeFrom, type MessageSource } from './consume.ts'
import type { EngineOptions } from './engine-options.ts'
import { bundle, messageOf } from './ticket-message.ts'

const POLL_MS = 1_000

interface Message {
  readonly body: unknown
}

export interface MemoryTransport extends Transport {
  /** Forgets every message, as a restart would. */
  flush(): void
}

export function createMemoryTransport(options: EngineOptions): MemoryTransport {
  const waiting: Message[] = []
  const consumers = new Set<{ stop(): Promise<void> }>()
  const arrived = createBell()

  const add = (messages: readonly Message[]): void => {
    waiting.push(...messages)
    arrived.ring()
  }
  const receive = async (most: number, signal: AbortSignal): Promise<readonly Message[]> => {
    if (waiting.length === 0) await arrived.heard(POLL_MS, signal)
    return waiting.splice(0, most)
  }
  const source: MessageSource<Message> = {
    receive,
    bodyOf: ({ body }) => body,
    acknowledge: async () => undefined,
    release: async (messages) => add(messages),
    refuse: async () => undefined,
    close: async () => undefined,
  }
  return {
    engine: 'memory',
    send: async (tickets: readonly Ticket[]) =>
      add(bundle(tickets).map((some) => ({ body: messageOf(some) }))),
    consume: async (handler, { concurrency }) => {
      const consumer = consumeFrom(source, handler, { ...options, concurrency })
      consumers.add(consumer)
      return consumer
    },
    check: async () => [
      { name: 'engine', status: 'ok', message: 'Tickets are in memory: every worker lives in this process.' },
    ],
    flush: () => void waiting.splice(0),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...consumers].map((consumer) => consumer.stop()))
    },
  }
}
