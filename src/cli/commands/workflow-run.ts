// `workflow run`: runs a workflow and prints what it answers. Only the answer goes to standard output.

import type { Command } from 'commander'
import { isJsonObject } from '../../base/json.ts'
import { type Run, run, type StartWorkflow } from '../../contract/run.ts'
import type { Client } from '../../sdk/client.ts'
import type { Act } from '../act.ts'
import { CliFailure } from '../cli-failure.ts'
import { parseArgument } from '../input/parse-document.ts'
import { readText } from '../input/read-text.ts'
import { answer } from '../output/answers.ts'
import { visible } from '../output/escape.ts'
import { outputText } from '../output/run-text.ts'
import { createSpinner } from '../output/spinner.ts'
import type { Session } from '../session.ts'
import { noteSummary, showRun } from './run-view.ts'
import { concludeRun } from './run-waiting.ts'

interface WorkflowRunOptions {
  readonly input?: string
  readonly project?: string
  readonly wait: boolean
}

export function addWorkflowRunCommand(group: Command, act: Act): void {
  group
    .command('run')
    .description('Run a workflow and print its answer')
    .argument('<workflow>', 'id or name')
    .option('--input <json>', 'a JSON object, a text, or @FILE ("@-" reads standard input)')
    .option('--project <project>', 'the id of the project that it costs')
    .option('--wait', 'wait until it has ended or waits for somebody', true)
    .option('--no-wait', 'do not wait: print the run as it is recorded')
    .action(
      act(async (session, workflow: string, options: WorkflowRunOptions) => {
        const request = { ...(await requestOf(session, options)), projectId: options.project }
        const client = await session.client({ drives: options.wait })
        const signal = session.world.interrupted()
        const started = await client.runWorkflow(workflow, request, { wait: false, signal })
        if (!options.wait) return answer(session, run, started, () => showRun(session, started))
        await finish(session, client, await settled(session, client, workflow, started))
      }),
    )
}

async function requestOf(session: Session, { input }: WorkflowRunOptions): Promise<StartWorkflow> {
  if (input === undefined) return {}
  const text = input.startsWith('@') ? await readText(session.world, input.slice(1)) : input
  if (!text.trimStart().startsWith('{')) return { input: text.trim() }
  const value = parseArgument(text, '--input')
  return { input: isJsonObject(value) ? value : text.trim() }
}

async function settled(session: Session, client: Client, workflow: string, started: Run): Promise<Run> {
  const signal = session.world.interrupted()
  using _spinner = createSpinner(session.err, `${workflow} is working`)
  try {
    return await client.waitForRun(started.id, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
    throw new CliFailure(
      'interrupted',
      `Left the run; it goes on while a server runs: "agent-factory run watch ${started.id}".`,
    )
  }
}

async function finish(session: Session, client: Client, found: Run): Promise<void> {
  answer(session, run, found, () => {
    if (found.output === null) return
    const text = outputText(found)
    session.out.line(session.out.live ? visible(text) : text)
  })
  noteSummary(session, found)
  await concludeRun(session, client, found)
}
