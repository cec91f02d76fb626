// Chooses tools for a message by comparing its words with theirs, clause by clause. Deterministic.

import type { JsonObject } from '../../../base/json.ts'
import type { ModelTool } from '../../model.ts'
import { clauses } from '../reading/clauses.ts'
import { contentStems, relatedStems } from '../reading/words.ts'
import { type Filled, fillArguments } from './fill-arguments.ts'
import { isChangingVerb, profileOf, type Role, type ToolProfile } from './tool-profile.ts'

/** Calls of one turn; further ones are left out. */
const CALLS_PER_TURN_MAX = 6
/** A tool must be this similar to be called: a word of its name, or two of its description. */
const SCORE_MIN = 1.2
const RELATED_FACTOR = 0.5
/** How much it speaks for a tool that the text holds a value of just the kind that it takes. */
const ROLE_BONUS: Readonly<Partial<Record<Role, number>>> = {
  expression: 4,
  code: 1.5,
  place: 1,
  time_zone: 1,
  url: 1,
  email: 0.5,
  choice: 0.5,
  date: 0.5,
}

export interface ToolCallPlan {
  readonly tool: string
  readonly arguments: JsonObject
}

export interface Choice {
  readonly calls: readonly ToolCallPlan[]
  /** The best tool that would fit if the question said more, where nothing else was found. */
  readonly lacking: { readonly tool: string; readonly missing: readonly string[] } | undefined
}

const CONTINUES = /^\s*(?:and|what about|how about|same for|or)\b/i
const REFERS = /\b(?:there|it|its|that|them|their|those|this|the same)\b/i

/** `earlier` is the user's question before this one; it is read along where the new one only continues it ("And in Paris?"). */
export function chooseTools(
  tools: readonly ModelTool[],
  question: string,
  earlier: string | undefined,
): Choice {
  const profiles = tools.map(profileOf)
  const rarity = rarityOf(profiles)
  const continued = earlier !== undefined && CONTINUES.test(question) ? [earlier] : []
  const calls: ToolCallPlan[] = []
  let lacking: Choice['lacking']
  for (const clause of clauses(question)) {
    const referred = continued.length === 0 && REFERS.test(clause) && clause !== question ? [question] : []
    const ranked = rank(profiles, rarity, { clause, continued, referred })
    const chosen = choose(ranked, clause, calls.length)
    if (chosen?.filled.status === 'complete') {
      for (const set of chosen.filled.sets) add(calls, { tool: chosen.profile.tool.name, arguments: set })
    } else {
      const almost = ranked.find(({ filled, score }) => filled.status === 'incomplete' && score >= SCORE_MIN)
      if (almost?.filled.status === 'incomplete') {
        lacking ??= { tool: almost.profile.tool.name, missing: almost.filled.missing }
      }
    }
  }
  return { calls: calls.slice(0, CALLS_PER_TURN_MAX), lacking: calls.length > 0 ? undefined : lacking }
}

/** Questions about a thing in general, which a search answers better than a look at one of them. */
const GENERAL =
  /^(?:what (?:is|are|does|do)|how (?:do|does|can|to)|can|could|does|do|why|who|explain|describe|tell)\b/i

/** The best tool that has all that it needs; else a search, unless a tool that is plainly meant lacks something. */
function choose(ranked: readonly Candidate[], clause: string, callsBefore: number): Candidate | undefined {
  const best = ranked.find(({ filled, score }) => filled.status === 'complete' && score >= SCORE_MIN)
  if (best !== undefined) return best
  const meant = ranked.find(
    ({ profile, filled, isNamed }) =>
      isNamed && filled.status === 'incomplete' && profile.changes === undefined,
  )
  if (meant !== undefined && !GENERAL.test(clause)) return undefined
  return isAside(clause, callsBefore) ? undefined : searchFor(ranked, clause)
}

interface Candidate {
  readonly profile: ToolProfile
  readonly filled: Filled
  readonly score: number
  /** Whether the clause says all words of the tool's name, and not just related ones. */
  readonly isNamed: boolean
}

interface Texts {
  readonly clause: string
  /** The earlier question that this one continues. */
  readonly continued: readonly string[]
  /** The whole message, where the clause refers to something in it. */
  readonly referred: readonly string[]
}

/** `How do I cancel …`, `Don't cancel …`: no order to change anything. */
const ASKS_ABOUT =
  /^(?:how|why|what|when|where|who|which|is|are|was|were|does|did|has|have|can i|may i|should)\b|\b(?:do not|don['’]?t|never|not)\b/i

/** Best first; of equals, the one listed first. */
function rank(
  profiles: readonly ToolProfile[],
  rarity: ReadonlyMap<string, number>,
  { clause, continued, referred }: Texts,
): readonly Candidate[] {
  const stems = contentStems([clause, ...continued].join(' '))
  const order = isChangingVerb(stems[0]) ? stems[0] : undefined
  return profiles
    .filter(
      ({ changes }) => changes === undefined || (!ASKS_ABOUT.test(clause) && isAskedFor(changes, stems)),
    )
    .filter(
      (profile) =>
        order === undefined || profile.changes !== undefined || profile.isSearch || profile.isCalculator,
    )
    .map((profile) => {
      const filled = fillArguments(profile, [clause, ...continued, ...referred])
      const { score, isNamed } = similarity(profile, stems, rarity)
      return { profile, filled, isNamed, score: score + bonus(filled) }
    })
    .sort((a, b) => b.score - a.score)
}

/** A tool that changes something is called only where its verb, or a word for it, is said. */
function isAskedFor(verb: string, stems: readonly string[]): boolean {
  return stems.includes(verb) || relatedStems(verb).some((other) => stems.includes(other))
}

interface Similarity {
  readonly score: number
  readonly isNamed: boolean
}

function similarity(
  profile: ToolProfile,
  stems: readonly string[],
  rarity: ReadonlyMap<string, number>,
): Similarity {
  let score = 0
  const named = new Set<string>()
  const said = new Set(stems)
  for (const word of stems) {
    const own = profile.weights.get(word) ?? 0
    const others = relatedStems(word).map((other) => ({ other, weight: profile.weights.get(other) ?? 0 }))
    const near = others.reduce((best, next) => (next.weight > best.weight ? next : best), {
      other: '',
      weight: 0,
    })
    const isOwn = own >= near.weight * RELATED_FACTOR
    const matched = isOwn ? word : near.other
    score += (isOwn ? own : near.weight * RELATED_FACTOR) * (rarity.get(matched) ?? 0)
    if (profile.nameStems.includes(matched) && (isOwn ? own : near.weight) > 0) named.add(matched)
  }
  const isNamed = profile.nameStems.length > 0 && profile.nameStems.every((word) => said.has(word))
  // `get_order` before `order_history_report` for a question that says no more than "order".
  return {
    score: profile.nameStems.length === 0 ? score : score + named.size / profile.nameStems.length,
    isNamed,
  }
}

function bonus(filled: Filled): number {
  return filled.status === 'complete'
    ? filled.roles.reduce((sum, role) => sum + (ROLE_BONUS[role] ?? 0), 0)
    : 0
}

/** How much a word tells the tools apart: near 1 where one of many has it, less where all have it. */
function rarityOf(profiles: readonly ToolProfile[]): ReadonlyMap<string, number> {
  const owners = new Map<string, number>()
  for (const { weights } of profiles)
    for (const word of weights.keys()) owners.set(word, (owners.get(word) ?? 0) + 1)
  const most = Math.log(1 + profiles.length)
  return new Map(
    [...owners].map(([word, count]) => [word, 0.5 + (0.5 * Math.log(1 + profiles.length / count)) / most]),
  )
}

/** `… and what is the total?` asks about what the first question found, not about something new. */
function isAside(clause: string, callsBefore: number): boolean {
  return (
    callsBefore > 0 &&
    contentStems(clause).length < 2 &&
    /\b(?:the|it|its|their|them|that|this|those)\b/i.test(clause)
  )
}

const SMALL_TALK =
  /^\s*(?:good (?:morning|afternoon|evening|night|day)|nice|great|cool|perfect|bye|goodbye|welcome|test|ping)\b/i

/** Where no tool fits by its words, the clause is searched for. */
function searchFor(ranked: readonly Candidate[], clause: string): Candidate | undefined {
  if (SMALL_TALK.test(clause)) return undefined
  return ranked.find(({ profile, filled }) => profile.isSearch && filled.status === 'complete')
}

function add(calls: ToolCallPlan[], plan: ToolCallPlan): void {
  const key = JSON.stringify(plan)
  if (!calls.some((known) => JSON.stringify(known) === key)) calls.push(plan)
}
