// `enqueue-run`: records a run and ends; a worker takes it when it is due. Prints what a script needs to find it again.

import type { Command } from 'commander'
import { Option } from 'commander'
import { isJsonObject, type JsonObject } from '../../base/json.ts'
import { type JobPriority, jobPriority } from '../../contract/job.ts'
import { type Run, run } from '../../contract/run.ts'
import type { Act } from '../act.ts'
import { usage } from '../cli-failure.ts'
import { delay, moment } from '../input/option-values.ts'
import { parseArgument } from '../input/parse-document.ts'
import { readStdin } from '../input/read-text.ts'
import { answer } from '../output/answers.ts'
import { showDetails } from '../output/details.ts'
import { fullTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'

interface EnqueueOptions {
  readonly input?: string
  readonly workflow?: true
  readonly priority?: JobPriority
  readonly delay?: string
  readonly at?: string
  readonly dedupKey?: string
  readonly project?: string
}

export function addEnqueueRunCommand(program: Command, act: Act): void {
  program
    .command('enqueue-run')
    .description('Put a run in the queue without waiting for it, and print the run and its job')
    .argument('<agent_name>', 'id or name of an agent, or of a workflow with --workflow')
    .option('--input <input>', 'a question, or a JSON object; "-" or nothing reads standard input')
    .option('--workflow', 'run a workflow instead of an agent')
    .addOption(
      new Option('--priority <priority>', 'before or after others of the same tenant').choices(
        jobPriority.options,
      ),
    )
    .addOption(
      new Option('--delay <duration>', 'not before so long from now, for example 10m')
        .argParser(delay)
        .conflicts('at'),
    )
    .option('--at <time>', 'not before this time, for example 2027-01-31T08:00:00Z', moment)
    .option('--project <project>', 'the id of the project that it costs')
    .option('--dedup-key <key>', 'while a run with this key is open, print that one and make none')
    .action(
      act(async (session, name: string, options: EnqueueOptions) => {
        const started = await enqueue(session, name, options)
        answer(session, run, started, (out) =>
          showDetails(out, [
            ['run', started.id],
            ['job', started.jobId],
            ['state', started.state],
            ['not before', fullTime(options.delay ?? options.at ?? null, session.now())],
          ]),
        )
      }),
    )
}

async function enqueue(session: Session, name: string, options: EnqueueOptions): Promise<Run> {
  const input = await inputOf(session, options)
  const { priority, dedupKey, project: projectId } = options
  const more = { priority, notBefore: options.delay ?? options.at, dedupKey, projectId }
  const client = await session.client()
  if (options.workflow !== true) return client.runAgent(name, { ...more, input }, { wait: false })
  if (typeof input === 'string')
    throw usage('The input of a workflow is a JSON object: --input \'{"a": 1}\'.')
  return client.runWorkflow(name, { ...more, input }, { wait: false })
}

async function inputOf(session: Session, { input, workflow }: EnqueueOptions): Promise<string | JsonObject> {
  const fromStdin = input === undefined || input === '-'
  if (fromStdin && session.world.stdin.isTTY === true) {
    if (workflow) return {}
    throw usage('Give --input "QUESTION", or pipe the question in.')
  }
  const text = (fromStdin ? await readStdin(session.world) : input).trim()
  if (text === '') {
    if (workflow) return {}
    throw usage('The input is empty.')
  }
  if (!text.startsWith('{')) return text
  const value = parseArgument(text, '--input')
  if (!isJsonObject(value)) throw usage('--input must be a text or a JSON object.')
  return value
}
