// `schedule`: triggers that start runs by the clock.

import type { Command } from 'commander'
import { Option } from 'commander'
import { trigger } from '../../contract/trigger.ts'
import type { Act } from '../act.ts'
import { answer, answerList, type ListOptions } from '../output/answers.ts'
import { addListOptions } from './list-options.ts'
import { scheduleColumns, showTrigger } from './trigger-view.ts'
import { addTargetOptions, addTriggerActions, inputOf, type TargetOptions, targetOf } from './triggers.ts'

interface CreateOptions extends TargetOptions {
  readonly cron: string
  readonly timezone?: string
  readonly missed?: 'skip' | 'last' | 'all'
}

export function addScheduleCommands(program: Command, act: Act): void {
  const group = program.command('schedule').description('Start runs by the clock')
  addTargetOptions(group.command('create').description('Create a schedule, and show when it ticks next'))
    .requiredOption('--cron <fields>', 'minute hour day month weekday, with seconds first, or @daily …')
    .option('--timezone <zone>', 'an IANA zone such as Europe/Berlin (default: UTC)')
    .addOption(
      new Option('--missed <policy>', 'ticks that nobody was there for (default: skip)').choices([
        'skip',
        'last',
        'all',
      ]),
    )
    .action(
      act(async (session, name: string, options: CreateOptions) => {
        const { cron, timezone, missed } = options
        const made = await (await session.client()).createTrigger({
          kind: 'schedule',
          name,
          target: targetOf(options),
          input: inputOf(options),
          cron,
          timezone,
          missed,
        })
        answer(session, trigger, made, () => showTrigger(session, made))
      }),
    )
  addListOptions(group.command('list').description('List schedules, newest first')).action(
    act(async (session, options: ListOptions) => {
      const client = await session.client()
      const find = (page: { readonly limit: number; readonly signal: AbortSignal }) =>
        client.listTriggers({ ...page, kind: 'schedule' })
      await answerList(session, trigger, options, find, scheduleColumns(session))
    }),
  )
  addTriggerActions(group, act, 'schedule')
}
