import { formatUsd, type Nanos } from '../../base/money.ts'
import { type EpochMs, formatTime } from '../../base/time.ts'
import type * as wire from '../../contract/budget.ts'
import { type Budget, PERCENT_MAX } from '../../money/budgets/budget.ts'
import { FOREVER_MS } from '../../money/budgets/budget-period.ts'
import type { BudgetStanding } from '../../money/budgets/budget-status.ts'
import type {
  BudgetFact,
  BudgetPeriodRow,
  DetailedBudget,
  ManagedBudget,
} from '../../money/budgets/manage/managed-budget.ts'
import { timeOrNull } from './time-view.ts'

export function budgetView({ budget, scopeName, now }: ManagedBudget): wire.Budget {
  return {
    id: budget.id,
    name: budget.name,
    scope: { type: budget.scopeType, id: budget.scopeId, name: scopeName ?? null },
    mode: budget.mode,
    limitUsd: formatUsd(budget.limitNanos),
    period: budget.period,
    timeZone: budget.timeZone,
    window: budget.rollingMs === null ? null : durationText(budget.rollingMs),
    startsAt: timeOrNull(budget.startsAt),
    endsAt: timeOrNull(budget.endsAt),
    thresholds: [...budget.thresholds],
    onFailure: budget.onFailure,
    state: budget.state,
    now: now === undefined ? null : statusView(budget, now),
    createdBy: budget.createdBy,
    createdAt: formatTime(budget.createdAt),
    updatedAt: formatTime(budget.updatedAt),
  }
}

export function budgetDetailView(detailed: DetailedBudget): wire.BudgetDetail {
  return {
    ...budgetView(detailed),
    waiting: detailed.waiting.map(({ runId, step, neededNanos, createdAt }) => ({
      runId,
      step,
      neededUsd: formatUsd(neededNanos),
      since: formatTime(createdAt),
    })),
  }
}

function statusView(budget: Budget, now: BudgetStanding): wire.BudgetStatus {
  const { period, limitNanos, settledNanos, heldNanos, leftNanos } = now
  const ends = endsView(period)
  return {
    period: period.key,
    startsAt: ends.startsAt,
    // A window ends now, at each moment.
    endsAt: budget.period === 'rolling' ? null : ends.endsAt,
    limitUsd: formatUsd(limitNanos),
    extraUsd: formatUsd(now.extraNanos),
    settledUsd: formatUsd(settledNanos),
    heldUsd: formatUsd(heldNanos),
    leftUsd: formatUsd(leftNanos < 0n ? 0n : leftNanos),
    percent: percentOf(settledNanos + heldNanos, limitNanos),
    crossed: budget.thresholds.filter((percent) => percent <= now.crossed),
  }
}

/** Much spent of a limit of little has more percents than a number holds. */
const PERCENTS_SHOWN_MAX = 1_000_000_000n

function percentOf(used: Nanos, limit: Nanos): number | null {
  if (limit <= 0n) return null
  const percent = (used * PERCENT_MAX) / limit
  return Number(percent > PERCENTS_SHOWN_MAX ? PERCENTS_SHOWN_MAX : percent)
}

/** The ends of all time are shown as none. */
function endsView({ startsAt, endsAt }: { readonly startsAt: EpochMs; readonly endsAt: EpochMs }) {
  return {
    startsAt: timeOrNull(startsAt === 0 ? null : startsAt),
    endsAt: timeOrNull(endsAt === FOREVER_MS ? null : endsAt),
  }
}

export function budgetEventView(fact: BudgetFact): wire.BudgetEvent {
  const { type, actor, data, requestId } = fact
  return { seq: String(fact.seq), type, actor, data, requestId, occurredAt: formatTime(fact.occurredAt) }
}

export function budgetPeriodView(row: BudgetPeriodRow): wire.BudgetPeriodRecord {
  return {
    period: row.periodKey,
    ...endsView(row),
    settledUsd: formatUsd(row.settledNanos),
    heldUsd: formatUsd(row.heldNanos),
    extraUsd: formatUsd(row.extraNanos),
    crossed: row.crossed,
    updatedAt: formatTime(row.updatedAt),
  }
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** In the largest unit that is exact: `30d`, `36h`. */
function durationText(ms: number): string {
  const [unit, size] = UNITS.find(([, size]) => ms % size === 0) ?? ['ms', 1]
  return `${ms / size}${unit}`
}
