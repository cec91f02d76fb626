// `billing stripe …`: links to pay, how things stand with Stripe, and what was told of usage.

import type { Command } from 'commander'
import {
  type StripeReconciledView,
  type StripeStatusView,
  stripeLink,
  stripeReconciled,
  stripeStatus,
} from '../../contract/stripe.ts'
import type { Act } from '../act.ts'
import { moment, whole } from '../input/option-values.ts'
import { answer } from '../output/answers.ts'
import { showDetails } from '../output/details.ts'
import { tableLines } from '../output/table.ts'
import { listTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import { billingGroup } from './billing-group.ts'

const SEATS_MAX = 100_000

interface CheckoutOptions {
  readonly seats?: number
  readonly success: string
  readonly cancel?: string
}

export function addStripeCommands(program: Command, act: Act): void {
  const group = billingGroup(program)
    .command('stripe')
    .description('Let Stripe collect: links, what was told, what is missing')
  group
    .command('status')
    .description('Show the customer at Stripe, the outbox, and what could not be told')
    .action(
      act(async (session) => {
        const found = await (await session.client()).getStripeStatus()
        answer(session, stripeStatus, found, () => showStatus(session, found))
      }),
    )
  group
    .command('checkout')
    .description('Make a link where the customer subscribes to a plan, or says how to pay')
    .argument('[plan]', 'the id or key of a plan with a price at Stripe; without it only how to pay is saved')
    .option('--seats <n>', 'how many seats', whole(1, SEATS_MAX))
    .requiredOption('--success <url>', 'the page of yours that Stripe leads back to')
    .option('--cancel <url>', 'the page where nothing was done; the same where nothing is said')
    .action(
      act(async (session, plan: string | undefined, options: CheckoutOptions) => {
        const made = await (await session.client()).createStripeCheckout({
          plan,
          seats: options.seats,
          successUrl: options.success,
          cancelUrl: options.cancel ?? options.success,
        })
        answer(session, stripeLink, made, () => session.out.line(made.url))
      }),
    )
  group
    .command('portal')
    .description('Make a link where the customer manages cards and invoices')
    .requiredOption('--return <url>', 'the page of yours that Stripe leads back to')
    .action(
      act(async (session, options: { readonly return: string }) => {
        const made = await (await session.client()).createStripePortal({ returnUrl: options.return })
        answer(session, stripeLink, made, () => session.out.line(made.url))
      }),
    )
  group
    .command('reconcile')
    .description('Compare the usage of whole hours (UTC) with what Stripe has summed up')
    .requiredOption('--from <time>', 'the first hour', moment)
    .requiredOption('--to <time>', 'the hour before which it ends', moment)
    .option('--fix', 'tell Stripe what is missing there')
    .action(
      act(async (session, options: { readonly from: string; readonly to: string; readonly fix?: true }) => {
        const { from, to, fix } = options
        const compared = await (await session.client()).reconcileStripe({ from, to, fix })
        answer(session, stripeReconciled, compared, () => showReconciled(session, compared))
      }),
    )
}

function showStatus(session: Session, status: StripeStatusView): void {
  const { pending, sent, refused, dead } = status.outbox
  showDetails(session.out, [
    ['configured', status.configured ? 'yes' : 'no: set STRIPE_SECRET_KEY'],
    ['customer', status.customerId ?? 'none yet: make a link with billing stripe checkout'],
    ['collection', status.collection ?? 'no billing account yet'],
    ['outbox', `${sent} told, ${pending} waiting, ${refused} refused, ${dead} given up`],
  ])
  if (status.failed.length === 0) return
  session.out.line('')
  const lines = tableLines(
    session.out,
    [
      { title: 'WHEN', value: ({ createdAt }) => listTime(session.out, createdAt, session.now()) },
      { title: 'STATE', value: ({ state }) => state },
      { title: 'IDENTIFIER', value: ({ identifier }) => identifier, keep: true },
      { title: 'WHY', value: ({ error }) => error },
    ],
    status.failed,
  )
  for (const line of lines) session.out.line(line)
}

function showReconciled(session: Session, { items, told }: StripeReconciledView): void {
  const lines = tableLines(
    session.out,
    [
      { title: 'METRIC', value: ({ metric }) => metric, keep: true },
      { title: 'USED', value: ({ used }) => used },
      { title: 'TOLD', value: (item) => item.told },
      { title: 'WAITING', value: ({ pending }) => pending },
      { title: 'AT STRIPE', value: ({ atStripe }) => (atStripe === null ? 'no meter' : String(atStripe)) },
      { title: '', value: ({ agrees }) => (agrees ? 'agrees' : 'differs') },
    ],
    items,
  )
  for (const line of lines) session.out.line(line)
  if (told > 0) session.out.line(`${told} put right: told in a moment.`)
}
