// What a run waits for, and the command that lets it go on: an answer, a time, an event, a worker.

import { type Run, type Step, TERMINAL_STATES } from '../../contract/run.ts'
import type { WorkflowNode } from '../../contract/workflow.ts'
import { innerBlocks } from '../../contract/workflow-graph.ts'
import { ApiError } from '../../sdk/api-error.ts'
import type { Client } from '../../sdk/client.ts'
import { oneLine } from '../output/escape.ts'
import { fullTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'
import { failUnlessCompleted } from './run-outcome.ts'

/** More are shown by `run steps`. */
const WAITS_SHOWN_MAX = 5
/** Runs below runs are looked at so far down. */
const DEPTH_MAX = 10
const PAGE_LIMIT = 200

type WaitingStep = Pick<Step, 'seq' | 'name' | 'path' | 'waitingReason' | 'dueAt'>
type EventWait = NonNullable<Extract<WorkflowNode, { type: 'wait' }>['event']>

export interface Wait {
  /** The run whose step waits: the one that was asked for, or one below it. */
  readonly run: string
  readonly step: WaitingStep
  /** Of an approval: the question that is open. */
  readonly approval?: string | undefined
  readonly event?: EventWait | undefined
}

/** Ends a command that waited for a run: a run that waits is no failure, and is told of; others fail as they do. */
export async function concludeRun(session: Session, client: Client, found: Run): Promise<void> {
  if (!waitsForSomething(found)) return failUnlessCompleted(found)
  if (session.json) return
  for (const line of waitingLines(found, await waitsOf(client, found), session.now()))
    session.note(oneLine(line))
}

/** A money limit is not waited for: it was reached, and has an exit code of its own. */
function waitsForSomething({ state, waitingReason, blockedBy }: Run): boolean {
  if (state === 'waiting') return waitingReason !== 'budget'
  return !TERMINAL_STATES.has(state) && blockedBy !== null
}

/** A line for each thing that a run waits for. */
export function waitingLines(run: Run, waits: readonly Wait[], now: number): readonly string[] {
  const { id, blockedBy, waitingReason } = run
  if (blockedBy !== null)
    return [
      `The run ${id} waits for a worker that can drive it: ${blockedBy.message} (${blockedBy.code}). Start one, then: "agent-factory run watch ${id}".`,
    ]
  if (waits.length === 0)
    return [`The run ${id} waits (${waitingReason ?? 'for no known reason'}): "agent-factory run get ${id}".`]
  const shown = waits.slice(0, WAITS_SHOWN_MAX).map((wait) => lineOf(wait, id, now))
  const more = `It waits for more: "agent-factory run steps ${id}" lists it all.`
  return waits.length > WAITS_SHOWN_MAX ? [...shown, more] : shown
}

function lineOf({ run, step, approval, event }: Wait, root: string, now: number): string {
  const { seq, waitingReason, dueAt } = step
  const name = `"${step.path ?? step.name}"`
  switch (waitingReason) {
    case 'approval': {
      const answer =
        approval === undefined ? `run resolve ${run} ${seq} approve|decline` : `approval approve ${approval}`
      return `The run ${run} waits for approval of ${name}: "agent-factory ${answer}".`
    }
    case 'in_doubt':
      return `The run ${run} is in doubt about ${name}: "agent-factory run resolve ${run} ${seq} succeeded|failed|retry".`
    case 'event': {
      const until = dueAt === null ? '' : `, until ${fullTime(dueAt, now)}`
      if (event === undefined)
        return `The run ${run} waits at ${name} for an event${until}: "agent-factory event send NAME".`
      const correlation = event.correlation === undefined ? '' : ' --correlation TEXT'
      const where = correlation === '' ? '' : `, where TEXT is what ${event.correlation} gives`
      return `The run ${run} waits for the event "${event.name}"${until}: "agent-factory event send ${quoted(event.name)}${correlation}"${where}.`
    }
    case 'time':
      return `The run ${run} waits until ${fullTime(dueAt, now)}: "agent-factory run watch ${root}" follows it.`
    case 'budget':
      return `The run ${run} waits at ${name} for a budget: "agent-factory run get ${run}" tells which.`
    case null:
      return `The run ${run} waits at ${name}: "agent-factory run get ${run}".`
    default:
      return waitingReason satisfies never
  }
}

/** As a shell takes it. */
function quoted(text: string): string {
  return /^[\w.:/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

async function waitsOf(client: Client, found: Run): Promise<readonly Wait[]> {
  if (found.state !== 'waiting') return []
  const waits: Wait[] = []
  await gather(client, found, waits, 0)
  return waits
}

/** Those of a run in order, and of the runs below it that have not ended. One more than is shown is enough. */
async function gather(client: Client, found: Run, waits: Wait[], depth: number): Promise<void> {
  for await (const step of client.listSteps(found.id, { limit: PAGE_LIMIT })) {
    if (waits.length > WAITS_SHOWN_MAX) return
    if (step.state === 'waiting') waits.push(await waitOf(client, found, step))
    else if (step.childRunId !== null && step.finishedAt === null && depth < DEPTH_MAX)
      await gather(client, await client.getRun(step.childRunId), waits, depth + 1)
  }
}

async function waitOf(client: Client, found: Run, step: Step): Promise<Wait> {
  const wait = { run: found.id, step }
  if (step.waitingReason === 'approval') {
    const open = client.listApprovals({ run: found.id, state: 'pending', limit: PAGE_LIMIT })
    for await (const approval of open)
      if (approval.step === step.seq) return { ...wait, approval: approval.id }
  }
  return step.waitingReason === 'event' ? { ...wait, event: await eventOf(client, found, step) } : wait
}

/** What the workflow's version says of the event; undefined for those who may not read it. */
async function eventOf(client: Client, { workflow }: Run, step: Step): Promise<EventWait | undefined> {
  if (workflow === null) return undefined
  try {
    const { definition } = await client.getWorkflowVersion(workflow.id, workflow.version)
    return eventIn(definition.nodes, step.name)
  } catch (error) {
    if (error instanceof ApiError) return undefined
    throw error
  }
}

function eventIn(nodes: readonly WorkflowNode[], id: string): EventWait | undefined {
  for (const node of nodes) {
    if (node.type === 'wait' && node.id === id) return node.event
    const inside = innerBlocks(node).flatMap((inner) => eventIn(inner.nodes, id) ?? [])
    if (inside[0] !== undefined) return inside[0]
  }
  return undefined
}
