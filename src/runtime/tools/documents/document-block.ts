// A part of a document, as its reader gives it.

/** A paragraph, or a heading of that level (1 is the highest). */
export interface Block {
  readonly text: string
  /** Where it begins, from 1. */
  readonly line: number
  readonly level?: number
}
