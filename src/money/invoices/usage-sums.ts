// How much of each metric was accepted in a period. It adds up what the index holds and reads no row.

import { sql } from 'kysely'
import type { EpochMs } from '../../base/time.ts'
import type { Metric, UsageKind } from '../../contract/money.ts'
import type { TenantReader } from '../../storage/database.ts'
import { type Bind, statement } from '../../storage/statement.ts'
import type { UsageSums } from './invoice.ts'

export interface BilledPeriod {
  readonly periodStart: EpochMs
  readonly periodEnd: EpochMs
}

/** The kinds of records that a metric counts. */
export const KINDS_OF_METRIC: Readonly<Record<Metric, readonly UsageKind[]>> = {
  agent_run: ['agent_run'],
  workflow_run: ['workflow_run'],
  token: ['model_call', 'token'],
  tool_call: ['tool_call'],
  blueprint_install: ['blueprint_install'],
  storage: ['storage'],
}

/** Usage is billed in the period in which it was accepted, from its start until just before its end; replays never. */
export async function usageSums(
  reader: TenantReader,
  { periodStart: from, periodEnd: until }: BilledPeriod,
  metrics: readonly Metric[],
): Promise<UsageSums> {
  const sums: Partial<Record<Metric, bigint>> = {}
  for (const metric of metrics) {
    let quantity = 0n
    for (const kind of KINDS_OF_METRIC[metric]) {
      const found = await reader.first(sumOfKind, { kind, from, until })
      quantity += BigInt(found?.quantity ?? '0')
    }
    sums[metric] = quantity
  }
  return sums
}

/** As text: a sum may have more digits than a number is exact to. */
export const sumOfKind = statement(
  'invoices.sum-of-kind',
  (db, p: Bind<{ readonly kind: UsageKind; readonly from: EpochMs; readonly until: EpochMs }>) =>
    db
      .selectFrom('usageRecords')
      .select((eb) => sql<string>`cast(coalesce(${eb.fn.sum('quantity')}, 0) as text)`.as('quantity'))
      .where('tenantId', '=', p.tenantId)
      .where('replay', '=', 0)
      .where('kind', '=', p.kind)
      .where('acceptedAt', '>=', p.from)
      .where('acceptedAt', '<', p.until),
)
