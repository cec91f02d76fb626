// How many tokens a text is for a model: exact where the model's encoding is published, else a range that says what it
// stands on. The tables of the tokeniser are loaded when they are first needed.

export interface TokenCount {
  readonly low: number
  readonly expected: number
  readonly high: number
  readonly method: 'exact' | 'approximate'
  readonly basis: string
}

/**
 * Merging is quadratic in the length of a run of one kind of character: a longer one would hold the process for seconds,
 * so such a text is counted by its length.
 */
export const RUN_CHARS_MAX = 256
const LONG_RUN = new RegExp(
  `[\\p{L}\\p{M}]{${RUN_CHARS_MAX},}|\\s{${RUN_CHARS_MAX},}|[^\\s\\p{L}\\p{N}]{${RUN_CHARS_MAX},}`,
  'u',
)
/** Other makers' tokenisers, compared with o200k_base: from four fifths of its count to twice it. */
const OTHERS_LOW = 0.8
const OTHERS_HIGH = 2
/** By length alone: a token is seldom more than eight characters, and never less than a byte. */
const CHARS_PER_TOKEN = 4
const CHARS_PER_TOKEN_MAX = 8

export async function countTokens(model: string, text: string): Promise<TokenCount> {
  if (LONG_RUN.test(text)) return byLength(text)
  const encoding = await encodingOf(model)
  if (encoding === undefined) {
    const count = (await counterOf('o200k_base'))(text)
    return {
      low: Math.floor(count * OTHERS_LOW),
      expected: count,
      high: Math.ceil(count * OTHERS_HIGH),
      method: 'approximate',
      basis: `counted as o200k_base, from ${OTHERS_LOW} to ${OTHERS_HIGH} times that: the model's own tokeniser is not public`,
    }
  }
  const count = (await counterOf(encoding))(text)
  return { low: count, expected: count, high: count, method: 'exact', basis: `the text in ${encoding}` }
}

function byLength(text: string): TokenCount {
  return {
    low: Math.floor(text.length / CHARS_PER_TOKEN_MAX / CHARS_PER_TOKEN_MAX),
    expected: Math.ceil(text.length / CHARS_PER_TOKEN),
    high: new TextEncoder().encode(text).length,
    method: 'approximate',
    basis: 'by length: the text has a run of one kind of character that is too long to be counted',
  }
}

type Encoding = 'o200k_base' | 'cl100k_base'

/** OpenAI's models by exact name, as the tokeniser's own list has them; nothing is guessed from a similar name. */
async function encodingOf(model: string): Promise<Encoding | undefined> {
  const [, name] = /^openai\/(.+)$/.exec(model) ?? []
  if (name === undefined) return undefined
  const models: object = await import('gpt-tokenizer/models')
  if (!Object.hasOwn(models, name)) return undefined
  const { DEFAULT_ENCODING, modelToEncodingMap } = await import('gpt-tokenizer/mapping')
  const older: Readonly<Record<string, string>> = modelToEncodingMap
  const encoding = Object.hasOwn(older, name) ? older[name] : DEFAULT_ENCODING
  return encoding === 'o200k_base' || encoding === 'cl100k_base' ? encoding : undefined
}

async function counterOf(encoding: Encoding): Promise<(text: string) => number> {
  const { countTokens: count } =
    encoding === 'o200k_base'
      ? await import('gpt-tokenizer/encoding/o200k_base')
      : await import('gpt-tokenizer/encoding/cl100k_base')
  // What looks like a control token is a text like any other.
  return (text) => count(text, { disallowedSpecial: new Set() })
}
