// How the driving of a run came to an end.

import type { ClaimedJob } from '../../queue/job.ts'
import type { RunRow } from '../journal/run-store.ts'
import type { DriveDeps, RunContext } from './context.ts'
import type { RunEndState } from './finish.ts'
import type { Interruption } from './interruption.ts'

export type DriveEnd =
  | {
      readonly status: 'ended'
      readonly end: RunEndState
      readonly untrusted: boolean
      readonly ctx: RunContext
    }
  | { readonly status: 'waiting' }
  | { readonly status: 'released' }
  /** Another worker has the run, or nothing could be stored: the lease lapses, and the run is taken up again. */
  | { readonly status: 'lost' }

export type Drive = (
  deps: DriveDeps,
  run: RunRow,
  job: ClaimedJob | undefined,
  interruption: Interruption,
  untrusted: boolean,
) => Promise<DriveEnd>
