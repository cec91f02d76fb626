// `jobs`: the queue entries behind runs: looked at, cancelled, tried now, taken up again.

import type { Command } from 'commander'
import { Option } from 'commander'
import type { z } from 'zod'
import {
  type Job,
  job,
  jobState,
  REDRIVE_DEFAULT,
  REDRIVE_MAX,
  redriveJobs,
  redrivenJobs,
} from '../../contract/job.ts'
import type { Client } from '../../sdk/client.ts'
import type { Act } from '../act.ts'
import { CliFailure, usage } from '../cli-failure.ts'
import { whole } from '../input/option-values.ts'
import { answer, answerList, type ListOptions } from '../output/answers.ts'
import { counted } from '../output/cost-text.ts'
import { showDetails } from '../output/details.ts'
import { fullTime, listTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import { addListOptions } from './list-options.ts'

interface JobListOptions extends ListOptions {
  readonly state?: z.output<typeof jobState>
  readonly kind?: string
}

interface RedriveOptions {
  readonly all?: true
  readonly state?: 'dead' | 'unroutable'
  readonly kind?: string
  readonly limit?: number
}

export function addJobCommands(program: Command, act: Act): void {
  const group = program
    .command('jobs')
    .description('Look at the queue entries behind runs, cancel and retry them')
  addListOptions(group.command('list').description('List jobs, newest first'))
    .addOption(new Option('--state <state>', 'only jobs in this state').choices(jobState.options))
    .option('--kind <kind>', 'only jobs of this kind, such as agent')
    .action(
      act(async (session, options: JobListOptions) => {
        const client = await session.client()
        const { state, kind } = options
        await answerList(
          session,
          job,
          options,
          (page) => client.listJobs({ ...page, state, kind }),
          jobColumns(session),
        )
      }),
    )
  addForOne(group, act, 'get', 'Show a job', (client, id) => client.getJob(id))
  addForOne(group, act, 'cancel', 'Cancel a job, and the run that it drives', (client, id) =>
    client.cancelJob(id),
  )
  addForOne(
    group,
    act,
    'retry',
    'Let a job that waits for its next attempt or for a worker be tried now',
    (client, id) => client.retryJob(id),
  )
  group
    .command('redrive')
    .description('Take up a dead job again; a run that failed goes on in a new run')
    .argument('[job]', 'the id of the job; with --all none')
    .option('--all', 'the oldest of all dead jobs')
    .addOption(
      new Option('--state <state>', 'with --all: jobs in this state (default: dead)').choices(
        redriveJobs.shape.state.unwrap().options,
      ),
    )
    .option('--kind <kind>', 'with --all: only jobs of this kind')
    .option(
      '--limit <number>',
      `with --all: at most so many (default: ${REDRIVE_DEFAULT})`,
      whole(1, REDRIVE_MAX),
    )
    .action(act(redrive))
}

function addForOne(
  group: Command,
  act: Act,
  name: string,
  description: string,
  ask: (client: Client, id: string) => Promise<Job>,
): void {
  group
    .command(name)
    .description(description)
    .argument('<job>', 'the id of the job')
    .action(
      act(async (session, id: string) => {
        const found = await ask(await session.client(), id)
        answer(session, job, found, () => showJob(session, found))
      }),
    )
}

async function redrive(session: Session, id: string | undefined, options: RedriveOptions): Promise<void> {
  const { all, state, kind, limit } = options
  if ((id === undefined) !== (all === true)) throw usage('Give the id of a job, or --all.')
  const client = await session.client()
  if (id !== undefined) {
    if (state !== undefined || kind !== undefined || limit !== undefined)
      throw usage('--state, --kind and --limit go with --all.')
    const found = await client.redriveJob(id)
    answer(session, job, found, () => showJob(session, found))
    return
  }
  const answered = await client.redriveJobs({ state, kind, limit })
  const { items, refused, more } = answered
  answer(session, redrivenJobs, answered, (out) => {
    for (const item of items) out.line([item.id, item.runId ?? ''].join('  ').trimEnd())
    session.note(`${counted(items.length, 'job')} taken up again.`)
  })
  for (const { jobId, error } of refused) session.note(`${jobId}: ${error.message}`)
  if (more) session.err.line('There are more: run it again, or give --limit NUMBER.')
  if (refused.length > 0)
    throw new CliFailure('failed', `${counted(refused.length, 'job')} could not be taken up again.`)
}

function jobColumns(session: Session) {
  return [
    { title: 'ID', value: ({ id }: Job) => id, keep: true as const },
    { title: 'KIND', value: ({ kind }: Job) => kind },
    { title: 'STATE', value: ({ state }: Job) => state },
    { title: 'PRIORITY', value: ({ priority }: Job) => priority, optional: true as const },
    {
      title: 'ATTEMPT',
      value: ({ attempt, maxAttempts }: Job) => `${attempt}/${maxAttempts}`,
      align: 'right' as const,
    },
    { title: 'DUE', value: ({ notBefore }: Job) => listTime(session.out, notBefore, session.now()) },
    {
      title: 'ERROR',
      value: ({ error }: Job) => (error === null ? '' : `${error.code}: ${error.message}`),
      optional: true as const,
    },
  ]
}

function showJob(session: Session, found: Job): void {
  const now = session.now()
  showDetails(session.out, [
    ['id', found.id],
    ['kind', found.kind],
    ['run', found.runId ?? undefined],
    ['state', found.state],
    ['priority', found.priority],
    ['attempt', `${found.attempt} of ${found.maxAttempts}`],
    ['worker', found.leaseOwner ?? undefined],
    ['lease until', fullTime(found.leaseUntil, now)],
    ['not before', fullTime(found.notBefore, now)],
    ['progress', found.progress === null ? undefined : JSON.stringify(found.progress)],
    ['error', found.error === null ? undefined : `${found.error.code}: ${found.error.message}`],
    ['created', fullTime(found.createdAt, now)],
    ['finished', fullTime(found.finishedAt, now)],
  ])
}
