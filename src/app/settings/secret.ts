// A text that must not be seen: it prints as a mask wherever it is logged, joined into a text or made JSON.

export const MASK = '[secret]'

export interface Secret {
  /** The text itself: call it only where the text leaves for its one destination. */
  reveal(): string
  toString(): string
  toJSON(): string
}

/** Holds `text` so that printing the holder, or what contains it, shows a mask. */
export function secret(text: string): Secret {
  return Object.freeze({
    reveal: () => text,
    toString: () => MASK,
    toJSON: () => MASK,
    [Symbol.for('nodejs.util.inspect.custom')]: () => MASK,
  })
}

/** A text of a setting that is no secret, without what a careless address in it would tell: a password, a query. */
export function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^\s/]*@/g, '//(hidden)@').replace(/\?[^\s,]+/g, '?(hidden)')
}
