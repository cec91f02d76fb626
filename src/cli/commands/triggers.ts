// `trigger`: what starts runs by itself, of every kind. `event`: named events.

import type { Command } from 'commander'
import { Option } from 'commander'
import {
  createdTrigger,
  rotatedSecret,
  sentEvent,
  type Trigger,
  type TriggerTarget,
  trigger,
  triggerKind,
} from '../../contract/trigger.ts'
import type { Act } from '../act.ts'
import { usage } from '../cli-failure.ts'
import { parseArgument } from '../input/parse-document.ts'
import { answer, answerList, type ListOptions } from '../output/answers.ts'
import { showDetails } from '../output/details.ts'
import { fullTime } from '../output/time-text.ts'
import { addListOptions } from './list-options.ts'
import { showTrigger, triggerColumns } from './trigger-view.ts'

export interface TargetOptions {
  readonly agent?: string
  readonly workflow?: string
  readonly input?: string
  readonly text?: string
}

interface CreateOptions extends TargetOptions {
  readonly kind: 'webhook' | 'event'
  readonly event?: string
  readonly condition?: string
}

/** The name, and what runs with what. */
export function addTargetOptions(command: Command): Command {
  return command
    .argument('<name>', 'a name for it')
    .option('--agent <agent>', 'the name of the agent that runs')
    .option('--workflow <workflow>', 'or the name of the workflow')
    .option('--input <expression>', 'CEL over "trigger": the input, a text or an object')
    .option('--text <text>', 'or the input itself, a text')
}

export function targetOf({ agent, workflow }: TargetOptions): TriggerTarget {
  if (agent !== undefined && workflow === undefined) return { agent }
  if (workflow !== undefined && agent === undefined) return { workflow }
  throw usage('Say what runs: --agent NAME or --workflow NAME.')
}

export function inputOf({ input, text }: TargetOptions): string | undefined {
  if (input !== undefined && text !== undefined) throw usage('Give --input or --text, not both.')
  // A text of JSON is a text of CEL.
  return text === undefined ? input : JSON.stringify(text)
}

export function addTriggerCommands(program: Command, act: Act): void {
  const group = program
    .command('trigger')
    .description('Start runs by webhooks and events; see also "schedule"')
  addTargetOptions(
    group.command('create').description('Create a trigger; the secret of a webhook is shown this once'),
  )
    .addOption(
      new Option('--kind <kind>', 'what sets it off').choices(['webhook', 'event']).makeOptionMandatory(),
    )
    .option('--event <name>', 'of an event trigger: the name of the event')
    .option('--condition <expression>', 'of an event trigger: CEL over "event" that must be true')
    .action(
      act(async (session, name: string, options: CreateOptions) => {
        const { event: eventName, condition } = options
        const shared = { name, target: targetOf(options), input: inputOf(options) }
        if (options.kind === 'webhook' && (eventName !== undefined || condition !== undefined))
          throw usage('--event and --condition are for --kind event.')
        if (options.kind === 'event' && eventName === undefined)
          throw usage('Name the event that sets it off: --event NAME.')
        const client = await session.client()
        const made =
          eventName === undefined
            ? await client.createTrigger({ kind: 'webhook', ...shared })
            : await client.createTrigger({ kind: 'event', ...shared, eventName, condition })
        answer(session, createdTrigger, made, () => showTrigger(session, made, made.secret))
      }),
    )
  addListOptions(group.command('list').description('List triggers, newest first'))
    .addOption(new Option('--kind <kind>', 'only of this kind').choices(triggerKind.options))
    .action(
      act(async (session, options: ListOptions & { readonly kind?: Trigger['kind'] }) => {
        const client = await session.client()
        const find = (page: { readonly limit: number; readonly signal: AbortSignal }) =>
          client.listTriggers({ ...page, kind: options.kind })
        await answerList(session, trigger, options, find, triggerColumns(session))
      }),
    )
  group
    .command('rotate')
    .description('Give a webhook a new secret; the one before counts for a day more')
    .argument('<trigger>', 'the id of the trigger')
    .action(
      act(async (session, id: string) => {
        const rotated = await (await session.client()).rotateTriggerSecret(id)
        answer(session, rotatedSecret, rotated, (out) => {
          showDetails(out, [
            ['secret', rotated.secret],
            ['previous until', fullTime(rotated.previousUntil, session.now())],
          ])
          session.note('Keep the secret: it is shown this once and stored nowhere.')
        })
      }),
    )
  addTriggerActions(group, act, 'trigger')
}

/** What is done with one, whatever its kind. */
export function addTriggerActions(group: Command, act: Act, what: 'trigger' | 'schedule'): void {
  group
    .command('get')
    .description(`Show a ${what}: its last tick, and the next ones`)
    .argument(`<${what}>`, `the id of the ${what}`)
    .action(
      act(async (session, id: string) => {
        const found = await (await session.client()).getTrigger(id)
        answer(session, trigger, found, () => showTrigger(session, found))
      }),
    )
  for (const [command, state, description] of [
    ['pause', 'paused', `Pause a ${what}`],
    ['resume', 'active', `Let a paused ${what} go on`],
  ] as const) {
    group
      .command(command)
      .description(description)
      .argument(`<${what}>`, `the id of the ${what}`)
      .action(
        act(async (session, id: string) => {
          const changed = await (await session.client()).updateTrigger(id, { state })
          answer(session, trigger, changed, () => showTrigger(session, changed))
        }),
      )
  }
  group
    .command('delete')
    .description(`Delete a ${what}; its runs stay`)
    .argument(`<${what}>`, `the id of the ${what}`)
    .action(
      act(async (session, id: string) => {
        await (await session.client()).deleteTrigger(id)
        session.note(`Deleted ${id}.`)
      }),
    )
}

export function addEventCommands(program: Command, act: Act): void {
  program
    .command('event')
    .description('Named events')
    .command('send')
    .description('Send an event to the runs that wait for it, and to the triggers that it sets off')
    .argument('<name>', 'the name of the event')
    .option('--correlation <text>', 'what it is about: the id of an order …')
    .option('--data <json>', 'what it says, as JSON')
    .action(
      act(
        async (session, name: string, options: { readonly correlation?: string; readonly data?: string }) => {
          const data = options.data === undefined ? undefined : parseArgument(options.data, '--data')
          const { correlation } = options
          const sent = await (await session.client()).sendEvent({ name, correlation, data })
          answer(session, sentEvent, sent, (out) =>
            showDetails(out, [
              ['id', sent.id],
              ['name', sent.name],
              ['correlation', sent.correlation],
              ['sent', fullTime(sent.createdAt, session.now())],
            ]),
          )
        },
      ),
    )
}
