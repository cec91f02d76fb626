// The outbound fetch, loaded when something first goes out: its HTTP client takes a noticeable part of a cold start.

import type { GuardedFetch, OutboundPolicy } from '../../outbound/guarded-fetch.ts'

export function createLazyFetch(policy: OutboundPolicy): GuardedFetch {
  let loading: Promise<GuardedFetch> | undefined
  const load = async (): Promise<GuardedFetch> =>
    (await import('../../outbound/guarded-fetch.ts')).createGuardedFetch(policy)
  const send: (...args: Parameters<GuardedFetch>) => ReturnType<GuardedFetch> = async (request, signal) => {
    loading ??= load()
    return (await loading)(request, signal)
  }
  return Object.assign(send, { [Symbol.asyncDispose]: async () => (await loading)?.[Symbol.asyncDispose]() })
}
