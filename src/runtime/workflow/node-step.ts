// A node's attempt as the engine holds it: what its row says, and what this process knows beyond.

import type { RunId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import type { StoredText } from '../journal/message-store.ts'
import type { StepRow } from '../journal/step-store.ts'

export interface NodeStep {
  readonly seq: number
  readonly path: string
  readonly kind: StepRow['kind']
  /** The tool's, agent's or workflow's name, or the node's id. */
  readonly name: string
  readonly attempt: number
  readonly effect: StepRow['effect']
  readonly idempotencyKey: string
  readonly childRunId: RunId | null
  state: StepRow['state']
  waitingReason: StepRow['waitingReason']
  dueAt: EpochMs | null
  startedAt: EpochMs
  finishedAt: EpochMs | null
  /** Intended by an earlier process, which may have made the call. */
  stale: boolean
  /** This process has made the call, or an earlier one may have. */
  made: boolean
  error: { readonly code: string; readonly message: string } | undefined
  /** Where they were stored; what this process has itself is not read back. */
  readonly stored: { input: StoredText; output: StoredText }
  input: Json | undefined
  output: Json | undefined
}

export function stepOf(row: StepRow, stale: boolean): NodeStep {
  return {
    seq: row.seq,
    path: row.path ?? '',
    kind: row.kind,
    name: row.name,
    attempt: row.attempt,
    effect: row.effect,
    idempotencyKey: row.idempotencyKey ?? '',
    childRunId: row.childRunId,
    state: row.state,
    waitingReason: row.waitingReason,
    dueAt: row.dueAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    stale: stale && row.state === 'intended',
    made: stale && row.state === 'intended',
    error:
      row.errorCode === null
        ? undefined
        : { code: row.errorCode, message: row.errorMessage ?? row.errorCode },
    stored: {
      input: { inline: row.input, hash: row.inputHash },
      output: { inline: row.output, hash: row.outputHash },
    },
    input: undefined,
    output: undefined,
  }
}
