// A bounded map that forgets what was used longest ago, roughly. It holds keys in memory only and never shows them.

export interface BoundedMap<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
  deleteWhere(matches: (value: V) => boolean): void
}

/**
 * Two generations: what is used moves to the young one, and when that is full it becomes the old one and the old one
 * is forgotten. So the last `sizeMax` entries that were used are always there, and at most twice as many. Each call
 * takes constant time; a Map that is reordered at each use does not, since it keeps the places of what was deleted.
 */
export function createBoundedMap<V>(sizeMax: number): BoundedMap<V> {
  let young = new Map<string, V>()
  let old = new Map<string, V>()
  const set = (key: string, value: V): void => {
    if (young.size >= sizeMax && !young.has(key)) {
      old = young
      young = new Map()
    }
    young.set(key, value)
  }
  return {
    get: (key) => {
      const value = young.get(key)
      if (value !== undefined) return value
      const known = old.get(key)
      if (known !== undefined) set(key, known)
      return known
    },
    set,
    delete: (key) => {
      young.delete(key)
      old.delete(key)
    },
    deleteWhere: (matches) => {
      for (const generation of [young, old]) {
        for (const [key, value] of generation) if (matches(value)) generation.delete(key)
      }
    },
  }
}
