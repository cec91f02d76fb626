// How messages are taken from any engine: one loop that asks for as many as may be in hand, keeps them hidden while their
// handler waits, acknowledges in batches and gives back what is left at the end. An engine says only how each is done.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../base/time.ts'
import type { Consumer, TransportHandler } from '../transport.ts'
import { createBell } from './bell.ts'
import { parseMessage } from './ticket-message.ts'

/** How long to wait after a request that failed; longer each time. */
const RETRY_MS = 100
const RETRY_MS_MAX = 5_000
/** How long to take nothing after a handler could not look at a message: it would only come back at once. */
const REFUSED_PAUSE_MS = 1_000
/** How long the end waits for handlers; what they then still hold is given back. */
const STOP_GRACE_MS = 1_500
/** How long to believe that every place is taken. */
const FULL_MS_MAX = 1_000
const ACKNOWLEDGED_AT_ONCE_MAX = 200

export interface MessageSource<M> {
  /** Up to `most` messages; waits a moment for the first. Rejects, or does not return, while the engine does not answer. */
  receive(most: number, signal: AbortSignal): Promise<readonly M[]>
  bodyOf(message: M): unknown
  /** The engine forgets them. */
  acknowledge(messages: readonly M[]): Promise<void>
  /** The engine delivers them again, at once. */
  release(messages: readonly M[]): Promise<void>
  /** They stay hidden for longer. */
  readonly keep?: { readonly everyMs: number; extend(messages: readonly M[]): Promise<void> }
  /** What is none of ours. */
  refuse(message: M): Promise<void>
  /** Called last. */
  close(): Promise<void>
}

export interface ConsumeOptions {
  readonly concurrency: number
  readonly clock: Clock
  /** Told of what went wrong; consuming goes on. */
  readonly onError: (error: unknown) => void
}

export function consumeFrom<M>(
  source: MessageSource<M>,
  handler: TransportHandler,
  { concurrency, clock, onError }: ConsumeOptions,
): Consumer {
  const stopping = new AbortController()
  const { signal } = stopping
  const inHand = new Map<M, Promise<void>>()
  const refusing = new Set<Promise<void>>()
  const freed = createBell()
  const told = (work: Promise<unknown>): Promise<void> => work.then(() => undefined, onError)
  const acknowledge = batched(ACKNOWLEDGED_AT_ONCE_MAX, (messages: readonly M[]) =>
    told(source.acknowledge(messages)),
  )
  let polledAt = clock()
  let pauseMs = 0

  const take = (message: M): void => {
    const tickets = parseMessage(source.bodyOf(message))
    if (tickets === undefined) {
      onError(new Error('A message of the queue engine holds no tickets and is refused.'))
      const refused: Promise<void> = told(source.refuse(message)).finally(() => refusing.delete(refused))
      refusing.add(refused)
      return
    }
    const handled = handler(tickets).then(
      () => {
        if (inHand.delete(message)) acknowledge.add(message)
        freed.ring()
      },
      async (error: unknown) => {
        if (!inHand.delete(message)) return
        onError(error)
        pauseMs = REFUSED_PAUSE_MS
        freed.ring()
        await told(source.release([message]))
      },
    )
    inHand.set(message, handled)
  }
  const receive = async (): Promise<void> => {
    const messages = await source.receive(concurrency - inHand.size, signal)
    polledAt = clock()
    if (signal.aborted) await told(source.release(messages))
    else for (const message of messages) take(message)
  }
  const loop = async (): Promise<void> => {
    for (let failures = 0; !signal.aborted; ) {
      if (inHand.size >= concurrency) {
        await freed.heard(FULL_MS_MAX, signal)
        continue
      }
      try {
        await receive()
        failures = 0
      } catch (error) {
        if (signal.aborted) return
        onError(error)
        pauseMs = Math.min(RETRY_MS * 2 ** failures++, RETRY_MS_MAX)
      }
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
      pauseMs = 0
    }
  }
  const timer = source.keep && setInterval(() => void extend(), source.keep.everyMs).unref()
  const extend = async (): Promise<void> => {
    if (inHand.size > 0) await told(source.keep?.extend([...inHand.keys()]) ?? Promise.resolve())
  }
  const looping = loop()
  const end = async (): Promise<void> => {
    stopping.abort()
    await withinGrace(looping)
    await withinGrace(Promise.all(inHand.values()))
    const left = [...inHand.keys()]
    inHand.clear()
    if (left.length > 0) await withinGrace(told(source.release(left)))
    await withinGrace(Promise.all(refusing))
    await withinGrace(acknowledge.done())
    clearInterval(timer)
    await told(source.close())
  }
  let ended: Promise<void> | undefined
  return {
    // With its hands full it asks for nothing, and is not to blame for it.
    lastPollAt: () => (inHand.size >= concurrency ? clock() : polledAt),
    stop: () => {
      ended ??= end()
      return ended
    },
  }
}

/** Gathers what comes while the last batch is under way. */
function batched<M>(most: number, send: (items: readonly M[]) => Promise<void>) {
  const waiting: M[] = []
  let sending: Promise<void> | undefined
  const pump = async (): Promise<void> => {
    await Promise.resolve()
    while (waiting.length > 0) await send(waiting.splice(0, most))
    sending = undefined
  }
  return {
    add: (item: M): void => {
      waiting.push(item)
      sending ??= pump()
    },
    done: async (): Promise<void> => sending,
  }
}

async function withinGrace(work: Promise<unknown>): Promise<void> {
  const enough = new AbortController()
  const grace = sleep(STOP_GRACE_MS, undefined, { signal: enough.signal }).catch(() => undefined)
  await Promise.race([work, grace])
  enough.abort()
}
