// The runs of a tree, seen from its root or from a caller in it.

import type { RunId } from '../../base/ids.ts'
import type { Bind } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'
import { statesBefore } from '../run-state.ts'

/** The runs below a root that have not ended. */
export const openDescendants = statement('runs.open-descendants', (db, p: Bind<{ rootRunId: RunId }>) =>
  db
    .selectFrom('runs')
    .selectAll()
    .where('tenantId', '=', p.tenantId)
    .where('rootRunId', '=', p.rootRunId)
    .where('parentRunId', 'is not', null)
    .where('state', 'in', [...statesBefore('cancelled')]),
)

/** The runs below a root that are driven now although somebody asked for them to be cancelled. */
export const cancelledBelow = statement('runs.cancelled-below', (db, p: Bind<{ rootRunId: RunId }>) =>
  db
    .selectFrom('runs')
    .select('id')
    .where('tenantId', '=', p.tenantId)
    .where('rootRunId', '=', p.rootRunId)
    .where('parentRunId', 'is not', null)
    .where('state', '=', 'running')
    .where('cancelRequestedAt', 'is not', null),
)

/** What each run below a root has used. */
export const usageBelow = statement('runs.usage-below', (db, p: Bind<{ rootRunId: RunId }>) =>
  db
    .selectFrom('runs')
    .select(['id', 'parentRunId', 'inputTokens', 'outputTokens', 'costNanos', 'unpricedCount'])
    .where('tenantId', '=', p.tenantId)
    .where('rootRunId', '=', p.rootRunId)
    .where('parentRunId', 'is not', null),
)

/** The runs that a run called which wait, and why. */
export const waitingChildren = statement(
  'runs.waiting-children',
  (db, p: Bind<{ rootRunId: RunId; parentRunId: RunId }>) =>
    db
      .selectFrom('runs')
      .select('waitingReason')
      .where('tenantId', '=', p.tenantId)
      .where('rootRunId', '=', p.rootRunId)
      .where('parentRunId', '=', p.parentRunId)
      .where('state', '=', 'waiting'),
)
