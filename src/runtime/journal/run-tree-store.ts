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

/** What the calls of tools with a price have cost in each run below a root. */
export const toolCostsBelow = statement('runs.tool-costs-below', (db, p: Bind<{ rootRunId: RunId }>) =>
  db
    .selectFrom('runs')
    .innerJoin('costs', (join) =>
      join.onRef('costs.tenantId', '=', 'runs.tenantId').onRef('costs.runId', '=', 'runs.id'),
    )
    .select(['runs.id as runId', 'costs.amountNanos'])
    .where('runs.tenantId', '=', p.tenantId)
    .where('costs.tenantId', '=', p.tenantId)
    .where('runs.rootRunId', '=', p.rootRunId)
    .where('runs.parentRunId', 'is not', null)
    .where('costs.type', '=', 'TOOL_USAGE'),
)

/** The same of one run. */
export const toolCostsOf = statement('runs.tool-costs', (db, p: Bind<{ runId: RunId }>) =>
  db
    .selectFrom('costs')
    .select('amountNanos')
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId)
    .where('type', '=', 'TOOL_USAGE'),
)

/** Attempts at models and calls of tools below a root that nobody has ended. */
export const openPaidBelow = statement('runs.open-paid-below', (db, p: Bind<{ rootRunId: RunId }>) =>
  db
    .selectFrom('runs')
    .innerJoin('steps', (join) =>
      join.onRef('steps.tenantId', '=', 'runs.tenantId').onRef('steps.runId', '=', 'runs.id'),
    )
    .select(['steps.runId', 'steps.seq', 'steps.kind', 'steps.name', 'steps.state'])
    .where('runs.tenantId', '=', p.tenantId)
    .where('steps.tenantId', '=', p.tenantId)
    .where('runs.rootRunId', '=', p.rootRunId)
    .where('runs.parentRunId', 'is not', null)
    .where('runs.state', 'in', [...statesBefore('cancelled')])
    .where('steps.kind', 'in', ['model', 'compaction', 'tool'])
    .where('steps.state', '=', 'intended'),
)
