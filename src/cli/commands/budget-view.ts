// How budgets are shown: one with a bar of what is settled, held and left, and in lists.

import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type {
  Budget,
  BudgetDetail,
  BudgetEvent,
  BudgetPeriodRecord,
  BudgetStatus,
} from '../../contract/budget.ts'
import { showDetails } from '../output/details.ts'
import { type Column, tableLines } from '../output/table.ts'
import { fullTime, listTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'

const BAR_CHARS = 30
const SETTLED = '█'
const HELD = '▒'
const LEFT = '░'

export function showBudget(session: Session, found: BudgetDetail): void {
  const at = session.now()
  const { now } = found
  showDetails(session.out, [
    ['id', found.id],
    ['name', found.name],
    ['on', scopeText(found)],
    ['mode', found.mode],
    ['limit', `$${found.limitUsd} ${periodText(found)}`],
    ['starts', fullTime(found.startsAt, at)],
    ['ends', fullTime(found.endsAt, at)],
    ['thresholds', found.thresholds.map((percent) => `${percent} %`).join(', ')],
    ['on failure', found.onFailure],
    ['state', found.state],
    ...(now === null ? [] : statusRows(now, at)),
    ['created', fullTime(found.createdAt, at)],
  ])
  if (found.waiting.length === 0) return
  session.out.line()
  const columns: readonly Column<BudgetDetail['waiting'][number]>[] = [
    { title: 'WAITING RUN', value: ({ runId }) => runId, keep: true },
    { title: 'NEEDS', value: ({ neededUsd }) => `$${neededUsd}`, align: 'right' },
    { title: 'SINCE', value: ({ since }) => listTime(session.out, since, at) },
  ]
  for (const line of tableLines(session.out, columns, found.waiting)) session.out.line(line)
}

function statusRows(now: BudgetStatus, at: number): readonly (readonly [string, string])[] {
  return [
    ['period', now.period],
    ['period ends', fullTime(now.endsAt, at)],
    ['spent', `${budgetBar(now)} ${now.percent === null ? '' : `${now.percent} %`}`],
    ['settled', `$${now.settledUsd}`],
    ['held', `$${now.heldUsd}`],
    ['left', `$${now.leftUsd}`],
    ['topped up', now.extraUsd === '0' ? '' : `$${now.extraUsd}`],
    ['crossed', now.crossed.map((percent) => `${percent} %`).join(', ')],
  ]
}

/** Settled, held and left as parts of one bar. Each that there is has a character, however little it is. */
export function budgetBar(now: Pick<BudgetStatus, 'settledUsd' | 'heldUsd' | 'leftUsd'>): string {
  const [settled, held, left] = [Number(now.settledUsd), Number(now.heldUsd), Number(now.leftUsd)]
  const whole = settled + held + left
  // Neither a limit nor anything spent: nothing is left.
  if (whole === 0) return `[${SETTLED.repeat(BAR_CHARS)}]`
  const charsOf = (part: number): number =>
    part === 0 ? 0 : Math.max(1, Math.round((part / whole) * BAR_CHARS))
  const chars = [charsOf(settled), charsOf(held), charsOf(left)]
  // The largest part gives or takes what rounding made too many or too few.
  const widest = chars.indexOf(Math.max(...chars))
  chars[widest] = BAR_CHARS - chars.reduce((sum, count, index) => (index === widest ? sum : sum + count), 0)
  const marks = [SETTLED, HELD, LEFT]
  return `[${marks.map((mark, index) => mark.repeat(chars[index] ?? 0)).join('')}]`
}

export const BUDGET_COLUMNS: readonly Column<Budget>[] = [
  { title: 'ID', value: ({ id }) => id, keep: true },
  { title: 'NAME', value: ({ name }) => name },
  { title: 'ON', value: scopeText },
  { title: 'MODE', value: ({ mode }) => mode },
  { title: 'LIMIT', value: ({ limitUsd }) => `$${limitUsd}`, align: 'right' },
  { title: 'PERIOD', value: periodText, optional: true },
  { title: 'SETTLED', value: ({ now }) => (now === null ? '' : `$${now.settledUsd}`), align: 'right' },
  {
    title: 'HELD',
    value: ({ now }) => (now === null ? '' : `$${now.heldUsd}`),
    align: 'right',
    optional: true,
  },
  { title: 'LEFT', value: ({ now }) => (now === null ? '' : `$${now.leftUsd}`), align: 'right' },
]

export function historyColumns(session: Session): readonly Column<BudgetEvent>[] {
  return [
    { title: 'TIME', value: ({ occurredAt }) => listTime(session.out, occurredAt, session.now()) },
    { title: 'WHAT', value: ({ type }) => type.replace(/^budget\./, '') },
    { title: 'BY', value: ({ actor }) => actor, keep: true },
    { title: 'DETAILS', value: ({ data }) => factText(data) },
  ]
}

/** `reason The fair., mode hard → ask, limitUsd 10 → 3`. */
function factText({ before, after, ...rest }: JsonObject): string {
  const was = objectOf(before)
  const said = Object.entries({ ...rest, ...objectOf(after) }).filter(([, value]) => value !== null)
  const texts = said.map(([key, value]) => {
    const old = was[key]
    return old === undefined ? `${key} ${shortText(value)}` : `${key} ${shortText(old)} → ${shortText(value)}`
  })
  return texts.join(', ')
}

function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}

function shortText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

export function periodColumns(session: Session): readonly Column<BudgetPeriodRecord>[] {
  return [
    { title: 'PERIOD', value: ({ period }) => period, keep: true },
    {
      title: 'ENDS',
      value: ({ endsAt }) => (endsAt === null ? '' : listTime(session.out, endsAt, session.now())),
    },
    { title: 'SETTLED', value: ({ settledUsd }) => `$${settledUsd}`, align: 'right' },
    { title: 'HELD', value: ({ heldUsd }) => `$${heldUsd}`, align: 'right' },
    { title: 'TOPPED UP', value: ({ extraUsd }) => `$${extraUsd}`, align: 'right', optional: true },
    { title: 'CROSSED', value: ({ crossed }) => (crossed === 0 ? '' : `${crossed} %`), align: 'right' },
  ]
}

function scopeText({ scope: { type, id, name } }: Budget): string {
  return type === 'tenant' ? 'tenant' : `${type} ${name ?? id}`
}

function periodText({ period, timeZone, window }: Budget): string {
  if (period === 'once') return 'once'
  return period === 'rolling' ? `in any ${window}` : `a ${period} (${timeZone})`
}
