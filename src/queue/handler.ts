// What a worker does with a job of some kind. Handlers are given to the worker; queue/ knows no run.

import type { Json } from '../base/json.ts'
import type { EpochMs } from '../base/time.ts'
import type { SystemTransaction, TenantTransaction } from '../storage/database.ts'
import type { ClaimedJob } from './job.ts'

/** How a job's turn came to an end. */
export type JobEnd =
  /** The worker settles it: for good. */
  | { readonly status: 'done' }
  /** The worker schedules another attempt with exponential backoff and full jitter, or gives the job up: `dead`. */
  | {
      readonly status: 'failed'
      readonly error: { readonly code: string; readonly message: string }
      /** Another attempt would meet the same: the job is dead at once. */
      readonly retryable: boolean
      /** Not sooner than this from now, as the other side asked (`Retry-After`). */
      readonly retryAfterMs?: number | undefined
    }
  /** No worker of this kind can do it: it waits, visibly, for one that can. */
  | { readonly status: 'unroutable'; readonly error: { readonly code: string; readonly message: string } }
  /** Not finished, and no attempt burned: somebody else goes on. */
  | { readonly status: 'released' }
  /** The handler has settled it itself, in its own transaction; or the lease was lost. */
  | { readonly status: 'settled' }

/** What a handler has of the worker while it does a job. */
export interface JobControl {
  /** Aborts when the job is cancelled, the worker stops for good, or the lease was lost; the reason says which. */
  readonly signal: AbortSignal
  /** Aborts earlier: the worker drains, and the job should come to a place where it can be released. */
  readonly draining: AbortSignal
  reason(): 'cancelled' | 'shutdown' | 'lost' | undefined
  /** Stored with the next heartbeat. */
  progress(value: Json): void
}

export interface JobHandler<A = unknown> {
  /**
   * Called in the transaction of the claim, so that taking a job and taking what it drives are one. Undefined: there is
   * nothing left to do, and the worker settles the job as done in the same transaction.
   */
  adopt?(tx: SystemTransaction, job: ClaimedJob, at: EpochMs): Promise<A | undefined>
  /** Must not throw; what it throws all the same counts as a failed attempt that may be retried. */
  run(job: ClaimedJob, adopted: A, control: JobControl): Promise<JobEnd>
  /** Called in the heartbeat's transaction: what else somebody asked of the job. True: cancel it. */
  beat?(tx: TenantTransaction, job: ClaimedJob): Promise<boolean>
  /**
   * Called before the worker gives the job up: answers what ends with it, in the transaction in which it becomes `dead`,
   * and what is to be told once that is on disk.
   */
  bury?(job: ClaimedJob, error: { readonly code: string; readonly message: string }): Promise<Burial>
}

export interface Burial {
  write(tx: TenantTransaction): Promise<void>
  written(): void
}
