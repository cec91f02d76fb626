// The live side of the log, within this process: who watches a run is told that there is more to read. It stores nothing.

export interface LiveHub<Signal> {
  /** Tells the watchers of a key. Costs nothing where nobody watches. */
  publish(key: string, signal: Signal): void
  watched(key: string): boolean
  /** Calls `listener` for each signal until the returned function is called. The listener neither throws nor waits. */
  watch(key: string, listener: (signal: Signal) => void): () => void
}

export function createLiveHub<Signal>(): LiveHub<Signal> {
  const watchers = new Map<string, Set<(signal: Signal) => void>>()
  return {
    publish(key, signal) {
      const listeners = watchers.get(key)
      if (listeners === undefined) return
      for (const listener of listeners) listener(signal)
    },
    watched: (key) => watchers.has(key),
    watch(key, listener) {
      const listeners = watchers.get(key) ?? new Set()
      listeners.add(listener)
      watchers.set(key, listeners)
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0 && watchers.get(key) === listeners) watchers.delete(key)
      }
    },
  }
}
