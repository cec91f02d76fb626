// The three time limits of a model call, kept by one timer.

import type { ModelTimeouts } from './model.ts'

/** Timers overflow above this and fire at once. */
const TIMER_MAX_MS = 2_147_483_647

/** Which limit was reached. */
export type Expired = 'first_token' | 'between_chunks' | 'total'

export interface Deadline {
  /** Something arrived that is not content yet, e.g. a ping. */
  chunk(): void
  /** Content arrived: from now on the limit between chunks applies instead of the limit for the first token. */
  content(): void
  stop(): void
}

/** Starts the clock now. `onExpire` is called at most once, and never after `stop`. */
export function startDeadline(timeouts: ModelTimeouts, onExpire: (expired: Expired) => void): Deadline {
  const startedAt = performance.now()
  let lastChunkAt = startedAt
  let hasContent = false
  let timer: ReturnType<typeof setTimeout> | undefined

  const nextLimit = (): { readonly at: number; readonly expired: Expired } => {
    const total = startedAt + timeouts.totalMs
    const step = hasContent ? lastChunkAt + timeouts.betweenChunksMs : startedAt + timeouts.firstTokenMs
    return step < total
      ? { at: step, expired: hasContent ? 'between_chunks' : 'first_token' }
      : { at: total, expired: 'total' }
  }
  // Chunks only move a number; the timer looks at it when it fires and goes on sleeping if there is time left.
  const arm = (): void => {
    const restMs = Math.ceil(nextLimit().at - performance.now())
    timer = setTimeout(check, Math.min(TIMER_MAX_MS, Math.max(1, restMs)))
  }
  const check = (): void => {
    const limit = nextLimit()
    if (performance.now() < limit.at) arm()
    else onExpire(limit.expired)
  }
  arm()

  return {
    chunk: () => {
      lastChunkAt = performance.now()
    },
    content: () => {
      lastChunkAt = performance.now()
      if (hasContent) return
      hasContent = true
      clearTimeout(timer)
      arm()
    },
    stop: () => clearTimeout(timer),
  }
}

const NAMES: Readonly<Record<Expired, { readonly text: string; readonly limit: keyof ModelTimeouts }>> = {
  first_token: { text: 'sent nothing', limit: 'firstTokenMs' },
  between_chunks: { text: 'stopped sending', limit: 'betweenChunksMs' },
  total: { text: 'did not finish', limit: 'totalMs' },
}

/** One line, e.g. `openai sent nothing within 30000 ms.` */
export function expiredMessage(provider: string, expired: Expired, timeouts: ModelTimeouts): string {
  const { text, limit } = NAMES[expired]
  return `${provider} ${text} within ${timeouts[limit]} ms.`
}
