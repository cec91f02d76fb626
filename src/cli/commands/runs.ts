// `run`: what was and is executed, and the answers that waiting steps need.

import type { Command } from 'commander'
import { Option } from 'commander'
import type { z } from 'zod'
import { type Run, run, runState, step } from '../../contract/run.ts'
import type { Act } from '../act.ts'
import { seconds } from '../input/option-values.ts'
import { answer, answerList, type ListOptions } from '../output/answers.ts'
import { costText } from '../output/cost-text.ts'
import { shortInput, stateText, stepMs } from '../output/run-text.ts'
import { listTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import { addListOptions } from './list-options.ts'
import { addModelCallCommand } from './model-calls.ts'
import { nodesOf, showNodes } from './node-list.ts'
import { addDiffCommand } from './run-diff.ts'
import { addReplayCommand } from './run-replay.ts'
import { addResolveCommand } from './run-resolve.ts'
import { showRun } from './run-view.ts'
import { addWatchCommand } from './run-watch.ts'

interface RunListOptions extends ListOptions {
  readonly state?: z.output<typeof run>['state']
  readonly agent?: string
  readonly workflow?: string
  readonly session?: string
  readonly replays?: boolean
}

const MS = 1_000

export function addRunCommands(program: Command, act: Act): void {
  const group = program.command('run').description('Look at runs, watch, cancel and answer them')
  addListOptions(group.command('list').description('List runs, newest first'))
    .addOption(new Option('--state <state>', 'only runs in this state').choices(runState.options))
    .option('--agent <agent>', 'only runs of this agent (id or name)')
    .option('--workflow <workflow>', 'only runs of this workflow (id or name)')
    .option('--session <session>', 'only runs of this session')
    .option('--replays', 'only replays')
    .option('--no-replays', 'no replays')
    .action(
      act(async (session, options: RunListOptions) => {
        const client = await session.client()
        const { state, agent, workflow, session: sessionId, replays } = options
        await answerList(
          session,
          run,
          options,
          (page) => client.listRuns({ ...page, state, agent, workflow, sessionId, replays }),
          runColumns(session),
        )
      }),
    )
  group
    .command('get')
    .description('Show a run')
    .argument('<run>', 'the id of the run')
    .option('--wait <seconds>', 'wait at most so long until it has ended or waits for somebody', seconds)
    .action(
      act(async (session, id: string, options: { wait?: number }) => {
        const client = await session.client()
        const signal = session.world.interrupted()
        const found =
          options.wait === undefined
            ? await client.getRun(id)
            : await client.waitForRun(id, { waitMs: options.wait * MS, signal })
        const nodes = session.json ? [] : await nodesOf(client, found)
        answer(session, run, found, () => {
          showRun(session, found)
          showNodes(session, nodes)
        })
      }),
    )
  addWatchCommand(group, act)
  addListOptions(group.command('steps').description('List the steps of a run, in order'))
    .argument('<run>', 'the id of the run')
    .action(
      act(async (session, id: string, options: ListOptions) => {
        const client = await session.client()
        await answerList(session, step, options, (page) => client.listSteps(id, page), [
          { title: 'STEP', value: ({ seq }) => String(seq), align: 'right' },
          { title: 'KIND', value: ({ kind }) => kind },
          { title: 'NAME', value: ({ name, path }) => path ?? name },
          {
            title: 'STATE',
            value: ({ state, waitingReason, attempt }) =>
              [state, waitingReason && `(${waitingReason})`, attempt > 1 && `attempt ${attempt}`]
                .filter(Boolean)
                .join(' '),
          },
          { title: 'TIME', value: stepMs, align: 'right' },
          { title: 'RUN', value: ({ childRunId }) => childRunId ?? '', keep: true },
          {
            title: 'ERROR',
            value: ({ error }) => (error === null ? '' : `${error.code}: ${error.message}`),
            optional: true,
          },
        ])
      }),
    )
  group
    .command('cancel')
    .description('Ask a run to stop')
    .argument('<run>', 'the id of the run')
    .action(
      act(async (session, id: string) => {
        const found = await (await session.client()).cancelRun(id)
        answer(session, run, found, () => showRun(session, found))
      }),
    )
  addReplayCommand(group, act)
  addDiffCommand(group, act)
  addResolveCommand(group, act)
  addModelCallCommand(group, act)
}

function runColumns(session: Session) {
  return [
    { title: 'ID', value: ({ id }: Run) => id, keep: true as const },
    { title: 'AGENT', value: ({ agent, workflow }: Run) => (agent ?? workflow)?.name ?? '' },
    { title: 'STATE', value: (item: Run) => stateText({ ...session.out, paint: (_, text) => text }, item) },
    { title: 'CREATED', value: ({ createdAt }: Run) => listTime(session.out, createdAt, session.now()) },
    {
      title: 'COST',
      value: ({ costUsd, unpricedCalls }: Run) => costText(costUsd, unpricedCalls),
      align: 'right' as const,
    },
    { title: 'INPUT', value: shortInput, optional: true as const },
  ]
}
