// `billing plans | subscribe | change | cancel | pause | resume | subscription | account | usage | entitlements`.

import type { Command } from 'commander'
import { Option } from 'commander'
import { createPlan, metric, plan } from '../../contract/plan.ts'
import {
  billingAccount,
  type ChangeSubscription,
  entitlements,
  ingestedUsage,
  SEATS_MAX,
  type SubscriptionResource,
  subscription,
  type UsageRecordInput,
  usageSummary,
} from '../../contract/subscription.ts'
import type { Client } from '../../sdk/client.ts'
import type { Act } from '../act.ts'
import { usage } from '../cli-failure.ts'
import { moment, whole } from '../input/option-values.ts'
import { decoded, parseDocument } from '../input/parse-document.ts'
import { readText } from '../input/read-text.ts'
import { answer, answerList, type ListOptions } from '../output/answers.ts'
import { billingGroup } from './billing-group.ts'
import { addListOptions } from './list-options.ts'
import {
  planColumns,
  showAccount,
  showEntitlements,
  showIngested,
  showPlan,
  showSubscription,
  showUsage,
} from './plan-view.ts'

const PLAN = 'the key or the id of the plan'

export function addPlanCommands(program: Command, act: Act): void {
  const group = billingGroup(program)
  addPlans(group, act)
  addSubscriptions(group, act)
  addAccount(group, act)
  addUsage(group, act)
}

function addPlans(billing: Command, act: Act): void {
  const group = billing.command('plans').description('What can be subscribed to')
  addListOptions(
    group.command('list', { isDefault: true }).description('List versions of plans, newest first'),
  )
    .option('--archived', 'those that nobody can subscribe to any more')
    .option('--key <key>', 'only versions of this plan')
    .action(
      act(async (session, options: ListOptions & { readonly archived?: true; readonly key?: string }) => {
        const client = await session.client()
        const state = options.archived === true ? 'archived' : 'active'
        const find = (page: { readonly limit: number; readonly signal: AbortSignal }) =>
          client.listPlans({ ...page, state, key: options.key })
        await answerList(session, plan, options, find, planColumns())
      }),
    )
  group
    .command('get')
    .description('Show a plan with what it includes, charges and limits')
    .argument('<plan>', 'the id of the plan')
    .action(
      act(async (session, id: string) => {
        const found = await (await session.client()).getPlan(id)
        answer(session, plan, found, () => showPlan(session, found))
      }),
    )
  group
    .command('create')
    .description('Make the next version of a plan; for the operator of the platform')
    .argument('<file>', 'a file in YAML or JSON, or - for the standard input')
    .option('--stripe-price <id>', 'the price at Stripe by which Stripe bills it (stripe_price_id)')
    .action(
      act(async (session, file: string, { stripePrice }: { readonly stripePrice?: string }) => {
        const wire = parseDocument(await readText(session.world, file), file)
        const written = decoded(createPlan, wire, file)
        const asked = stripePrice === undefined ? written : { ...written, stripePriceId: stripePrice }
        const made = await (await session.client()).createPlan(asked)
        answer(session, plan, made, () => showPlan(session, made))
      }),
    )
  group
    .command('archive')
    .description('Let nobody subscribe to a version of a plan any more; who has it keeps it')
    .argument('<plan>', 'the id of the plan')
    .option('--replacement <plan>', 'of one in use: the plan that is offered instead')
    .action(
      act(async (session, id: string, { replacement }: { readonly replacement?: string }) => {
        const done = await (await session.client()).archivePlan(id, { replacement })
        answer(session, plan, done, () => showPlan(session, done))
      }),
    )
}

interface SubscribeOptions {
  readonly seats?: number
  readonly trial: boolean
  readonly tenant?: string
}

interface ChangeOptions extends Pick<ChangeSubscription, 'plan' | 'seats' | 'when'> {}

function addSubscriptions(group: Command, act: Act): void {
  const show =
    (work: (client: Client) => Promise<SubscriptionResource>) =>
    async (session: Parameters<Parameters<Act>[0]>[0]): Promise<void> => {
      const found = await work(await session.client())
      answer(session, subscription, found, () => showSubscription(session, found))
    }
  /** The tenant's own subscription: it has one. */
  const own = async (client: Client): Promise<string> => (await client.getSubscription()).id

  group
    .command('subscribe')
    .description('Subscribe to a plan')
    .argument('<plan>', PLAN)
    .option('--seats <number>', 'how many seats', whole(1, SEATS_MAX))
    .option('--no-trial', 'begin without the trial of the plan')
    .option('--tenant <tenant>', 'for another tenant; for the operator of the platform')
    .action(
      act((session, name: string, { seats, trial, tenant }: SubscribeOptions) =>
        show((client) => client.createSubscription({ plan: name, seats, trial, tenantId: tenant }))(session),
      ),
    )
  group
    .command('subscription')
    .description('Show the subscription')
    .action(act((session) => show((client) => client.getSubscription())(session)))
  group
    .command('change')
    .description('Change the plan or the seats: what costs more now, what costs less from the next period on')
    .option('--plan <plan>', PLAN)
    .option('--seats <number>', 'how many seats', whole(1, SEATS_MAX))
    .addOption(new Option('--when <when>', 'when it holds').choices(['now', 'period_end']))
    .action(
      act((session, { plan: name, seats, when }: ChangeOptions) => {
        if (name === undefined && seats === undefined) throw usage('Say what to change: --plan or --seats.')
        return show(async (client) =>
          client.changeSubscription(await own(client), { plan: name, seats, when }),
        )(session)
      }),
    )
  group
    .command('cancel')
    .description('Cancel the subscription at the end of its period')
    .option('--now', 'now: its usage is invoiced at once')
    .option('--credit-unused', 'with --now: what was paid for the rest of the period becomes a credit')
    .action(
      act((session, { now, creditUnused }: { readonly now?: true; readonly creditUnused?: true }) =>
        show(async (client) =>
          client.cancelSubscription(await own(client), {
            when: now === true ? 'now' : 'period_end',
            creditUnused,
          }),
        )(session),
      ),
    )
  group
    .command('pause')
    .description('Pause the subscription: no new runs, no base price from the next period on')
    .action(act((session) => show(async (client) => client.pauseSubscription(await own(client)))(session)))
  group
    .command('resume')
    .description('End a pause, or take back a cancellation that has not come yet')
    .action(act((session) => show(async (client) => client.resumeSubscription(await own(client)))(session)))
  group
    .command('entitlements')
    .description('Show what the tenant may do by its plan')
    .action(
      act(async (session) => {
        const found = await (await session.client()).getEntitlements()
        answer(session, entitlements, found, () => showEntitlements(session, found))
      }),
    )
}

interface AccountOptions {
  readonly name?: string
  readonly email?: string
  readonly currency?: string
  readonly timezone?: string
}

function addAccount(group: Command, act: Act): void {
  group
    .command('account')
    .description('Show who is billed, or say it')
    .option('--name <name>', 'who is billed')
    .option('--email <address>', 'where invoices go')
    .option('--currency <code>', 'ISO 4217, such as USD; stays once something was billed')
    .option('--timezone <zone>', 'IANA name; periods are counted by its calendar')
    .action(
      act(async (session, options: AccountOptions) => {
        const client = await session.client()
        const { name, email, currency, timezone: timeZone } = options
        if (name === undefined && email === undefined && currency === undefined && timeZone === undefined) {
          const found = await client.getBillingAccount()
          answer(session, billingAccount, found, () => showAccount(session, found))
          return
        }
        const before =
          name === undefined || currency === undefined ? await client.getBillingAccount() : undefined
        const put = await client.putBillingAccount({
          name: name ?? before?.name ?? '',
          currency: currency ?? before?.currency ?? '',
          email,
          timeZone,
        })
        answer(session, billingAccount, put, () => showAccount(session, put))
      }),
    )
}

interface UsageOptions {
  readonly from?: string
  readonly until?: string
  readonly metric?: UsageRecordInput['metric']
  readonly file?: string
}

function addUsage(group: Command, act: Act): void {
  group
    .command('usage')
    .description('Show usage by metric: how much, what is included, what is left; or tell usage')
    .option('--from <time>', 'from this time on', moment)
    .option('--until <time>', 'until this time', moment)
    .addOption(new Option('--metric <metric>', 'only this one').choices(metric.options))
    .option(
      '--file <file>',
      'tell the records of this file (a list in JSON or YAML), or - for the standard input',
    )
    .action(
      act(async (session, { from, until, metric: only, file }: UsageOptions) => {
        const client = await session.client()
        if (file !== undefined) {
          const records = parseDocument(await readText(session.world, file), file)
          if (!Array.isArray(records)) throw usage(`${file} must hold a list of records.`)
          // Each record is checked by the server, which tells what is wrong with it.
          const told = await client.ingestUsage(records as unknown as readonly UsageRecordInput[])
          answer(session, ingestedUsage, told, () => showIngested(session, told))
          return
        }
        const found = await client.getUsage({ from, until, metric: only })
        answer(session, usageSummary, found, () => showUsage(session, found))
      }),
    )
}
