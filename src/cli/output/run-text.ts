// Runs, their steps and events in words.

import type { Run, RunEventResource, Step } from '../../contract/run.ts'
import type { Channel, Style } from './channel.ts'
import { costText, counted } from './cost-text.ts'
import { oneLine } from './escape.ts'
import { durationText } from './time-text.ts'

const STYLES: Readonly<Record<string, Style>> = {
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
  waiting: 'yellow',
  running: 'cyan',
  queued: 'dim',
}

/** `waiting (approval)`, in the colour of the state. */
export function stateText(channel: Channel, run: Pick<Run, 'state' | 'waitingReason'>): string {
  const text = run.waitingReason === null ? run.state : `${run.state} (${run.waitingReason})`
  return channel.paint(STYLES[run.state] ?? 'bold', text)
}

/** `run_… · completed · 3 steps · 1 tool call · 512 tokens in, 60 out · $0.0012 · 1.4 s`. */
export function runSummary(run: Run): string {
  const end = run.finishedAt === null ? undefined : Date.parse(run.finishedAt) - Date.parse(run.createdAt)
  const parts = [
    run.id,
    run.waitingReason === null ? run.state : `${run.state} (${run.waitingReason})`,
    counted(run.stepCount, 'step'),
    counted(run.toolCallCount, 'tool call'),
    `${run.usage.inputTokens} tokens in, ${run.usage.outputTokens} out`,
    costText(run.costUsd, run.unpricedCalls),
    ...(end === undefined ? [] : [durationText(end)]),
  ]
  return parts.join(' · ')
}

/** The output as text: what the agent said, or the JSON of a structured answer. */
export function outputText(run: Run): string {
  if (run.output === null) return ''
  return typeof run.output === 'string' ? run.output : JSON.stringify(run.output, undefined, 2)
}

/** `12  tool.finished  search_documents  step=2`. */
export function eventText(event: RunEventResource): string {
  const facts = Object.entries(event.data).flatMap(([name, value]) =>
    value === null ? [] : [`${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`],
  )
  const what = `${event.type.padEnd(18)}  ${oneLine(facts.join('  '))}`
  return `${String(event.runSeq).padStart(4)}  ${what}`.trimEnd()
}

export function stepMs({ startedAt, finishedAt }: Pick<Step, 'startedAt' | 'finishedAt'>): string {
  return finishedAt === null ? '' : durationText(Date.parse(finishedAt) - Date.parse(startedAt))
}

export function shortInput(run: Pick<Run, 'input'>): string {
  return typeof run.input === 'string' ? run.input : JSON.stringify(run.input)
}
