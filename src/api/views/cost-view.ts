import { formatUsd, type Nanos } from '../../base/money.ts'
import { formatTime } from '../../base/time.ts'
import type {
  CostEntity,
  CostEntry,
  CostEstimate,
  CostGroup,
  CostReport,
  CostSum,
  EntityCosts,
  Hint,
  Rerate,
  RerateDetail,
} from '../../contract/cost.ts'
import type { CostRow } from '../../money/costs/cost-store.ts'
import type { CostSum as Sum } from '../../money/costs/cost-sum.ts'
import type { CostsOfEntity, KeyedSum } from '../../money/costs/entity-costs.ts'
import type { Estimate } from '../../money/costs/estimate/estimate-cost.ts'
import type { FoundHint } from '../../money/costs/hints/find-hints.ts'
import type { Entry } from '../../money/costs/list-costs.ts'
import type { MonthlyReport } from '../../money/costs/report/monthly-report.ts'
import type { Rerating } from '../../money/costs/rerate/rerate.ts'
import type { RerateRow } from '../../money/costs/rerate/rerate-store.ts'
import { timeOrNull } from './time-view.ts'

export function costEntryView(entry: Entry): CostEntry {
  if (entry.of === 'cost') return costView(entry.row)
  const { row } = entry
  return {
    id: row.id,
    type: 'LLM_API',
    amountUsd: usdOrNull(row.costNanos),
    costState: row.costState,
    model: row.model,
    quantity: row.usageState === 'known' ? row.quantity : null,
    unit: row.usageState === 'known' ? 'token' : null,
    description: '',
    externalId: null,
    ...dimensions(row),
    modelCallId: row.modelCallId,
    priceId: row.priceId,
  }
}

const EXTERNAL = 'external:'

export function costView(row: CostRow): CostEntry {
  return {
    id: row.id,
    type: row.type,
    amountUsd: formatUsd(row.amountNanos),
    costState: 'priced',
    model: null,
    quantity: row.quantity,
    unit: row.unit,
    description: row.description,
    externalId: row.factKey.startsWith(EXTERNAL) ? row.factKey.slice(EXTERNAL.length) : null,
    ...dimensions(row),
    modelCallId: null,
    priceId: null,
  }
}

function dimensions(row: Entry['row']) {
  return {
    runId: row.runId,
    agentId: row.agentId,
    workflowId: row.workflowId,
    userId: row.userId,
    apiKeyId: row.apiKeyId,
    projectId: row.projectId,
    replay: row.replay === 1,
    occurredAt: formatTime(row.occurredAt),
    acceptedAt: formatTime(row.acceptedAt),
  }
}

export function entityCostsView(
  entityType: CostEntity,
  costs: CostsOfEntity,
  groupBy: CostGroup | undefined,
): EntityCosts {
  return {
    entityType,
    entityId: costs.id,
    from: timeOrNull(costs.from ?? null),
    to: timeOrNull(costs.to ?? null),
    timeZone: costs.timeZone,
    groupBy: groupBy ?? null,
    total: sumView(costs.total),
    byType: costs.byType.map(({ type, sum }) => ({ type, ...sumView(sum) })),
    groups: costs.groups.map((group) => ({
      ...keyedView(group),
      from: timeOrNull(group.period?.from ?? null),
      to: timeOrNull(group.period?.until ?? null),
    })),
    groupsLeftOut: costs.groupsLeftOut,
    replays: sumView(costs.replays),
  }
}

function keyedView({ key, name, sum }: KeyedSum) {
  return { key, name, ...sumView(sum) }
}

function sumView({ costNanos, ...counts }: Sum): CostSum {
  return { costUsd: formatUsd(costNanos), ...counts }
}

export function hintView({ savingNanos, modelCallIds, names, ...hint }: FoundHint): Hint {
  return { ...hint, savingUsd: formatUsd(savingNanos), modelCallIds: [...modelCallIds], names: [...names] }
}

export function reportView(report: MonthlyReport): CostReport {
  const { month, timeZone } = report
  return {
    month,
    timeZone,
    from: formatTime(report.from),
    to: formatTime(report.to),
    createdAt: formatTime(report.createdAt),
    total: sumView(report.total),
    byType: report.byType.map(({ type, sum }) => ({ type, ...sumView(sum) })),
    byAgent: report.byAgent.map(keyedView),
    byWorkflow: report.byWorkflow.map(keyedView),
    byUser: report.byUser.map(keyedView),
    byProject: report.byProject.map(keyedView),
    byModel: report.byModel.map(keyedView),
    unpriced: report.unpriced.map(({ key, sum }) => ({
      model: key ?? '',
      unpricedCalls: sum.unpricedCalls,
      usageMissingCalls: sum.usageMissingCalls,
      tokens: sum.inputTokens + sum.cachedInputTokens + sum.cacheWriteTokens + sum.outputTokens,
    })),
    replays: sumView(report.replays),
    hints: report.hints.map(hintView),
  }
}

export function estimateView(estimate: Estimate): CostEstimate {
  const { agent, history } = estimate
  return {
    model: estimate.model,
    agentId: agent?.id ?? null,
    agentVersion: agent?.version ?? null,
    priceState: estimate.inputNanos === undefined ? 'unpriced' : 'priced',
    priceId: estimate.priceId ?? null,
    inputTokens: estimate.inputTokens,
    maxOutputTokens: estimate.maxOutputTokens ?? null,
    callCost: {
      lowUsd: usdOrNull(estimate.lowNanos),
      inputUsd: usdOrNull(estimate.inputNanos),
      highUsd: usdOrNull(estimate.highNanos),
    },
    history: history
      ? {
          costUsd: history.cost
            ? { ...history.cost, p50: formatUsd(history.cost.p50), p95: formatUsd(history.cost.p95) }
            : null,
          tokens: history.tokens ?? null,
          unpricedRuns: history.unpricedRuns,
        }
      : null,
    limitUsd: usdOrNull(estimate.limitNanos),
  }
}

export function rerateView(row: Omit<RerateRow, 'id'> & { readonly id: string | undefined }): Rerate {
  return {
    id: row.id ?? null,
    from: formatTime(row.fromAt),
    to: formatTime(row.untilAt),
    model: row.model,
    reason: row.reason,
    dryRun: row.id === undefined,
    records: row.records,
    changed: row.changed,
    beforeUsd: formatUsd(row.beforeNanos),
    afterUsd: formatUsd(row.afterNanos),
    createdBy: row.createdBy,
    createdAt: formatTime(row.createdAt),
  }
}

export function rerateDetailView({ row, byModel }: Rerating): RerateDetail {
  return {
    ...rerateView(row),
    byModel: byModel.map(({ beforeNanos, afterNanos, ...counts }) => ({
      ...counts,
      beforeUsd: formatUsd(beforeNanos),
      afterUsd: formatUsd(afterNanos),
    })),
  }
}

function usdOrNull(nanos: Nanos | null | undefined): string | null {
  return nanos == null ? null : formatUsd(nanos)
}
