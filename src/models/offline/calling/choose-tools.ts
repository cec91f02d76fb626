// Chooses tools for a message by comparing its words with theirs, clause by clause. Deterministic.

import type { JsonObject } from '../../../base/json.ts'
import type { ModelTool } from '../../model.ts'
import { type Clause, clauses } from '../reading/clauses.ts'
import { urls } from '../reading/values.ts'
import { contentStems } from '../reading/words.ts'
import { describeProperty } from './describe-property.ts'
import { fillArguments } from './fill-arguments.ts'
import { type Candidate, rank, rarityOf } from './rank-tools.ts'
import { profileOf, type Role, type ToolProfile } from './tool-profile.ts'

/** Calls of one turn; further ones are left out. */
const CALLS_PER_TURN_MAX = 6
/** A tool must be this similar to be called: a word of its name, or two of its description. */
const SCORE_MIN = 1.2
/** A tool that lacks something is still the one that is meant where those that lack nothing are so much less similar. */
const MEANT_PART = 0.6

export interface ToolCallPlan {
  readonly tool: string
  readonly arguments: JsonObject
}

export interface Lacking {
  readonly tool: string
  /** What it needs, in words. */
  readonly missing: readonly string[]
}

export interface Choice {
  readonly calls: readonly ToolCallPlan[]
  /** The best tool that would fit if the question said more, where nothing else was found. */
  readonly lacking: Lacking | undefined
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
  const parts = clauses(question)
  const isAsked = parts.some(({ asks }) => asks)
  let lacking: Lacking | undefined
  for (const clause of parts) {
    const isReferring = continued.length === 0 && REFERS.test(clause.text) && clause.text !== question
    const texts = { clause: clause.text, continued, referred: isReferring ? [question] : [] }
    const ranked = rank(profiles, rarity, texts)
    const chosen = choose(ranked, clause.text)
    if (chosen.type === 'call') {
      add(calls, chosen.candidate)
      continue
    }
    if (chosen.type === 'lacks') lacking ??= lackingOf(chosen.candidate)
    // What is only told, beside a question, is not searched for.
    else if (clause.asks || !isAsked) add(calls, searchFor(ranked, clause, calls.length))
  }
  return { calls: calls.slice(0, CALLS_PER_TURN_MAX), lacking: calls.length > 0 ? undefined : lacking }
}

/** Another search that has not been asked, for a question to which `called` found no answer. */
export function furtherSearches(
  tools: readonly ModelTool[],
  query: string,
  called: readonly string[],
): readonly ToolCallPlan[] {
  const next = tools.map(profileOf).find(({ tool, isSearch }) => isSearch && !called.includes(tool.name))
  if (next === undefined) return []
  const filled = fillArguments(next, [query])
  return filled.status === 'complete'
    ? filled.sets.slice(0, 1).map((set) => ({ tool: next.tool.name, arguments: set }))
    : []
}

/** Questions about a thing in general, which a search answers better than a look at one of them. */
const GENERAL =
  /^(?:(?:so|and|but|also)\s+)*(?:what (?:is|are|does|do)|how (?:do|does|can|to|are|is)|can|could|does|do|why|who|explain|describe|tell)\b/i

type Chosen =
  | { readonly type: 'call'; readonly candidate: Candidate }
  | { readonly type: 'lacks'; readonly candidate: Candidate }
  | { readonly type: 'none' }

/** The best tool that has all that it needs, unless a tool that lacks something is plainly meant. */
function choose(ranked: readonly Candidate[], clause: string): Chosen {
  const fits = ranked.filter(({ score }) => score >= SCORE_MIN)
  const best = fits.find(({ filled }) => filled.status === 'complete')
  const almost = fits.find(({ filled }) => filled.status === 'incomplete')
  if (almost !== undefined && isMeant(almost, clause) && (best?.score ?? 0) < almost.score * MEANT_PART)
    return { type: 'lacks', candidate: almost }
  return best === undefined ? { type: 'none' } : { type: 'call', candidate: best }
}

/** All words of its name are said; one word alone also names what the documents are about. */
function isMeant({ profile, isNamed }: Candidate, clause: string): boolean {
  if (profile.changes !== undefined) return true
  return isNamed && (profile.nameStems.length > 1 || !GENERAL.test(clause))
}

function lackingOf({ profile, filled }: Candidate): Lacking {
  const missing = filled.status === 'incomplete' ? filled.missing.map(describeProperty) : []
  return { tool: profile.tool.name, missing }
}

/** Where no tool fits by its words, the clause is searched for: in documents, else wherever can be searched. */
function searchFor(
  ranked: readonly Candidate[],
  { text }: Clause,
  callsBefore: number,
): Candidate | undefined {
  if (isAside(text, callsBefore) || isForNoTool(ranked, text)) return undefined
  const searches = ranked.filter(({ profile, filled }) => profile.isSearch && filled.status === 'complete')
  return searches.find(({ profile }) => profile.isDocumentSearch) ?? searches[0]
}

/** `… and what is the total?` asks about what the first question found, not about something new. */
function isAside(clause: string, callsBefore: number): boolean {
  return (
    callsBefore > 0 &&
    contentStems(clause).length < 2 &&
    /\b(?:the|it|its|their|them|that|this|those)\b/i.test(clause)
  )
}

/** An address that no tool takes says little to a search. */
function isForNoTool(ranked: readonly Candidate[], clause: string): boolean {
  const [url] = urls(clause)
  if (url === undefined || ranked.some(({ profile }) => takes(profile, 'url'))) return false
  return contentStems(clause.replace(url, ' ')).length < 2
}

function takes({ properties }: ToolProfile, role: Role): boolean {
  return properties.some((property) => property.role === role)
}

function add(calls: ToolCallPlan[], candidate: Candidate | undefined): void {
  if (candidate?.filled.status !== 'complete') return
  for (const set of candidate.filled.sets) {
    const plan = { tool: candidate.profile.tool.name, arguments: set }
    const key = JSON.stringify(plan)
    if (!calls.some((known) => JSON.stringify(known) === key)) calls.push(plan)
  }
}
