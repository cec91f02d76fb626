// `run diff`: two runs side by side, step by step: what was answered, called and given, and what it cost.

import type { Command } from 'commander'
import { z } from 'zod'
import { json } from '../../contract/fields.ts'
import type { ModelCall } from '../../contract/model-call.ts'
import type { Run, Step } from '../../contract/run.ts'
import type { Client } from '../../sdk/client.ts'
import type { PageList } from '../../sdk/page-list.ts'
import type { Act } from '../act.ts'
import { CliFailure } from '../cli-failure.ts'
import { answer } from '../output/answers.ts'
import { costText } from '../output/cost-text.ts'
import { oneLine } from '../output/escape.ts'
import { type Aligned, align } from './step-alignment.ts'

/** Beyond so many steps a comparison says nothing to a reader. */
const STEPS_MAX = 2_000
const PAGE = 200

const side = z.object({
  seq: z.int(),
  kind: z.string(),
  name: z.string(),
  state: z.string(),
  input: json.optional(),
  output: json.optional(),
  error: z.string().nullable(),
  tokens: z.int().nullable(),
})
const summary = z.object({
  run: z.string(),
  state: z.string(),
  version: z.int().nullable(),
  output: json,
  error: z.string().nullable(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  costUsd: z.string(),
  unpricedCalls: z.int(),
})
const runDiff = z.object({
  a: summary,
  b: summary,
  /** Names of what differs between the runs as a whole. */
  differs: z.array(z.string()),
  steps: z.array(
    z.object({
      change: z.enum(['same', 'changed', 'only_a', 'only_b']),
      differs: z.array(z.string()),
      a: side.nullable(),
      b: side.nullable(),
    }),
  ),
})
type RunDiff = z.infer<typeof runDiff>
type Side = z.infer<typeof side>
type Summary = z.infer<typeof summary>

export function addDiffCommand(group: Command, act: Act): void {
  group
    .command('diff')
    .description('Compare two runs step by step, a run and its replay say')
    .argument('<a>', 'the id of a run')
    .argument('<b>', 'the id of another run')
    .action(
      act(async (session, a: string, b: string) => {
        const client = await session.client()
        const [left, right] = await Promise.all([sidesOf(client, a), sidesOf(client, b)])
        const diff = diffOf(left, right)
        answer(session, runDiff, diff, (out) => {
          for (const line of diffLines(diff)) out.line(line)
        })
      }),
    )
}

interface Sides {
  readonly run: Run
  readonly steps: readonly Side[]
}

async function sidesOf(client: Client, id: string): Promise<Sides> {
  const run = await client.getRun(id)
  if (run.stepCount > STEPS_MAX)
    throw new CliFailure('failed', `The run ${id} has ${run.stepCount} steps; at most ${STEPS_MAX} compare.`)
  const steps = await all(client.listSteps(id, { limit: PAGE }))
  const calls = new Map(
    (await all(client.listModelCalls(id, { limit: PAGE }))).map((call) => [call.step, call]),
  )
  return { run, steps: steps.map((step) => sideOf(step, calls.get(step.seq))) }
}

async function all<T>(list: PageList<T>): Promise<readonly T[]> {
  const items: T[] = []
  for await (const item of list) items.push(item)
  return items
}

function sideOf(step: Step, call: ModelCall | undefined): Side {
  const { seq, kind, name, path, state, input, output, error } = step
  return {
    seq,
    kind,
    name: path ?? name,
    state,
    ...(input === undefined || input === null ? {} : { input }),
    ...(output === undefined || output === null ? {} : { output }),
    error: error === null ? null : `${error.code}: ${error.message}`,
    tokens: call === undefined ? null : call.usage.inputTokens + call.usage.outputTokens,
  }
}

function diffOf(a: Sides, b: Sides): RunDiff {
  const left = summaryOf(a.run)
  const right = summaryOf(b.run)
  const names = Object.keys(left).filter((name): name is keyof Summary => name !== 'run')
  return {
    a: left,
    b: right,
    differs: names.filter((name) => !same(left[name], right[name])),
    steps: align(a.steps, b.steps, keyOf).map(stepDiff),
  }
}

/** Attempts at models stand for each other, whatever the model. */
function keyOf({ kind, name }: Side): string {
  return kind === 'model' || kind === 'compaction' ? kind : `${kind} ${name}`
}

function stepDiff({ a, b }: Aligned<Side>): RunDiff['steps'][number] {
  if (a === null || b === null) return { change: a === null ? 'only_b' : 'only_a', differs: [], a, b }
  const differs = (['name', 'state', 'input', 'output', 'error', 'tokens'] as const).filter(
    // A step that was taken over has no call of its own.
    (name) => !same(a[name], b[name]) && !(name === 'tokens' && (a.tokens === null || b.tokens === null)),
  )
  return { change: differs.length === 0 ? 'same' : 'changed', differs, a, b }
}

function summaryOf(run: Run): Summary {
  const { id, state, output, error, usage, costUsd, unpricedCalls } = run
  return {
    run: id,
    state,
    version: (run.agent ?? run.workflow)?.version ?? null,
    output,
    error: error === null ? null : `${error.code}: ${error.message}`,
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    costUsd,
    unpricedCalls,
  }
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

const MARK = { same: '  ', changed: '~ ', only_a: '- ', only_b: '+ ' } as const

function diffLines({ a, b, differs, steps }: RunDiff): readonly string[] {
  const lines = [`- ${a.run}`, `+ ${b.run}`]
  for (const step of steps) {
    const shown = step.b ?? step.a
    if (shown === null) continue
    const places = [step.a?.seq, step.b?.seq].map((seq) => (seq === undefined ? '.' : String(seq)))
    lines.push(oneLine(`${MARK[step.change]}${places.join('/')} ${shown.kind} ${shown.name} ${shown.state}`))
    for (const name of step.differs) lines.push(...pair(name, step.a, step.b))
  }
  if (differs.length === 0) return [...lines, 'The two runs ended alike.']
  for (const name of differs) {
    if (name === 'costUsd' || name === 'unpricedCalls') continue
    lines.push(...pair(name, a, b))
  }
  if (differs.includes('costUsd') || differs.includes('unpricedCalls'))
    lines.push(`    cost: ${costText(a.costUsd, a.unpricedCalls)} → ${costText(b.costUsd, b.unpricedCalls)}`)
  return lines
}

function pair(name: string, a: object | null, b: object | null): string[] {
  return [`    - ${name}: ${textOf(a, name)}`, `    + ${name}: ${textOf(b, name)}`]
}

function textOf(from: object | null, name: string): string {
  const value = from === null ? undefined : (from as Readonly<Record<string, unknown>>)[name]
  if (value === undefined || value === null) return '(nothing)'
  return oneLine(typeof value === 'string' ? value : JSON.stringify(value))
}
