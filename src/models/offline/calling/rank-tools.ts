// Compares the words of a question with those of tools, and puts the tools in order. Deterministic.

import { names } from '../reading/places.ts'
import { isMistyped } from '../reading/spelling.ts'
import { quotedTexts } from '../reading/values.ts'
import { contentStems, relatedStems, stem, words } from '../reading/words.ts'
import { type Filled, fillArguments } from './fill-arguments.ts'
import { isChangingVerb, type Role, type ToolProfile } from './tool-profile.ts'

const RELATED_FACTOR = 0.5
/** How much it speaks for a tool that the text holds a value of just the kind that it takes. */
const ROLE_BONUS: Readonly<Partial<Record<Role, number>>> = {
  expression: 4,
  code: 1.5,
  place: 1,
  time_zone: 1,
  url: 1,
  email: 0.5,
  choice: 1,
  date: 0.5,
}

export interface Candidate {
  readonly profile: ToolProfile
  readonly filled: Filled
  readonly score: number
  /** Whether the clause says all words of the tool's name, and not just related ones. */
  readonly isNamed: boolean
}

export interface Texts {
  readonly clause: string
  /** The earlier question that this one continues. */
  readonly continued: readonly string[]
  /** The whole message, where the clause refers to something in it. */
  readonly referred: readonly string[]
}

/** `How do I cancel …`, `Don't cancel …`: no order to change anything. */
const ASKS_ABOUT =
  /^(?:(?:so|and|but|also|then)[\s,]+)*(?:how|why|what|when|where|who|which|is|are|was|were|does|did|has|have|can i|may i|should)\b|\b(?:do not|don['’]?t|never|not)\b/i

/** Best first; of equals, the one listed first. */
export function rank(
  profiles: readonly ToolProfile[],
  rarity: ReadonlyMap<string, number>,
  { clause, continued, referred }: Texts,
): readonly Candidate[] {
  const stems = contentStems(plainQuestion(withoutValues([clause, ...continued].join(' '))))
  const isOrder = isChangingVerb(stem(words(clause.replace(POLITE, ''))[0] ?? ''))
  return profiles
    .filter(
      (profile) =>
        profile.changes === undefined || (!ASKS_ABOUT.test(clause) && isAskedFor(profile, clause, stems)),
    )
    .filter(
      (profile) => !isOrder || profile.changes !== undefined || profile.isSearch || profile.isCalculator,
    )
    .map((profile) => {
      const filled = fillArguments(profile, [clause, ...continued, ...referred])
      const likeness = similarity(profile, { stems, filled }, rarity)
      const bonus = profile.changes === undefined ? nameBonus(profile, clause) : ORDERED_BONUS
      const score = total(likeness, filled) + (likeness.isMeant ? bonus : 0)
      return { profile, filled, isNamed: likeness.isNamed, score }
    })
    .sort((a, b) => b.score - a.score)
}

/** Without what stands in quotes and names of several words: those are values and not what is asked for. */
function withoutValues(text: string): string {
  const unquoted = text.replace(/"[^"]{1,500}"|“[^”]{1,500}”/g, ' ')
  const longNames = names(unquoted).filter((name) => name.includes(' '))
  const plain = longNames.reduce((rest, name) => rest.replace(name, ' '), unquoted)
  return contentStems(plain).length > 0 ? plain : unquoted
}

const POLITE = /^\s*(?:(?:please|now|then|also|can you|could you)[\s,]+)+/i

/** "At what time do you close" asks when, and not for the time; "how much is it" asks for the price. */
function plainQuestion(text: string): string {
  return text
    .replace(/\bhow much (?:is|are|was|does|do|did)\b/gi, 'price ')
    .replace(/\b(?:at|until|from)?\s*(?:what|which) time (?=(?:do|does|did|will|would|can|are)\b)/gi, 'when ')
}

/** Words for what a tool does whose verb people do not say: they order, and mean `place_order`. */
const SAID_FOR: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries({ place: 'order buy purchase', submit: 'send' }).map(([verb, said]) => [
    stem(verb),
    said.split(' ').map(stem),
  ]),
)
const IMPERATIVE =
  /(?:^|\b(?:and|please|then|to|now|also|you)\s+)(order|buy|purchase)\s+(?:me\s+)?(?:\d+|an?|one|two|three|some|the)\b/i

/** A tool that changes something is called only where its verb, or a word for it, is said. */
function isAskedFor({ changes: verb = '' }: ToolProfile, clause: string, stems: readonly string[]): boolean {
  if (stems.includes(verb) || relatedStems(verb).some((other) => stems.includes(other))) return true
  const said = [stems[0] ?? '', stem(IMPERATIVE.exec(clause)?.[1]?.toLowerCase() ?? '')]
  return said.some((word) => SAID_FOR[verb]?.includes(word) === true)
}

interface Similarity {
  readonly score: number
  readonly isNamed: boolean
  /** Words of the tool that the question says, or related ones of which are enough. */
  readonly isMeant: boolean
  readonly isExplained: boolean
}

/** A single related word is said by chance: "what now" is no question about the time. */
const RELATED_MIN = 2
/** So much of a question a tool must explain that can be called without any argument. */
const EXPLAINED_PART_MIN = 0.5

interface Said {
  readonly stems: readonly string[]
  readonly filled: Filled
}

function similarity(
  profile: ToolProfile,
  { stems, filled }: Said,
  rarity: ReadonlyMap<string, number>,
): Similarity {
  const matched = new Map<string, number>()
  const named = new Set<string>()
  const related = new Set<string>()
  for (const word of stems) {
    const { stemmed, factor } = nearest(profile, word)
    const weight = (profile.weights.get(stemmed) ?? 0) * factor
    if (weight === 0) continue
    // Several words for one of the tool's words count once.
    matched.set(stemmed, Math.max(matched.get(stemmed) ?? 0, weight * (rarity.get(stemmed) ?? 0)))
    if (profile.nameStems.includes(stemmed)) named.add(stemmed)
    if (factor === RELATED_FACTOR) related.add(word)
  }
  const sum = [...matched.values()].reduce((total, weight) => total + weight, 0)
  const values = filled.status === 'complete' ? filled.sets.flatMap((set) => Object.values(set)) : []
  const taken = new Set(values.flatMap((value) => contentStems(String(value))))
  const explained = stems.filter(
    (word) => taken.has(word) || (profile.weights.get(nearest(profile, word).stemmed) ?? 0) > 0,
  )
  const isExplained = !profile.needsNothing || explained.length >= stems.length * EXPLAINED_PART_MIN
  const hasOwn = stems.some(
    (word) => profile.weights.has(word) || nearest(profile, word).factor > RELATED_FACTOR,
  )
  return {
    // `get_order` before `order_history_report` for a question that says no more than "order".
    score: sum + (profile.nameStems.length === 0 ? 0 : named.size / profile.nameStems.length),
    isNamed: profile.nameStems.length > 0 && profile.nameStems.every((word) => stems.includes(word)),
    isMeant: isExplained && (hasOwn || related.size >= RELATED_MIN),
    isExplained,
  }
}

/** The tool's word that is meant: the same, a related one, or one of its name that was mistyped. */
function nearest(profile: ToolProfile, word: string): { readonly stemmed: string; readonly factor: number } {
  const own = profile.weights.get(word) ?? 0
  let best = { stemmed: word, factor: 1, weight: own }
  for (const other of relatedStems(word)) {
    const weight = (profile.weights.get(other) ?? 0) * RELATED_FACTOR
    if (weight > best.weight) best = { stemmed: other, factor: RELATED_FACTOR, weight }
  }
  if (best.weight > 0) return best
  const meant = profile.nameStems.find((name) => isMistyped(word, name))
  return meant === undefined ? best : { stemmed: meant, factor: MISTYPED_FACTOR }
}

const MISTYPED_FACTOR = 0.8

/** A value that fits speaks for a tool only where a word does too; a sum, an address and a code such as `ORD-1042` speak for themselves. */
function total({ score, isMeant, isExplained }: Similarity, filled: Filled): number {
  const roles = filled.status === 'complete' ? filled.roles : []
  const bonus = roles.reduce((sum, role) => sum + (ROLE_BONUS[role] ?? 0), 0)
  if (roles.includes('expression') || roles.includes('url') || hasCode(filled)) return score + bonus
  if (score === 0 || !isExplained) return 0
  return isMeant || bonus > 0 ? score + bonus : 0
}

/** A code of letters and digits, unlike a plain number, is rarely anything else. */
function hasCode(filled: Filled): boolean {
  if (filled.status !== 'complete' || !filled.roles.includes('code')) return false
  return Object.values(filled.sets[0] ?? {}).some((value) => /^[A-Za-z]+[-_]?\d/.test(String(value)))
}

/** What finds things by their names is meant where the clause has a name: a title in quotes, several words with capitals. */
function nameBonus({ isSearch, isDocumentSearch }: ToolProfile, clause: string): number {
  if (!isSearch || isDocumentSearch) return 0
  return quotedTexts(clause).length > 0 || names(clause).some((name) => name.includes(' ')) ? NAME_BONUS : 0
}

const NAME_BONUS = 0.5
/** A change that is asked for in so many words is meant before a look at the same thing. */
const ORDERED_BONUS = 2

/** How much a word tells the tools apart: near 1 where one of many has it, less where all have it. */
export function rarityOf(profiles: readonly ToolProfile[]): ReadonlyMap<string, number> {
  const owners = new Map<string, number>()
  for (const { weights } of profiles)
    for (const word of weights.keys()) owners.set(word, (owners.get(word) ?? 0) + 1)
  const most = Math.log(1 + profiles.length)
  return new Map(
    [...owners].map(([word, count]) => [word, 0.5 + (0.5 * Math.log(1 + profiles.length / count)) / most]),
  )
}
