// `prices`: what models, tools and the rest cost you: the book, prices of your own, and what another source says.

import { basename } from 'node:path'
import type { Command } from 'commander'
import { wireName } from '../../contract/codec/wire-name.ts'
import { codecOf } from '../../contract/codec.ts'
import {
  COMPARED_KINDS,
  type Price,
  type PriceAmounts,
  type PriceDiff,
  price,
  priceAmounts,
  priceDiff,
  TOKEN_KINDS,
} from '../../contract/price.ts'
import { isApiError } from '../../sdk/api-error.ts'
import type { Act } from '../act.ts'
import { CliFailure, usage } from '../cli-failure.ts'
import { moment } from '../input/option-values.ts'
import { parseArgument } from '../input/parse-document.ts'
import { readPriceSource } from '../input/price-source.ts'
import { readText } from '../input/read-text.ts'
import { answer, answerList, type ListOptions } from '../output/answers.ts'
import { showDetails } from '../output/details.ts'
import { tableLines } from '../output/table.ts'
import { absoluteTime, fullTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import { addListOptions } from './list-options.ts'

interface SetOptions {
  readonly input?: string
  readonly output?: string
  readonly cachedInput?: string
  readonly cacheWrite?: string
  readonly cacheWriteOneHour?: string
  readonly reasoning?: string
  readonly price?: string
  readonly amounts?: string
  readonly from?: string
  readonly until?: string
  readonly note?: string
}

interface DiffOptions {
  readonly source?: string
  readonly at?: string
  readonly check?: true
}

export function addPricesCommands(program: Command, act: Act): void {
  const group = program.command('prices').description('Look at prices and set your own')
  addListOptions(
    group.command('list').description('List your own prices, newest first, or those of the book'),
  )
    .option('--book', 'those of the product’s book, by name')
    .option('--provider <provider>', 'only models of this provider')
    .option('--subject <subject>', 'only of this model, tool …')
    .option('--at <time>', 'only those in force at this time', moment)
    .action(
      act(
        async (
          session,
          options: ListOptions & {
            readonly book?: true
            readonly provider?: string
            readonly subject?: string
            readonly at?: string
          },
        ) => {
          const client = await session.client()
          const { provider, subject, at } = options
          const source = options.book === true ? 'book' : 'own'
          const find = (page: { readonly limit: number; readonly signal: AbortSignal }) =>
            client.listPrices({ ...page, source, provider, subject, at })
          await answerList(session, price, options, find, [
            ...(options.book === true
              ? []
              : [{ title: 'ID', value: ({ id }: Price) => id, keep: true as const }]),
            { title: 'SUBJECT', value: (one) => one.subject, keep: true },
            { title: 'USD', value: ({ amounts, unit }) => amountsText(amounts, unit) },
            { title: 'FROM', value: ({ effectiveFrom }) => dayText(effectiveFrom, 'always') },
            { title: 'UNTIL', value: (one) => untilText(one) },
            { title: 'NOTE', value: ({ note }) => note ?? '', optional: true },
          ])
        },
      ),
    )
  group
    .command('get')
    .description('Show the price that holds for you: your own, else the book’s')
    .argument('<subject>', 'provider/model, tool/NAME, compute/second, storage/gb-month or bandwidth/gb')
    .option('--at <time>', 'at this time instead of now', moment)
    .action(
      act(async (session, subject: string, options: { readonly at?: string }) => {
        const found = await (await session.client()).getPrice(subject, { at: options.at })
        answer(session, price, found, () => showPrice(session, found))
      }),
    )
  group
    .command('set')
    .description('Set a price of your own; it ends the open one where it begins')
    .argument('<subject>', 'provider/model, tool/NAME, compute/second, storage/gb-month or bandwidth/gb')
    .option('--input <usd>', 'of a model: USD per million tokens of input')
    .option('--output <usd>', 'of a model: USD per million tokens of output')
    .option('--cached-input <usd>', 'of input read from a cache')
    .option('--cache-write <usd>', 'of input written to a cache')
    .option('--cache-write-one-hour <usd>', 'of input written to a cache for an hour')
    .option('--reasoning <usd>', 'of reasoning, where it is not that of output')
    .option('--price <usd>', 'of anything else: USD for one call, second, GB-month or GB')
    .option('--amounts <json>', 'instead: all amounts as the API has them, with tiers and conditions')
    .option('--from <time>', 'since when (default: now); it may be past', moment)
    .option('--until <time>', 'until when (default: until it is set anew)', moment)
    .option('--note <text>', 'why: the contract, the offer')
    .action(
      act(async (session, subject: string, options: SetOptions) => {
        const made = await (await session.client()).setPrice({
          subject,
          amounts: amountsFrom(options),
          effectiveFrom: options.from,
          effectiveUntil: options.until,
          note: options.note,
        })
        answer(session, price, made, () => showPrice(session, made))
      }),
    )
  group
    .command('withdraw')
    .description('Withdraw a price of your own: it counts at no time any more')
    .argument('<price>', 'the id of the price')
    .action(
      act(async (session, id: string) => {
        const client = await session.client()
        const withdrawn = await client.withdrawPrice(id)
        answer(session, price, withdrawn, () => showPrice(session, withdrawn))
        const { subject } = withdrawn
        const now = await client.getPrice(subject).catch((error: unknown) => {
          if (isApiError(error, 'price.not-found')) return undefined
          throw error
        })
        session.note(
          now === undefined
            ? `"${subject}" has no price now: it is unpriced.`
            : `Now ${now.source === 'own' ? `your own price ${now.id}` : 'the price of the book'} holds: ${amountsText(now.amounts, now.unit)}.`,
        )
      }),
    )
  group
    .command('diff')
    .description('Show where another source disagrees with the book')
    .option('--source <file>', 'prices in the form of LiteLLM or models.dev; "-" reads standard input')
    .option('--at <time>', 'the book at this time instead of now', moment)
    .option('--check', 'end with 1 where there is a disagreement')
    .action(
      act(async (session, options: DiffOptions) => {
        const found = await diff(session, options)
        answer(session, priceDiff, found, () => showDiff(session, found))
        const { length } = found.disagreements
        if (options.check === true && length > 0)
          throw new CliFailure('failed', `The sources disagree in ${length} prices.`)
      }),
    )
}

async function diff(session: Session, { source, at }: DiffOptions): Promise<PriceDiff> {
  if (source === undefined) return (await session.client()).diffPrices({ at })
  const prices = [...readPriceSource(await readText(session.world, source))]
  const name = source === '-' ? 'standard input' : basename(source)
  return (await session.client()).comparePrices({ source: name, prices }, { at })
}

const AMOUNT_OPTIONS = [
  'input',
  'output',
  'cachedInput',
  'cacheWrite',
  'cacheWriteOneHour',
  'reasoning',
  'price',
] as const

function amountsFrom(options: SetOptions): PriceAmounts {
  const given = AMOUNT_OPTIONS.filter((name) => options[name] !== undefined)
  const { amounts } = options
  if (amounts === undefined) {
    if (given.length > 0) return Object.fromEntries(given.map((name) => [name, options[name]]))
    throw usage('Say what it costs: --input USD and --output USD of a model, --price USD of anything else.')
  }
  if (given.length > 0) throw usage('Give --amounts or the single amounts, not both.')
  const decoded = codecOf(priceAmounts).decode(parseArgument(amounts, '--amounts'))
  if (decoded.ok) return decoded.value
  const [first] = decoded.errors
  throw usage(`--amounts: ${first === undefined ? 'is wrong' : `${first.path} ${first.message}`}.`)
}

function showPrice(session: Session, found: Price): void {
  const now = session.now()
  const { amounts } = found
  showDetails(session.out, [
    ['id', found.id],
    ['subject', found.subject],
    ['source', found.source === 'own' ? 'your own' : 'the book'],
    ...TOKEN_KINDS.map(
      (kind) => [wordsOf(kind), amounts[kind] && `${amounts[kind]} per million tokens`] as const,
    ),
    ['price', amounts.price && `${amounts.price} per ${found.unit.replace('_', '-')}`],
    ...(amounts.tiers ?? []).map(
      (tier) => [`above ${tier.aboveTokens}`, amountsText(tier, 'million_tokens')] as const,
    ),
    ...Object.entries(amounts.conditions ?? {}).map(
      ([name, of]) => [name, amountsText(of, 'million_tokens')] as const,
    ),
    ['from', found.effectiveFrom === null ? 'always' : fullTime(found.effectiveFrom, now)],
    ['until', fullTime(found.effectiveUntil, now)],
    ['withdrawn', fullTime(found.withdrawnAt, now)],
    ['note', found.note ?? undefined],
    ['published at', found.publishedAt ?? undefined],
    ['by', found.createdBy ?? undefined],
    ['created', fullTime(found.createdAt, now)],
  ])
}

function showDiff(session: Session, { disagreements, ...found }: PriceDiff): void {
  if (disagreements.length > 0) {
    const lines = tableLines(
      session.out,
      [
        { title: 'MODEL', value: ({ model }) => model, keep: true },
        { title: 'FIELD', value: ({ field }) => wordsOf(field) },
        { title: 'OURS', value: ({ ours }) => ours ?? 'none', align: 'right' },
        { title: 'THEIRS', value: ({ theirs }) => theirs, align: 'right' },
        { title: 'RATIO', value: ({ ratio }) => ratio ?? '', align: 'right' },
        { title: '', value: ({ theirsIsEarlier }) => (theirsIsEarlier ? 'ours was so before' : '') },
      ],
      disagreements,
    )
    for (const line of lines) session.out.line(line)
  }
  session.note(
    `${found.compared} models compared, ${found.agreeing} agree; ${found.onlyHere} only here, ${found.onlyThere} only there.`,
  )
  session.note(
    `Ours: ${sourceText(found.ours)}. Theirs: ${sourceText(found.theirs)}. USD per million tokens.`,
  )
}

function sourceText({ source, retrieved }: PriceDiff['ours']): string {
  return retrieved === null ? source : `${source}, taken ${retrieved}`
}

/** `input 1.25, output 10`, or `0.01 per call`. */
function amountsText(amounts: PriceAmounts, unit: Price['unit']): string {
  if (amounts.price !== undefined) return `${amounts.price} per ${unit.replace('_', '-')}`
  const told = COMPARED_KINDS.flatMap((kind) =>
    amounts[kind] === undefined ? [] : [`${wordsOf(kind)} ${amounts[kind]}`],
  )
  return told.join(', ')
}

function wordsOf(kind: string): string {
  return wireName(kind).replaceAll('_', ' ')
}

function dayText(time: string | null, none: string): string {
  return time === null ? none : absoluteTime(time)
}

function untilText({ withdrawnAt, effectiveUntil }: Price): string {
  return withdrawnAt === null ? dayText(effectiveUntil, '') : 'withdrawn'
}
