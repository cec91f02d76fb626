// Finds arithmetic in plain text: `12*7`, `15% of 80`, `three hundred` is left alone. It finds, it does not calculate.

/** Words for operators, as people write them. */
const SPOKEN: readonly (readonly [pattern: RegExp, symbol: string])[] = [
  [/\b(?:add|(?:the )?sum of)\s+(\d+(?:\.\d+)?)\s+(?:and|to|plus)\s+(?=\d)/gi, '$1 + '],
  [/\bsubtract\s+(\d+(?:\.\d+)?)\s+from\s+(\d+(?:\.\d+)?)/gi, '$2 - $1'],
  [/\b(?:multiply|(?:the )?product of)\s+(\d+(?:\.\d+)?)\s+(?:by|and|with)\s+(?=\d)/gi, '$1 * '],
  [/\bdivide\s+(\d+(?:\.\d+)?)\s+by\s+(?=\d)/gi, '$1 / '],
  [/(\d)\s*%\s+of\s+/gi, '$1 / 100 * '],
  [/(\d)\s+percent\s+of\s+/gi, '$1 / 100 * '],
  [/\b(?:the\s+)?square root of\s+(\d+(?:\.\d+)?)/gi, 'sqrt($1)'],
  [/(\d)\s+squared\b/gi, '$1 ^ 2'],
  [/(\d)\s+cubed\b/gi, '$1 ^ 3'],
  [/([\d)])\s+(?:to the power of|raised to)\s+(?=[\d(])/gi, '$1 ^ '],
  [/([\d)])\s+(?:multiplied by|times)\s+(?=[\d(])/gi, '$1 * '],
  [/([\d)])\s*[x×]\s*(?=[\d(])/gi, '$1 * '],
  [/([\d)])\s+(?:divided by|over)\s+(?=[\d(])/gi, '$1 / '],
  [/([\d)])\s*÷\s*(?=[\d(])/gi, '$1 / '],
  [/([\d)])\s+plus\s+(?=[\d(])/gi, '$1 + '],
  [/([\d)])\s+(?:minus|less)\s+(?=[\d(])/gi, '$1 - '],
  [/([\d)])\s*[−–]\s*(?=[\d(])/gi, '$1 - '],
  [/\*\*/g, '^'],
  [/[$€£](?=\d)/g, ''],
  [/(\d),(?=\d{3}(?!\d))/g, '$1'],
]
/** Things of digits and dashes that are no arithmetic: dates, times, versions, ids, phone numbers. */
const NO_ARITHMETIC =
  /\b\d{4}-\d{2}-\d{2}(?:T[\d:.]+Z?)?\b|\b\d{1,2}:\d{2}\b|\b\d+\.\d+\.\d+\b|\b[\p{L}_]+[-_/]\d[\w-]*|\bhttps?:\/\/\S+|#\d+/gu
const TOKEN =
  /\d+(?:\.\d+)?(?:e[+-]?\d+)?|[-+*/^%()]|\b(?:sqrt|abs|round|floor|ceil|min|max|log|ln|sin|cos|tan|pow)(?=\()|,/gi
const FUNCTION = /^[a-z]/i
/** What people write before a sum; it makes `10-3` a sum and not a range. */
const CUE =
  /(?:what(?:'s| is| are)?|whats|calculate|compute|evaluate|solve|how much (?:is|are)|result of|value of|work out|=)\s*:?\s*$/i
const SEARCHED_CHARS_MAX = 2_000

/** The longest expression of a text, written with single spaces, e.g. `12 * 7`, or undefined where there is none. */
export function findArithmetic(text: string): string | undefined {
  let plain = text.slice(0, SEARCHED_CHARS_MAX).replace(NO_ARITHMETIC, ' ; ')
  for (const [pattern, symbol] of SPOKEN) plain = plain.replace(pattern, symbol)
  let best: readonly string[] = []
  for (const run of runsOf(plain)) {
    const tokens = wellFormed(run.tokens)
    if (tokens.length > best.length && isMeant(tokens, plain, run)) best = tokens
  }
  return best.length === 0 ? undefined : write(best)
}

interface Run {
  readonly tokens: readonly string[]
  readonly start: number
  readonly end: number
}

/** Stretches of tokens with nothing but spaces between them. */
function runsOf(text: string): readonly Run[] {
  const runs: Run[] = []
  let tokens: string[] = []
  let start = 0
  let end = 0
  for (const match of text.matchAll(TOKEN)) {
    if (tokens.length > 0 && text.slice(end, match.index).trim() !== '') {
      runs.push({ tokens, start, end })
      tokens = []
    }
    if (tokens.length === 0) start = match.index
    tokens.push(match[0])
    end = match.index + match[0].length
  }
  if (tokens.length > 0) runs.push({ tokens, start, end })
  return runs
}

/** The longest beginning of the tokens that is an expression with at least one operation; empty where there is none. */
function wellFormed(tokens: readonly string[]): readonly string[] {
  const from = tokens.findIndex((token) => /^[\d(-]/.test(token) || FUNCTION.test(token))
  if (from < 0) return []
  let depth = 0
  let wantsOperand = true
  let operations = 0
  let good = 0
  const list = tokens.slice(from)
  for (const [index, token] of list.entries()) {
    if (/^\d/.test(token)) {
      if (!wantsOperand) break
      wantsOperand = false
    } else if (token === '(') {
      if (!wantsOperand) break
      depth += 1
    } else if (token === ')') {
      if (wantsOperand || depth === 0) break
      depth -= 1
    } else if (FUNCTION.test(token)) {
      if (!wantsOperand) break
      operations += 1
    } else if (token === '-' && wantsOperand) {
      // A sign.
    } else if (token === ',') {
      if (depth === 0 || wantsOperand) break
      wantsOperand = true
    } else {
      if (wantsOperand) break
      wantsOperand = true
      operations += 1
    }
    if (!wantsOperand && depth === 0 && operations > 0) good = index + 1
  }
  return list.slice(0, good)
}

/** `24/7 support` and `pages 10-20` are no sums; a spaced operator, another operator, or a cue before it makes it one. */
function isMeant(tokens: readonly string[], text: string, run: Run): boolean {
  if (tokens.some((token) => /^[+*^%(]$/.test(token) || FUNCTION.test(token))) return true
  if (/\d\s+[-/]\s+\d/.test(text.slice(run.start, run.end))) return true
  return CUE.test(text.slice(0, run.start)) || text.trim().length === run.end - run.start
}

function write(tokens: readonly string[]): string {
  let text = ''
  let wantsOperand = true
  for (const token of tokens) {
    const isOperator = /^[-+*/^%]$/.test(token)
    const isSign = token === '-' && wantsOperand
    if (isOperator && !isSign) text += ` ${token} `
    else text += token === ',' ? ', ' : token
    wantsOperand = isOperator || token === '(' || token === ','
  }
  return text
}
