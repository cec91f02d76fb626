// How many jobs a worker may still take. Who finds none free waits for one.

export interface Slots {
  free(): number
  used(): number
  /** Takes so many, which are free. */
  take(count: number): void
  give(count: number): void
  /** Takes at least one and at most so many; waits while none is free. Rejects where the worker stops. */
  acquire(most: number): Promise<number>
  /** Nobody waits any more, and nobody may; `open` takes that back. */
  close(): void
  open(): void
}

export function createSlots(concurrency: number): Slots {
  let used = 0
  let closed = false
  const waiting: { most: number; resolve(count: number): void; reject(error: Error): void }[] = []
  const serve = (): void => {
    while (waiting.length > 0 && used < concurrency) {
      const next = waiting.shift()
      const count = Math.min(next?.most ?? 0, concurrency - used)
      used += count
      next?.resolve(count)
    }
  }
  return {
    free: () => concurrency - used,
    used: () => used,
    take(count) {
      used += count
    },
    give(count) {
      used -= count
      serve()
    },
    acquire(most) {
      if (closed) return Promise.reject(new Error(STOPS))
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      waiting.push({ most, resolve, reject })
      serve()
      return promise
    },
    close() {
      closed = true
      for (const { reject } of waiting.splice(0)) reject(new Error(STOPS))
    },
    open() {
      closed = false
    },
  }
}

const STOPS = 'This worker stops: another one takes the job.'
