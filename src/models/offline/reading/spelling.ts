// Whether two words are the same but for a typing error or an ending. Pure.

const FUZZY_CHARS_MIN = 4
const STEM_CHARS_MIN = 5
const ENDING_CHARS_MAX = 4

/** One letter wrong, missing, too much or changed with its neighbour; the first letter is mostly typed right. */
export function isMistyped(typed: string, word: string): boolean {
  const longer = Math.max(typed.length, word.length)
  if (longer <= FUZZY_CHARS_MIN || typed[0] !== word[0] || /\d/.test(typed + word)) return false
  if (Math.abs(typed.length - word.length) > 1 || typed === word) return false
  let at = 0
  while (typed[at] === word[at]) at += 1
  const rest = (text: string, from: number): string => text.slice(from)
  if (typed.length > word.length) return rest(typed, at + 1) === rest(word, at)
  if (typed.length < word.length) return rest(typed, at) === rest(word, at + 1)
  if (rest(typed, at + 1) === rest(word, at + 1)) return true
  return (
    typed[at] === word[at + 1] && typed[at + 1] === word[at] && rest(typed, at + 2) === rest(word, at + 2)
  )
}

/** `paginat` and `paginate`: one begins with the other. */
export function isSameBeginning(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one]
  return (
    short.length >= STEM_CHARS_MIN && long.length - short.length <= ENDING_CHARS_MAX && long.startsWith(short)
  )
}
