// `budget`: what may be spent, on what, in which time.

import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import {
  type Budget,
  type BudgetState,
  budget,
  budgetDetail,
  budgetEvent,
  budgetPeriod,
  type CreateBudget,
} from '../../contract/budget.ts'
import { BUDGET_MODES, BUDGET_PERIODS, BUDGET_SCOPES, type BudgetScope } from '../../contract/money.ts'
import type { Act } from '../act.ts'
import { usage } from '../cli-failure.ts'
import { moment, usd } from '../input/option-values.ts'
import { answer, answerList, type ListOptions } from '../output/answers.ts'
import { BUDGET_COLUMNS, historyColumns, periodColumns, showBudget } from './budget-view.ts'
import { addListOptions } from './list-options.ts'

type Scope = CreateBudget['scope']

interface TermOptions {
  readonly mode?: Budget['mode']
  readonly thresholds?: readonly number[]
  readonly onFailure?: Budget['onFailure']
}

interface CreateOptions extends TermOptions {
  readonly scope: Scope
  readonly limit: string
  readonly period: Budget['period']
  readonly timezone?: string
  readonly window?: string
  readonly starts?: string
  readonly ends?: string
}

interface UpdateOptions extends TermOptions {
  readonly name?: string
  readonly limit?: string
}

interface ReasonOptions {
  readonly reason?: string
}

const BUDGET_ID = 'the id of the budget'

export function addBudgetCommands(program: Command, act: Act): void {
  const group = program.command('budget').description('What may be spent, on what, in which time')
  addCreate(group, act)
  addListOptions(group.command('list').description('List budgets with where they stand, newest first'))
    .option(
      '--scope <type[:id]>',
      'only those on it: tenant, agent:guide, user:usr_… (or a type alone)',
      scopeOf,
    )
    .addOption(
      new Option('--state <state>', 'active or archived (default: active)').choices(['active', 'archived']),
    )
    .action(
      act(
        async (session, options: ListOptions & { readonly scope?: Scope; readonly state?: BudgetState }) => {
          const { scope, state } = options
          const filter = { state, scopeType: scope?.type, scopeId: scope?.id }
          const client = await session.client()
          const find = (page: { readonly limit: number; readonly signal: AbortSignal }) =>
            client.listBudgets({ ...page, ...filter })
          await answerList(session, budget, options, find, BUDGET_COLUMNS)
        },
      ),
    )
  group
    .command('get')
    .description('Show a budget: what is settled, held and left, and which runs wait for it')
    .argument('<budget>', BUDGET_ID)
    .action(
      act(async (session, id: string) => {
        const found = await (await session.client()).getBudget(id)
        answer(session, budgetDetail, found, () => showBudget(session, found))
      }),
    )
  addChanges(group, act)
  addRecords(group, act)
}

function addCreate(group: Command, act: Act): void {
  addTerms(
    group
      .command('create')
      .description('Set a budget; without --scope on the whole tenant')
      .argument('<name>', 'a name for it')
      .requiredOption('--limit <usd>', 'what may be spent in a period; 0 means nothing', usd)
      .addOption(
        new Option('--period <period>', 'of the calendar, a rolling window, or once for all time')
          .choices(BUDGET_PERIODS)
          .makeOptionMandatory(),
      )
      .option(
        '--scope <type[:id]>',
        `what it is on: tenant, or ${BUDGET_SCOPES.slice(1).join(', ')} with an id or a name, as in agent:guide (default: tenant)`,
        scopeOf,
      )
      .option('--timezone <zone>', 'where periods of the calendar begin: an IANA zone (default: UTC)')
      .option('--window <duration>', 'of a rolling budget: how far it looks back, such as 24h or 30d')
      .option('--starts <time>', 'of a budget for once: since when it counts', moment)
      .option('--ends <time>', 'of a budget for once: until when it counts', moment),
  ).action(
    act(async (session, name: string, options: CreateOptions) => {
      const { scope = { type: 'tenant' }, limit, period, timezone, window, starts, ends } = options
      const made = await (await session.client()).createBudget({
        name,
        scope,
        limitUsd: limit,
        period,
        timeZone: timezone,
        window,
        startsAt: starts,
        endsAt: ends,
        ...termsOf(options),
      })
      answer(session, budgetDetail, made, () => showBudget(session, made))
    }),
  )
}

function addChanges(group: Command, act: Act): void {
  addTerms(
    group
      .command('update')
      .description('Change a budget; what it is on, its period and time zone stay')
      .argument('<budget>', BUDGET_ID)
      .option('--name <name>', 'another name')
      .option('--limit <usd>', 'another limit; below what is spent, nothing more is let through', usd),
  ).action(
    act(async (session, id: string, options: UpdateOptions) => {
      const { name, limit } = options
      const change = { name, limitUsd: limit, ...termsOf(options) }
      if (Object.values(change).every((value) => value === undefined))
        throw usage('Say what to change; see "agent-factory budget update --help".')
      const changed = await (await session.client()).updateBudget(id, change)
      answer(session, budgetDetail, changed, () => showBudget(session, changed))
    }),
  )
  group
    .command('top-up')
    .description('Add to a budget for its present period alone; runs that wait for it go on')
    .argument('<budget>', BUDGET_ID)
    .argument('<usd>', 'how much', usd)
    .option('--reason <text>', 'why; kept in its history')
    .action(
      act(async (session, id: string, amountUsd: string, { reason }: ReasonOptions) => {
        const changed = await (await session.client()).topUpBudget(id, { amountUsd, reason })
        answer(session, budgetDetail, changed, () => showBudget(session, changed))
      }),
    )
  group
    .command('transfer')
    .description('Move a part of the limit to another budget of the same period')
    .argument('<from>', 'the id of the budget that gives')
    .argument('<to>', 'the id of the budget that gets')
    .argument('<usd>', 'how much', usd)
    .option('--reason <text>', 'why; kept in the history of both')
    .action(
      act(async (session, from: string, toBudgetId: string, amountUsd: string, { reason }: ReasonOptions) => {
        const given = await (await session.client()).transferBudget(from, { toBudgetId, amountUsd, reason })
        answer(session, budgetDetail, given, () => showBudget(session, given))
      }),
    )
  group
    .command('archive')
    .description('Archive a budget: it holds no longer; its history stays')
    .argument('<budget>', BUDGET_ID)
    .action(
      act(async (session, id: string) => {
        await (await session.client()).archiveBudget(id)
        session.note(`Archived ${id}.`)
      }),
    )
}

function addRecords(group: Command, act: Act): void {
  addListOptions(
    group
      .command('history')
      .description('Show what happened to a budget, newest first')
      .argument('<budget>', BUDGET_ID),
  ).action(
    act(async (session, id: string, options: ListOptions) => {
      const client = await session.client()
      const find = (page: { readonly limit: number; readonly signal: AbortSignal }) =>
        client.listBudgetHistory(id, page)
      await answerList(session, budgetEvent, options, find, historyColumns(session))
    }),
  )
  addListOptions(
    group
      .command('periods')
      .description('Show what a budget spent in its periods, newest first')
      .argument('<budget>', BUDGET_ID),
  ).action(
    act(async (session, id: string, options: ListOptions) => {
      const client = await session.client()
      const find = (page: { readonly limit: number; readonly signal: AbortSignal }) =>
        client.listBudgetPeriods(id, page)
      await answerList(session, budgetPeriod, options, find, periodColumns(session))
    }),
  )
}

/** What both a new budget and a change may say. */
function addTerms(command: Command): Command {
  return command
    .addOption(
      new Option('--mode <mode>', 'hard refuses, ask lets runs wait for a top-up, soft only tells').choices(
        BUDGET_MODES,
      ),
    )
    .option('--thresholds <percents>', 'tell of these, such as 50,80,100', percents)
    .addOption(
      new Option(
        '--on-failure <what>',
        'while the budget cannot be asked: closed refuses, open lets pass',
      ).choices(['closed', 'open']),
    )
}

function termsOf({ mode, thresholds, onFailure }: TermOptions) {
  return { mode, onFailure, thresholds: thresholds === undefined ? undefined : [...thresholds] }
}

/** `tenant`, `agent:guide`. */
function scopeOf(text: string): Scope {
  const [type = '', ...rest] = text.split(':')
  const id = rest.join(':')
  if (!isScope(type))
    throw new InvalidArgumentError(`It must be one of ${BUDGET_SCOPES.join(', ')}, as in agent:guide.`)
  return id === '' ? { type } : { type, id }
}

function isScope(text: string): text is BudgetScope {
  return BUDGET_SCOPES.some((scope) => scope === text)
}

function percents(text: string): readonly number[] {
  const items = text.split(',').map((item) => item.trim().replace(/\s*%$/, ''))
  if (items.every((item) => /^\d{1,4}$/.test(item))) return items.map(Number)
  throw new InvalidArgumentError('It must be whole percents such as 50,80,100.')
}
