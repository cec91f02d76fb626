// How the driving of a run came to an end.

import type { AppError } from '../../base/errors.ts'
import type { ClaimedJob } from '../../queue/job.ts'
import type { RunRow } from '../journal/run-store.ts'
import type { RunTally } from '../run-limits.ts'
import type { Allowance } from './allowance.ts'
import type { DriveDeps } from './context.ts'
import type { RunEndState } from './finish.ts'
import type { Interruption } from './interruption.ts'

export type DriveEnd =
  | {
      readonly status: 'ended'
      readonly end: RunEndState
      readonly untrusted: boolean
      /** What it used, with those below it. */
      readonly tally: RunTally
    }
  | { readonly status: 'waiting' }
  | { readonly status: 'released' }
  /** This worker lacks what the run needs. The run is set aside; what is above it is to be set aside as well. */
  | { readonly status: 'unroutable'; readonly reason: AppError }
  /** Another worker has the run, or nothing could be stored: the lease lapses, and the run is taken up again. */
  | { readonly status: 'lost' }

export type Drive = (
  deps: DriveDeps,
  run: RunRow,
  job: ClaimedJob | undefined,
  interruption: Interruption,
  untrusted: boolean,
  above: Allowance,
) => Promise<DriveEnd>
