// What an attempt at a model asks, and how the prompt log refers to it.

import type { ModelRequest } from '../../models/model.ts'

export interface Prompt {
  readonly kind: 'model' | 'compaction'
  readonly request: Omit<ModelRequest, 'model' | 'onDelta'>
  readonly head: { readonly hash: string; readonly content: string }
  /** The run's messages up to here belong to the prompt; 0 where the head holds all. */
  readonly messagesUntil: number
}
