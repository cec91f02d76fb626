// A node failed, and nothing in its block takes care of it.

import type { EpochMs } from '../../base/time.ts'

export class NodeFailed extends Error {
  override readonly name = 'NodeFailed'
  /** One of the error codes, as the step's row has it. */
  readonly code: string
  readonly path: string
  readonly seq: number
  readonly at: EpochMs

  constructor(failure: {
    readonly code: string
    readonly message: string
    readonly path: string
    readonly seq: number
    readonly at: EpochMs
  }) {
    super(failure.message)
    this.code = failure.code
    this.path = failure.path
    this.seq = failure.seq
    this.at = failure.at
  }
}
