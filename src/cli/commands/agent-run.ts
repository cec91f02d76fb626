// `agent run`: asks an agent and prints what it answers, live on a terminal. Only the answer goes to standard output.

import type { Command } from 'commander'
import { isJsonObject } from '../../base/json.ts'
import type { AgentLimits } from '../../contract/agent.ts'
import { type Run, run, type StartRun } from '../../contract/run.ts'
import type { Client } from '../../sdk/client.ts'
import type { Act } from '../act.ts'
import { CliFailure, usage } from '../cli-failure.ts'
import { seconds, usd, whole } from '../input/option-values.ts'
import { parseArgument } from '../input/parse-document.ts'
import { readStdin } from '../input/read-text.ts'
import { answer } from '../output/answers.ts'
import { visible } from '../output/escape.ts'
import { outputText } from '../output/run-text.ts'
import { createSpinner } from '../output/spinner.ts'
import type { Session } from '../session.ts'
import { createAnswerStream } from './answer-stream.ts'
import { noteSummary, showRun } from './run-view.ts'
import { concludeRun } from './run-waiting.ts'

interface AgentRunOptions {
  readonly session?: string
  readonly project?: string
  readonly input?: string
  readonly stream: boolean
  readonly detach?: true
  readonly maxSteps?: number
  readonly maxToolCalls?: number
  readonly maxTokens?: number
  readonly maxCost?: string
  readonly timeout?: number
}

const COUNT_MAX = 100_000_000
const STEPS_MAX = 10_000

export function addAgentRunCommand(group: Command, act: Act): void {
  group
    .command('run')
    .description('Ask an agent and print its answer; the question may come from standard input')
    .argument('<agent>', 'id or name')
    .argument('[question...]', 'what to ask; "-" or nothing reads standard input')
    .option('--session <session>', 'as the next turn of this conversation')
    .option('--project <project>', 'the id of the project that it costs')
    .option('--input <json>', 'a JSON object instead of a question')
    .option('--no-stream', 'print the answer when it is complete')
    .option('--detach', 'do not wait: print the run as it is recorded')
    .option('--max-steps <number>', 'end the run after so many answers of the model', whole(1, STEPS_MAX))
    .option('--max-tool-calls <number>', 'end the run after so many tool calls', whole(0, STEPS_MAX))
    .option('--max-tokens <number>', 'end the run after so many tokens in and out', whole(1, COUNT_MAX))
    .option('--max-cost <usd>', 'end the run when it has cost so much', usd)
    .option('--timeout <seconds>', 'end the run after so long', seconds)
    .action(
      act(async (session, agent: string, words: readonly string[], options: AgentRunOptions) => {
        const request = { ...(await inputOf(session, words, options)), ...moreOf(options) }
        const client = await session.client({ drives: options.detach !== true })
        if (options.detach) {
          const started = await client.runAgent(agent, request, { wait: false })
          answer(session, run, started, () => showRun(session, started))
          return
        }
        const live = session.out.live && options.stream && !session.json
        await finish(session, client, await (live ? askLive : askQuietly)(session, client, agent, request))
      }),
    )
}

async function inputOf(
  session: Session,
  words: readonly string[],
  { input }: AgentRunOptions,
): Promise<{ readonly input: StartRun['input'] }> {
  if (input !== undefined) {
    if (words.length > 0) throw usage('Give a question or --input, not both.')
    const value = parseArgument(input, '--input')
    if (!isJsonObject(value)) throw usage('--input must be a JSON object.')
    return { input: value }
  }
  const fromStdin = words.length === 0 || (words.length === 1 && words[0] === '-')
  if (fromStdin && session.world.stdin.isTTY === true)
    throw usage('Give a question: agent-factory agent run AGENT "QUESTION".')
  const text = fromStdin ? await readStdin(session.world) : words.join(' ')
  if (text.trim() === '') throw usage('The question is empty.')
  return { input: fromStdin ? text.trim() : text }
}

function moreOf(options: AgentRunOptions): Pick<StartRun, 'sessionId' | 'projectId' | 'limits'> {
  const limits: AgentLimits = {
    ...(options.maxSteps !== undefined && { maxSteps: options.maxSteps }),
    ...(options.maxToolCalls !== undefined && { maxToolCalls: options.maxToolCalls }),
    ...(options.maxTokens !== undefined && { maxTokens: options.maxTokens }),
    ...(options.maxCost !== undefined && { maxCostUsd: options.maxCost }),
    ...(options.timeout !== undefined && { timeoutMs: Math.ceil(options.timeout * 1_000) }),
  }
  return {
    ...(options.session !== undefined && { sessionId: options.session }),
    ...(options.project !== undefined && { projectId: options.project }),
    ...(Object.keys(limits).length > 0 && { limits }),
  }
}

/** Prints text as it arrives, and what the final answer has beyond it. */
async function askLive(session: Session, client: Client, agent: string, request: StartRun): Promise<Run> {
  const signal = session.world.interrupted()
  using spinner = createSpinner(session.err, `${agent} is working`)
  const started = await client.runAgent(agent, request, { wait: false, signal })
  const stream = createAnswerStream(session.out, spinner)
  const left = new AbortController()
  try {
    for await (const item of client.streamRun(started.id, {
      signal: AbortSignal.any([signal, left.signal]),
    })) {
      stream.take(item)
      // Nothing more comes until somebody answers.
      if (item.type === 'event' && item.event.type === 'run.waiting') break
    }
  } catch (error) {
    if (!signal.aborted) throw error
    stream.end('')
    throw stillGoing(started.id)
  } finally {
    left.abort()
  }
  const found = await client.waitForRun(started.id, { signal })
  spinner.clear()
  stream.end(visible(outputText(found)))
  return found
}

async function askQuietly(session: Session, client: Client, agent: string, request: StartRun): Promise<Run> {
  const signal = session.world.interrupted()
  using _spinner = createSpinner(session.err, `${agent} is working`)
  const started = await client.runAgent(agent, request, { wait: false, signal })
  try {
    const found = await client.waitForRun(started.id, { signal })
    if (!session.json && found.output !== null) {
      const text = outputText(found)
      session.out.line(session.out.live ? visible(text) : text)
    }
    return found
  } catch (error) {
    if (signal.aborted) throw stillGoing(started.id)
    throw error
  }
}

async function finish(session: Session, client: Client, found: Run): Promise<void> {
  if (session.json) answer(session, run, found, () => undefined)
  noteSummary(session, found)
  await concludeRun(session, client, found)
}

function stillGoing(id: string): CliFailure {
  return new CliFailure(
    'interrupted',
    `Left the run; it goes on while a server runs: "agent-factory run watch ${id}", "agent-factory run cancel ${id}".`,
  )
}
