// Sets of characters as ranges of code points: enough to ask whether two parts of a pattern can match the same text.

/** Inclusive ranges of code points, in any order. */
export type CharSet = readonly (readonly [from: number, to: number])[]

const LAST = 0x10ffff
export const ANY_CHAR: CharSet = [[0, LAST]]
export const DIGITS: CharSet = [[0x30, 0x39]]
export const WORD_CHARS: CharSet = [...DIGITS, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]]
export const SPACES: CharSet = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]
export const LINE_ENDS: CharSet = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]

export function overlaps(left: CharSet, right: CharSet): boolean {
  return left.some(([from, to]) => right.some(([otherFrom, otherTo]) => from <= otherTo && otherFrom <= to))
}

export function complement(set: CharSet): CharSet {
  const sorted = set.toSorted((left, right) => left[0] - right[0])
  const rest: [number, number][] = []
  let next = 0
  for (const [from, to] of sorted) {
    if (from > next) rest.push([next, from - 1])
    next = Math.max(next, to + 1)
  }
  if (next <= LAST) rest.push([next, LAST])
  return rest
}

/** A superset of what the set matches when case is ignored: both cases of ASCII, and everything else at once. */
export function ignoringCase(set: CharSet): CharSet {
  const wider: [number, number][] = []
  for (const [from, to] of set) {
    wider.push([from, to])
    addShifted(wider, from, to, 0x41, 0x5a, 32)
    addShifted(wider, from, to, 0x61, 0x7a, -32)
    // K and S have relatives outside ASCII (the Kelvin sign, the long s).
    const hasFarRelative = [0x4b, 0x53, 0x6b, 0x73].some((code) => from <= code && code <= to)
    if (to >= 0x80 || hasFarRelative) wider.push([0x80, LAST])
    if (to >= 0x80) wider.push([0x4b, 0x4b], [0x53, 0x53], [0x6b, 0x6b], [0x73, 0x73])
  }
  return wider
}

function addShifted(
  into: [number, number][],
  from: number,
  to: number,
  low: number,
  high: number,
  by: number,
): void {
  const start = Math.max(from, low)
  const end = Math.min(to, high)
  if (start <= end) into.push([start + by, end + by])
}
