// Evaluates an arithmetic expression, exactly where arithmetic is exact. No variables, no code.

import {
  add,
  compare,
  divide,
  type Fraction,
  floor,
  fraction,
  fromDecimal,
  isWhole,
  multiply,
  negate,
  power,
  remainder,
  subtract,
  toNumber,
} from './fraction.ts'

export const ARITHMETIC_CHARS_MAX = 1_000
const DEPTH_MAX = 100

/** What is wrong with the expression, and where (from 1). */
export class ArithmeticError extends Error {
  override readonly name = 'ArithmeticError'
  constructor(message: string, at?: number) {
    super(at === undefined ? message : `${message} at character ${at + 1}`)
  }
}

/**
 * The value of an expression of numbers, `+ - * / % ^` (also `**`, `×`, `÷`), parentheses and the functions
 * abs, min, max, round, floor, ceil, sqrt, pow; the constants pi and e. `^` binds to the right and before a
 * sign, as in mathematics: -2^2 is -4. `15%` is 0.15, `15% of 80` is 12, and after plus or minus a percentage
 * is of what stands before, as on a pocket calculator: 80 + 15% is 92. Between two operands `%` is the rest.
 * Throws `ArithmeticError`, and `TooLargeError` for numbers of more than about 1,200 digits.
 */
export function evaluateArithmetic(source: string): Fraction {
  if (source.length > ARITHMETIC_CHARS_MAX) {
    throw new ArithmeticError(`it is longer than ${ARITHMETIC_CHARS_MAX} characters`)
  }
  const reader: Reader = { tokens: tokenize(source), at: 0, depth: 0 }
  const value = readSum(reader)
  const rest = reader.tokens[reader.at]
  if (rest !== undefined) throw new ArithmeticError(`unexpected "${rest.text}"`, rest.start)
  return value
}

interface Token {
  readonly type: 'number' | 'name' | 'sign'
  readonly text: string
  readonly start: number
}

interface Reader {
  readonly tokens: readonly Token[]
  at: number
  depth: number
}

const TOKEN =
  /\s*(?:((?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)|([a-z]+)|(\*\*|[-+*/%^(),×÷−·]))/iy
const SIGNS: Readonly<Record<string, string>> = { '**': '^', '×': '*', '·': '*', '÷': '/', '−': '-' }

function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (source.slice(at).trim() !== '') {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(source)
    if (match === null) {
      const start = source.length - source.slice(at).trimStart().length
      throw new ArithmeticError(`unexpected "${source.charAt(start)}"`, start)
    }
    at = TOKEN.lastIndex
    const [, number, name, sign = ''] = match
    const text = number ?? name ?? sign
    const start = at - text.length
    if (number !== undefined) tokens.push(...numberTokens(number, start, tokens))
    else if (name !== undefined) tokens.push({ type: 'name', text: name.toLowerCase(), start })
    else tokens.push({ type: 'sign', text: SIGNS[sign] ?? sign, start })
  }
  return tokens
}

/** `1,234` is one number, but inside the parentheses of a function the comma separates: max(1,234). */
function numberTokens(text: string, start: number, before: readonly Token[]): Token[] {
  if (!text.includes(',')) return [{ type: 'number', text, start }]
  let open = 0
  let inFunction = false
  for (const [index, token] of before.entries()) {
    if (token.text === '(' && (open > 0 || before[index - 1]?.type === 'name')) open += 1
    else if (token.text === ')' && open > 0) open -= 1
    inFunction = open > 0
  }
  if (!inFunction) return [{ type: 'number', text: text.replaceAll(',', ''), start }]
  return text.split(',').flatMap<Token>((part, index) => {
    const number: Token = { type: 'number', text: part, start }
    return index === 0 ? [number] : [{ type: 'sign', text: ',', start }, number]
  })
}

function readSum(reader: Reader): Fraction {
  reader.depth += 1
  if (reader.depth > DEPTH_MAX) throw new ArithmeticError('it has too many parentheses')
  let left = readProduct(reader).value
  for (let sign = take(reader, '+', '-'); sign !== undefined; sign = take(reader, '+', '-')) {
    const right = readProduct(reader)
    const value = right.percent ? multiply(left, right.value) : right.value
    left = sign.text === '+' ? add(left, value) : subtract(left, value)
  }
  reader.depth -= 1
  return left
}

interface Operand {
  readonly value: Fraction
  /** It is a percentage and nothing else. */
  readonly percent: boolean
}

function readProduct(reader: Reader): Operand {
  let left = readSigned(reader)
  for (let sign = takeProduct(reader); sign !== undefined; sign = takeProduct(reader)) {
    const right = readSigned(reader).value
    if (right.numerator === 0n && (sign.text === '/' || sign.text === '%')) {
      throw new ArithmeticError('division by zero', sign.start)
    }
    const operation = sign.text === '/' ? divide : sign.text === '%' ? remainder : multiply
    left = { value: operation(left.value, right), percent: false }
  }
  return left
}

function takeProduct(reader: Reader): Token | undefined {
  return take(reader, '*', '/', '%', 'of', 'x')
}

function readSigned(reader: Reader): Operand {
  const sign = take(reader, '-', '+')
  if (sign === undefined) return readPower(reader)
  reader.depth += 1
  if (reader.depth > DEPTH_MAX) throw new ArithmeticError('it has too many signs in a row')
  const operand = readSigned(reader)
  reader.depth -= 1
  return sign.text === '-' ? { ...operand, value: negate(operand.value) } : operand
}

function readPower(reader: Reader): Operand {
  const base = readPercent(reader)
  const sign = take(reader, '^')
  if (sign === undefined) return base
  const exponent = readSigned(reader).value
  return { value: raise(base.value, exponent, sign.start), percent: false }
}

function readPercent(reader: Reader): Operand {
  const value = readPrimary(reader)
  const next = reader.tokens[reader.at + 1]
  const startsOperand =
    next !== undefined && (next.type === 'number' || next.text === '(' || isNamedOperand(next))
  if (startsOperand || take(reader, '%') === undefined) return { value, percent: false }
  return { value: divide(value, fraction(100n)), percent: true }
}

function isNamedOperand(token: Token): boolean {
  return token.type === 'name' && token.text !== 'of' && token.text !== 'x'
}

function readPrimary(reader: Reader): Fraction {
  const token = reader.tokens[reader.at]
  if (token === undefined) throw new ArithmeticError('it ends too early')
  reader.at += 1
  if (token.type === 'number') return fromDecimal(token.text)
  if (token.text === '(') {
    const value = readSum(reader)
    close(reader)
    return value
  }
  if (token.type === 'name') return readNamed(reader, token)
  throw new ArithmeticError(`unexpected "${token.text}"`, token.start)
}

function readNamed(reader: Reader, token: Token): Fraction {
  const constant = token.text === 'pi' ? Math.PI : token.text === 'e' ? Math.E : undefined
  if (constant !== undefined) return approximate(constant, token.start)
  const known = Object.hasOwn(FUNCTIONS, token.text) ? FUNCTIONS[token.text] : undefined
  if (known === undefined) {
    const names = Object.keys(FUNCTIONS).join(', ')
    throw new ArithmeticError(`unknown name "${token.text}" (only numbers and ${names}, pi, e)`, token.start)
  }
  if (take(reader, '(') === undefined)
    throw new ArithmeticError(`"${token.text}" needs parentheses`, token.start)
  const values = [readSum(reader)]
  while (take(reader, ',') !== undefined) values.push(readSum(reader))
  close(reader)
  if (values.length < known.min || values.length > known.max) {
    const wanted =
      known.max === Infinity
        ? `${known.min} or more`
        : known.min === known.max
          ? known.min
          : `${known.min} or ${known.max}`
    throw new ArithmeticError(`"${token.text}" takes ${wanted} numbers, not ${values.length}`, token.start)
  }
  return known.call(values, token.start)
}

interface ArithmeticFunction {
  readonly min: number
  readonly max: number
  call(values: readonly Fraction[], at: number): Fraction
}

const ZERO = fraction(0n)
const HALF = fraction(1n, 2n)

const FUNCTIONS: Readonly<Record<string, ArithmeticFunction>> = {
  abs: { min: 1, max: 1, call: ([value = ZERO]) => (value.numerator < 0n ? negate(value) : value) },
  min: { min: 1, max: Infinity, call: (values) => values.reduce((a, b) => (compare(b, a) < 0 ? b : a)) },
  max: { min: 1, max: Infinity, call: (values) => values.reduce((a, b) => (compare(b, a) > 0 ? b : a)) },
  round: { min: 1, max: 2, call: ([value = ZERO, places = ZERO], at) => round(value, places, at) },
  floor: { min: 1, max: 1, call: ([value = ZERO]) => floor(value) },
  ceil: { min: 1, max: 1, call: ([value = ZERO]) => negate(floor(negate(value))) },
  sqrt: { min: 1, max: 1, call: ([value = ZERO], at) => raise(value, HALF, at) },
  pow: {
    min: 2,
    max: 2,
    call: ([base = ZERO, exponent = ZERO], at) => raise(base, exponent, at),
  },
}

/** Half away from zero, as in commerce. */
function round(value: Fraction, places: Fraction, at: number): Fraction {
  if (!isWhole(places) || compare(places, fraction(-30n)) < 0 || compare(places, fraction(30n)) > 0) {
    throw new ArithmeticError('the places of "round" must be a whole number from -30 to 30', at)
  }
  const scale = power(fraction(10n), places.numerator)
  const scaled = multiply(value, scale)
  const rounded = scaled.numerator < 0n ? negate(floor(add(negate(scaled), HALF))) : floor(add(scaled, HALF))
  return divide(rounded, scale)
}

/** Exact for whole exponents and for roots that come out even, else as exact as a double. */
function raise(base: Fraction, exponent: Fraction, at: number): Fraction {
  if (base.numerator === 0n && exponent.numerator < 0n) throw new ArithmeticError('division by zero', at)
  if (isWhole(exponent)) return power(base, exponent.numerator)
  if (base.numerator < 0n) throw new ArithmeticError('the root of a negative number', at)
  const root = compare(exponent, HALF) === 0 ? evenRoot(base) : undefined
  return root ?? approximate(toNumber(base) ** toNumber(exponent), at)
}

function evenRoot(value: Fraction): Fraction | undefined {
  const root = fraction(wholeRoot(value.numerator), wholeRoot(value.denominator))
  return compare(multiply(root, root), value) === 0 ? root : undefined
}

/** The largest integer whose square is not above the value (Newton's method). */
function wholeRoot(value: bigint): bigint {
  if (value < 2n) return value
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2))
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

function approximate(value: number, at: number): Fraction {
  if (!Number.isFinite(value)) throw new ArithmeticError('the number is too large', at)
  const text = String(value)
  return text.startsWith('-') ? negate(fromDecimal(text.slice(1))) : fromDecimal(text)
}

function take(reader: Reader, ...texts: readonly string[]): Token | undefined {
  const token = reader.tokens[reader.at]
  if (token === undefined || token.type === 'number' || !texts.includes(token.text)) return undefined
  reader.at += 1
  return token
}

function close(reader: Reader): void {
  if (take(reader, ')') !== undefined) return
  const token = reader.tokens[reader.at]
  if (token === undefined) throw new ArithmeticError('a parenthesis is not closed')
  throw new ArithmeticError(`expected ")" instead of "${token.text}"`, token.start)
}
