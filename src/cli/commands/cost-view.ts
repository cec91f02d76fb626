// How costs are shown: sums, groups, hints, estimates.

import type { CostEstimate, CostSum, EntityCosts, Hint, RerateDetail } from '../../contract/cost.ts'
import { costText, counted } from '../output/cost-text.ts'
import { showDetails } from '../output/details.ts'
import { type Column, tableLines } from '../output/table.ts'
import type { Session } from '../session.ts'

type Named = CostSum & { readonly key: string | null; readonly name: string | null }

/** An amount, and what is not in it. */
export function sumText(sum: CostSum): string {
  return costText(sum.costUsd, sum.unpricedCalls + sum.usageMissingCalls)
}

export function sumColumns(title: string): readonly Column<Named>[] {
  return [
    { title, value: ({ name, key }) => name ?? key ?? '(none)' },
    { title: 'CALLS', value: ({ modelCalls }) => String(modelCalls), align: 'right' },
    { title: 'TOKENS IN', value: (sum) => String(sentTokens(sum)), align: 'right', optional: true },
    {
      title: 'TOKENS OUT',
      value: ({ outputTokens }) => String(outputTokens),
      align: 'right',
      optional: true,
    },
    { title: 'OTHER', value: ({ otherEntries }) => String(otherEntries), align: 'right', optional: true },
    { title: 'COST', value: sumText },
  ]
}

export function showCosts(session: Session, costs: EntityCosts): void {
  const { total, replays } = costs
  showDetails(session.out, [
    [costs.entityType, costs.entityId],
    ['from', costs.from ?? undefined],
    ['to', costs.to ?? undefined],
    ['cost', sumText(total)],
    ['model calls', String(total.modelCalls)],
    ['without a price', total.unpricedCalls === 0 ? undefined : String(total.unpricedCalls)],
    ['usage not known', total.usageMissingCalls === 0 ? undefined : String(total.usageMissingCalls)],
    ['tokens', `${sentTokens(total)} in, ${total.outputTokens} out`],
    ['replays', replays.modelCalls === 0 ? undefined : `${sumText(replays)}, not in the cost`],
  ])
  const byType = costs.byType.map(({ type, ...sum }) => ({ ...sum, key: type, name: null }))
  const rows = costs.groupBy === null ? byType : costs.groups
  if (rows.length === 0) return
  session.out.line()
  for (const line of tableLines(session.out, sumColumns((costs.groupBy ?? 'type').toUpperCase()), rows))
    session.out.line(line)
  if (costs.groupsLeftOut > 0) session.note(`${counted(costs.groupsLeftOut, 'cheaper group')} not shown.`)
}

export function showEstimate(session: Session, estimate: CostEstimate): void {
  const { callCost, inputTokens, history } = estimate
  const unpriced = estimate.priceState === 'unpriced'
  const { low, expected, high, method } = inputTokens
  showDetails(session.out, [
    ['model', estimate.model],
    ['version', estimate.agentVersion === null ? undefined : String(estimate.agentVersion)],
    ['tokens in', `${expected} (${method}, ${low} to ${high})`],
    ['counted', inputTokens.basis],
    [
      'tokens out',
      estimate.maxOutputTokens === null ? 'no limit is set' : `at most ${estimate.maxOutputTokens}`,
    ],
    ['a call', unpriced ? 'unpriced: there is no price for this model' : rangeText(callCost)],
    ['a run', history?.costUsd ? `$${history.costUsd.p50} p50, $${history.costUsd.p95} p95` : undefined],
    ['', history?.costUsd ? `of ${counted(history.costUsd.sample, 'run')}` : undefined],
    ['tokens a run', history?.tokens ? `${history.tokens.p50} p50, ${history.tokens.p95} p95` : undefined],
    ['unpriced runs', history && history.unpricedRuns > 0 ? String(history.unpricedRuns) : undefined],
    ['limit', estimate.limitUsd === null ? undefined : `$${estimate.limitUsd} a run`],
  ])
}

function rangeText({ lowUsd, inputUsd, highUsd }: CostEstimate['callCost']): string {
  const high = highUsd === null ? 'more with each token of the answer' : `at most $${highUsd}`
  return `at least $${lowUsd}, $${inputUsd} for the input, ${high}`
}

export const HINT_COLUMNS: readonly Column<Hint>[] = [
  { title: 'SAVING', value: ({ savingUsd }) => `$${savingUsd}`, align: 'right' },
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'CALLS', value: ({ modelCalls }) => String(modelCalls), align: 'right', optional: true },
  { title: 'WHAT', value: ({ message }) => message },
]

export function showRerate(session: Session, rerate: RerateDetail): void {
  showDetails(session.out, [
    ['id', rerate.id ?? undefined],
    ['from', rerate.from],
    ['to', rerate.to],
    ['records', String(rerate.records)],
    ['changed', String(rerate.changed)],
    ['before', `$${rerate.beforeUsd}`],
    ['after', `$${rerate.afterUsd}`],
  ])
  for (const { model, changed, beforeUsd, afterUsd } of rerate.byModel)
    if (changed > 0)
      session.out.line(`  ${model}: ${counted(changed, 'record')}, $${beforeUsd} to $${afterUsd}`)
  if (rerate.dryRun) session.note('Nothing was changed: this was a dry run.')
}

function sentTokens(sum: CostSum): number {
  return sum.inputTokens + sum.cachedInputTokens + sum.cacheWriteTokens
}
