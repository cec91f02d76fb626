// Words of documents and queries in the form in which they are compared.

const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a about also an and any are as at be but by can could did do does for from get got had happen happens has have how i if in ' +
    'into is it its just many me mean means much my no not now of on or our please shall should so than that the their them then ' +
    'there these they this to us want was we were what when where which who why will with would you your'
  ).split(' '),
)
const WORD = /[\p{L}\p{N}]+/gu
const WORD_CHARS_MAX = 64

/** The words of a text, as written. */
export function wordsOf(text: string): string[] {
  return text.match(WORD) ?? []
}

/**
 * The compared form of a word: lower case, without accents and without the commonest English endings, so that
 * `refunds`, `refunded` and `refund` are one. Undefined for words that say nothing.
 */
export function compared(word: string): string | undefined {
  const plain = word.slice(0, WORD_CHARS_MAX).toLowerCase().normalize('NFKD').replace(/\p{M}/gu, '')
  return plain === '' || STOP_WORDS.has(plain) ? undefined : stem(plain)
}

/** A light stemmer: only endings whose removal rarely joins different words. */
function stem(word: string): string {
  if (word.length <= 3 || /\d/.test(word)) return word
  if (/ies$/.test(word) && word.length > 4) return `${word.slice(0, -3)}y`
  if (/(?:sses|shes|ches|xes|zes)$/.test(word)) return word.slice(0, -2)
  if (/[^su]s$/.test(word)) return stem(word.slice(0, -1))
  if (/ing$/.test(word) && word.length > 5) return undouble(word.slice(0, -3))
  if (/ed$/.test(word) && word.length > 4) return undouble(word.slice(0, -2))
  return /[^aeiou]e$/.test(word) && word.length > 4 ? word.slice(0, -1) : word
}

/** `shipp(ed)` to `ship`; `return(ed)` and `call(ed)` stay. */
function undouble(word: string): string {
  return /([bdgmnprt])\1$/.test(word) ? word.slice(0, -1) : word
}
