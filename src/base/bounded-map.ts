// A bounded map that forgets what was used longest ago. It holds keys in memory only and never shows them.

export interface BoundedMap<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
  deleteWhere(matches: (value: V) => boolean): void
}

export function createBoundedMap<V>(sizeMax: number): BoundedMap<V> {
  // A Map iterates in the order of insertion: the first key is the one that was used longest ago.
  const values = new Map<string, V>()
  return {
    get: (key) => {
      const value = values.get(key)
      if (value === undefined) return undefined
      values.delete(key)
      values.set(key, value)
      return value
    },
    set: (key, value) => {
      values.delete(key)
      values.set(key, value)
      if (values.size <= sizeMax) return
      for (const oldest of values.keys()) {
        values.delete(oldest)
        return
      }
    },
    delete: (key) => {
      values.delete(key)
    },
    deleteWhere: (matches) => {
      for (const [key, value] of values) if (matches(value)) values.delete(key)
    },
  }
}
