// Two lists of steps beside each other, by their longest common subsequence.

export interface Aligned<T> {
  readonly a: T | null
  readonly b: T | null
}

/** Pairs the items that have the same key, in order, as many as can be; the others stand alone. */
export function align<T>(
  a: readonly T[],
  b: readonly T[],
  keyOf: (item: T) => string,
): readonly Aligned<T>[] {
  const left = a.map(keyOf)
  const right = b.map(keyOf)
  const width = b.length + 1
  // lengths[i * width + j]: the longest common subsequence of what follows i in a and j in b.
  const lengths = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const aligned: Aligned<T>[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && left[i] === right[j])
      aligned.push({ a: a[i++] ?? null, b: b[j++] ?? null })
    else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1)))
      aligned.push({ a: a[i++] ?? null, b: null })
    else aligned.push({ a: null, b: b[j++] ?? null })
  }
  return aligned
}
