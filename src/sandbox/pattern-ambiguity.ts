// How often a backtracking matcher may have to choose: the difference between a harmless and a catastrophic pattern.

import { type CharSet, overlaps } from './char-set.ts'
import type { Part } from './pattern-parts.ts'

/**
 * Whether at every point of every text at most one way leads on, so that the matcher never tries the same
 * text twice (linear from each starting place). Uses the position automaton of Glushkov: two positions that may
 * follow the same one must not match a common character, and no step may be possible in two ways, as in
 * `(a+)+` (strong one-unambiguity: Brüggemann-Klein & Wood 1998, Koch & Scherzinger 2007).
 * Large counts are taken as unlimited repetitions and anchors as nothing, which can only add choices.
 */
export function isUnambiguous(part: Part): boolean {
  const automaton: Automaton = { sets: [], next: [], ambiguous: false }
  const whole = build(part, automaton)
  return (
    !automaton.ambiguous && [whole.first, ...automaton.next].every((ways) => areApart(ways, automaton.sets))
  )
}

export interface Choices {
  /** Repetitions whose end the matcher may have to search. */
  readonly loops: number
  /** In how many ways the optional parts and alternatives outside of repetitions can be taken. */
  readonly ways: number
}

/**
 * Counts the choices of a pattern that is ambiguous as a whole, or returns undefined where a repetition is
 * ambiguous within itself: then the tries multiply with each character (exponential).
 */
export function countChoices(part: Part): Choices | undefined {
  switch (part.type) {
    case 'chars':
    case 'anchor':
      return { loops: 0, ways: 1 }
    case 'look':
      return countChoices(part.item)
    case 'repeat':
      return countRepeat(part)
    case 'sequence':
      return sum(part.items, 1)
    case 'choice':
      return sum(part.options, part.options.length)
    default:
      return part satisfies never
  }
}

function countRepeat(part: Extract<Part, { type: 'repeat' }>): Choices | undefined {
  if (part.max === 0) return { loops: 0, ways: 1 }
  const inside = countChoices(part.item)
  if (inside === undefined) return undefined
  if (part.max === 1) return { loops: inside.loops, ways: inside.ways * (part.min === 1 ? 1 : 2) }
  if (part.min === part.max && inside.loops === 0 && inside.ways === 1) return inside
  return isUnambiguous({ ...part, max: Infinity }) && !hasLook(part.item) ? { loops: 1, ways: 1 } : undefined
}

function hasLook(part: Part): boolean {
  switch (part.type) {
    case 'look':
      return true
    case 'repeat':
      return hasLook(part.item)
    case 'sequence':
      return part.items.some(hasLook)
    case 'choice':
      return part.options.some(hasLook)
    default:
      return false
  }
}

function sum(parts: readonly Part[], ways: number): Choices | undefined {
  let total: Choices = { loops: 0, ways }
  for (const part of parts) {
    const choices = countChoices(part)
    if (choices === undefined) return undefined
    total = { loops: total.loops + choices.loops, ways: total.ways * choices.ways }
  }
  return total
}

interface Automaton {
  /** What each position matches. */
  readonly sets: CharSet[]
  /** Which positions may come after each. */
  readonly next: Set<number>[]
  ambiguous: boolean
}

interface Ends {
  readonly first: ReadonlySet<number>
  readonly last: ReadonlySet<number>
  readonly empty: boolean
}

/** How far counts are written out in one pattern. */
const POSITIONS_MAX = 512
const NOTHING: Ends = { first: new Set(), last: new Set(), empty: true }

function build(part: Part, automaton: Automaton): Ends {
  switch (part.type) {
    case 'chars': {
      const position = automaton.sets.push(part.set) - 1
      automaton.next.push(new Set())
      return { first: new Set([position]), last: new Set([position]), empty: false }
    }
    case 'anchor':
      return NOTHING
    case 'look':
      // What a look-around sees is judged by itself; around it, it only forbids.
      automaton.ambiguous ||= !isUnambiguous(part.item)
      return NOTHING
    case 'repeat':
      return buildRepeat(part, automaton)
    case 'sequence':
      return part.items.reduce<Ends>(
        (before, item) => join(before, build(item, automaton), automaton),
        NOTHING,
      )
    case 'choice': {
      const options = part.options.map((option) => build(option, automaton))
      return {
        first: options.reduce<ReadonlySet<number>>((all, { first }) => all.union(first), new Set()),
        last: options.reduce<ReadonlySet<number>>((all, { last }) => all.union(last), new Set()),
        empty: options.some(({ empty }) => empty),
      }
    }
    default:
      return part satisfies never
  }
}

/** A small count is written out, `x{2,3}` as `xx(x)?`; a large one is taken as unlimited. */
function buildRepeat(part: Extract<Part, { type: 'repeat' }>, automaton: Automaton): Ends {
  if (part.max === 0) return NOTHING
  if (part.max > 1 && positions(part) > POSITIONS_MAX - automaton.sets.length) {
    const item = build(part.item, automaton)
    connect(item.last, item.first, automaton)
    return part.min === 0 ? { ...item, empty: true } : item
  }
  let required = NOTHING
  for (let i = 0; i < part.min; i++) required = join(required, build(part.item, automaton), automaton)
  let optional = NOTHING
  for (let i = part.min; i < part.max; i++) {
    optional = { ...join(build(part.item, automaton), optional, automaton), empty: true }
  }
  return join(required, optional, automaton)
}

/** How many positions the part takes when its counts are written out; Infinity where they have no end. */
function positions(part: Part): number {
  switch (part.type) {
    case 'chars':
      return 1
    case 'anchor':
    case 'look':
      return 0
    case 'repeat':
      return part.max * Math.max(positions(part.item), 1)
    case 'sequence':
      return part.items.reduce((sum, item) => sum + positions(item), 0)
    case 'choice':
      return part.options.reduce((sum, option) => sum + positions(option), 0)
    default:
      return part satisfies never
  }
}

function join(before: Ends, after: Ends, automaton: Automaton): Ends {
  connect(before.last, after.first, automaton)
  return {
    first: before.empty ? before.first.union(after.first) : before.first,
    last: after.empty ? after.last.union(before.last) : after.last,
    empty: before.empty && after.empty,
  }
}

function connect(from: ReadonlySet<number>, to: ReadonlySet<number>, automaton: Automaton): void {
  for (const position of from) {
    const ways = automaton.next[position]
    for (const target of to) {
      if (ways?.has(target) === true) automaton.ambiguous = true
      ways?.add(target)
    }
  }
}

function areApart(positions: ReadonlySet<number>, sets: readonly CharSet[]): boolean {
  const list = [...positions]
  return list.every((left, index) =>
    list.slice(index + 1).every((right) => !overlaps(sets[left] ?? [], sets[right] ?? [])),
  )
}
