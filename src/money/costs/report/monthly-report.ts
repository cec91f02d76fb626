// The report of a month: the same sums by everything, of what was read once, so that each table adds up to the total.

import type { TenantId } from '../../../base/ids.ts'
import type { EpochMs } from '../../../base/time.ts'
import type { CostType } from '../../../contract/money.ts'
import { checkedTimeZone, monthOf } from '../calendar.ts'
import { byType, type CostSum, sumByAll, totalOf } from '../cost-sum.ts'
import { type KeyedSum, regrouped } from '../entity-costs.ts'
import { type FoundHint, findHints, type HintDeps } from '../hints/find-hints.ts'

export interface MonthlyReport {
  readonly month: string
  readonly timeZone: string
  readonly from: EpochMs
  readonly to: EpochMs
  readonly createdAt: EpochMs
  readonly total: CostSum
  readonly byType: readonly { readonly type: CostType; readonly sum: CostSum }[]
  readonly byAgent: readonly KeyedSum[]
  readonly byWorkflow: readonly KeyedSum[]
  readonly byUser: readonly KeyedSum[]
  readonly byProject: readonly KeyedSum[]
  readonly byModel: readonly KeyedSum[]
  readonly unpriced: readonly KeyedSum[]
  readonly replays: CostSum
  readonly hints: readonly FoundHint[]
}

export async function monthlyReport(
  deps: HintDeps,
  tenantId: TenantId,
  month: string,
  timeZoneName: string | undefined,
): Promise<MonthlyReport> {
  const timeZone = checkedTimeZone(timeZoneName ?? 'UTC')
  const { from, until: to } = monthOf(month, timeZone)
  const asked = { from, to, filter: undefined }
  const tables = await deps.db.tenant(tenantId).read(async (reader) => {
    const parts = await sumByAll(reader, asked)
    const counted = parts.filter(({ replay }) => !replay)
    return {
      total: totalOf(counted),
      byType: byType(counted),
      replays: totalOf(parts.filter(({ replay }) => replay)),
      byModel: await regrouped(reader, counted, 'model'),
      byAgent: await regrouped(reader, counted, 'agent'),
      byWorkflow: await regrouped(reader, counted, 'workflow'),
      byUser: await regrouped(reader, counted, 'user'),
      byProject: await regrouped(reader, counted, 'project'),
    }
  })
  const unpriced = tables.byModel.filter(({ sum }) => sum.unpricedCalls + sum.usageMissingCalls > 0)
  const hints = await findHints(deps, tenantId, { from, to })
  return { month, timeZone, from, to, createdAt: deps.clock(), ...tables, unpriced, hints }
}
