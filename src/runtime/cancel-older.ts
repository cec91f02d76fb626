// The policy `cancel` of a publish: runs of other versions that were in flight are asked to stop. It is a job, put in the
// queue by the transaction that publishes, so that a process that dies in between leaves nothing half done.

import { isAppError } from '../base/errors.ts'
import { type ApiKeyId, type DefinitionId, newId, type RunId, type UserId } from '../base/ids.ts'
import type { Clock, EpochMs } from '../base/time.ts'
import type { Principal } from '../contract/principal.ts'
import { enqueueJob } from '../queue/enqueue.ts'
import type { JobHandler } from '../queue/handler.ts'
import type { Database, TenantTransaction } from '../storage/database.ts'
import type { Bind } from '../storage/statement.ts'
import { statement } from '../storage/statement.ts'
import { type CancelRunDeps, cancelRun } from './cancel-run.ts'

export const CANCEL_OLDER = 'cancel-older'
/** How many runs are looked for at a time. */
const BATCH = 50

/** Who published what, as the job has it. */
interface Order {
  readonly definitionId: DefinitionId
  readonly version: number
  readonly publishedAt: EpochMs
  readonly userId: UserId
  readonly apiKeyId: ApiKeyId | null
  readonly requestId: string | null
}

/** Orders it, in the transaction that published. The same publish again orders it again. */
export async function orderCancelOlder(
  tx: TenantTransaction,
  { userId, apiKeyId }: Principal,
  definitionId: DefinitionId,
  context: { readonly requestId: string | undefined },
  at: EpochMs,
): Promise<void> {
  const version = (await tx.first(publishedVersion, { id: definitionId }))?.publishedVersion
  if (version == null) return
  const requestId = context.requestId ?? null
  const order: Order = {
    definitionId,
    version,
    publishedAt: at,
    userId,
    apiKeyId: apiKeyId ?? null,
    requestId,
  }
  await enqueueJob(tx, { id: newId('job', at), kind: CANCEL_OLDER, payload: JSON.stringify(order), at })
}

/** Asks them to stop, in batches. Taken up again, it goes on: a run that was asked is not found again. */
export function cancelOlderHandler(
  deps: CancelRunDeps & { readonly db: Database; readonly clock: Clock },
): JobHandler<true> {
  return {
    adopt: async () => true,
    async run(job, _adopted, control) {
      const order = JSON.parse(job.payload ?? 'null') as Order
      const { definitionId, version, publishedAt, userId, apiKeyId } = order
      const principal = { tenantId: job.tenantId, userId, apiKeyId: apiKeyId ?? undefined }
      const context = { requestId: order.requestId ?? undefined }
      let asked = 0
      for (let after = '' as RunId; ; ) {
        const runs = await deps.db
          .tenant(job.tenantId)
          .read((reader) =>
            reader.all(olderRuns, { definitionId, version, publishedAt, after, limit: BATCH }),
          )
        for (const { id } of runs) {
          if (control.signal.aborted || control.draining.aborted) return { status: 'released' }
          await cancelRun(deps, principal, id, context).catch((error: unknown) => {
            // It ended by itself meanwhile.
            if (!isAppError(error, 'run.finished')) throw error
          })
          asked += 1
        }
        control.progress({ asked })
        const last = runs.at(-1)
        if (last === undefined) return { status: 'done' }
        after = last.id
      }
    },
  }
}

const publishedVersion = statement('cancel-older.published', (db, p: Bind<{ id: DefinitionId }>) =>
  db
    .selectFrom('definitions')
    .select('publishedVersion')
    .where('tenantId', '=', p.tenantId)
    .where('id', '=', p.id),
)

/** Runs at the top: one below another belongs to what called it, whose definition was not published anew. */
const olderRuns = statement(
  'cancel-older.runs',
  (
    db,
    p: Bind<{
      definitionId: DefinitionId
      version: number
      publishedAt: EpochMs
      after: RunId
      limit: number
    }>,
  ) =>
    db
      .selectFrom('runs')
      .select('id')
      .where('tenantId', '=', p.tenantId)
      .where('definitionId', '=', p.definitionId)
      .where('definitionVersion', '!=', p.version)
      .where('state', 'in', ['queued', 'running', 'waiting'])
      .where('parentRunId', 'is', null)
      .where('cancelRequestedAt', 'is', null)
      .where('createdAt', '<=', p.publishedAt)
      .where('id', '>', p.after)
      .orderBy('id')
      .limit(p.limit),
)
