// What the last runs of a version cost, whole: with all that they called.

import type { AgentId, RunId } from '../../../base/ids.ts'
import type { Nanos } from '../../../base/money.ts'
import type { TenantReader } from '../../../storage/database.ts'
import { textsOf } from '../../../storage/dialect.ts'
import { type Bind, statement } from '../../../storage/statement.ts'

/** How many of the last runs are looked at. */
export const HISTORY_RUNS_MAX = 200

export interface RunHistory {
  /** Of runs whose whole cost is known; undefined where there is none. */
  readonly cost: { readonly p50: Nanos; readonly p95: Nanos; readonly sample: number } | undefined
  readonly tokens: { readonly p50: number; readonly p95: number; readonly sample: number } | undefined
  readonly unpricedRuns: number
}

/** Runs that completed, that nobody called and that replay nothing, the last ones first. */
export async function runHistory(
  reader: TenantReader,
  agentId: AgentId,
  version: number,
): Promise<RunHistory> {
  const runs = await reader.all(lastRuns, { agentId, version, limit: HISTORY_RUNS_MAX })
  const below = await reader.all(sumsBelow, { roots: JSON.stringify(runs.map(({ id }) => id)) })
  const belowOf = new Map(below.map((sum) => [sum.rootRunId, sum]))
  const whole = runs.map((run) => {
    const called = belowOf.get(run.id)
    return {
      costNanos: run.costNanos + (called?.sumNanos ?? 0n),
      tokens: run.inputTokens + run.outputTokens + (called?.tokens ?? 0),
      unpriced: run.unpricedCount + (called?.unpriced ?? 0),
    }
  })
  const priced = whole.filter(({ unpriced }) => unpriced === 0)
  const costs = priced.map(({ costNanos }) => costNanos).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const tokens = whole.map((run) => run.tokens).sort((a, b) => a - b)
  return { cost: percentiles(costs), tokens: percentiles(tokens), unpricedRuns: whole.length - priced.length }
}

/** By nearest rank: a value that was really there. */
function percentiles<T>(sorted: readonly T[]): { p50: T; p95: T; sample: number } | undefined {
  const rank = (share: number): T | undefined => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  const p50 = rank(0.5)
  const p95 = rank(0.95)
  return p50 === undefined || p95 === undefined ? undefined : { p50, p95, sample: sorted.length }
}

const lastRuns = statement(
  'costs.last-runs',
  (db, p: Bind<{ readonly agentId: AgentId; readonly version: number; readonly limit: number }>) =>
    db
      .selectFrom('runs')
      .select(['id', 'costNanos', 'inputTokens', 'outputTokens', 'unpricedCount'])
      .where('tenantId', '=', p.tenantId)
      .where('definitionId', '=', p.agentId)
      .where('definitionVersion', '=', p.version)
      .where('state', '=', 'completed')
      .where('parentRunId', 'is', null)
      .where('replayOf', 'is', null)
      .orderBy('id', 'desc')
      .limit(p.limit),
)

const sumsBelow = statement('costs.sums-below', (db, p: Bind<{ readonly roots: string }>, dialect) =>
  db
    .selectFrom('runs')
    .select((eb) => [
      'rootRunId',
      eb.fn.sum<bigint>('costNanos').as('sumNanos'),
      eb.fn.sum<number>(eb('inputTokens', '+', eb.ref('outputTokens'))).as('tokens'),
      eb.fn.sum<number>('unpricedCount').as('unpriced'),
    ])
    .where('tenantId', '=', p.tenantId)
    .where('rootRunId', 'in', textsOf<RunId>(dialect, p.roots))
    .where('parentRunId', 'is not', null)
    .groupBy('rootRunId'),
)
