// A workflow of a thousand steps that do nothing, on a SQLite file: how long it takes, and whether its last step costs
// what an early one does; in turns with OpenWorkflow and Mastra, each on its own SQLite file.

import type { Figure } from '../figure.ts'
import type { WorkflowAnswer, WorkflowQuestion } from '../programs/workflow-steps.ts'
import { installPeers } from '../support/peers.ts'
import { profileShares } from '../support/profile.ts'
import { openProgram, type Program } from '../support/program.ts'
import { median } from '../support/statistics.ts'
import { workFolder } from '../support/work-folder.ts'

const STEPS = 1_000
const WARM_RUNS = 3
/** Ours is quick: several runs in the time of one of the others. */
const RUNS_PER_ROUND = 3
const MS_MAX = 1_000
const GROWTH_MAX = 1.2
/** Steps on each side of the one in question. */
const AROUND = 8
const EARLY = 10
const PEERS = [
  { name: 'OpenWorkflow', path: 'peers/openworkflow-steps.mjs' },
  { name: 'Mastra', path: 'peers/mastra-steps.mjs' },
] as const

type Ours = Program<null, WorkflowQuestion, WorkflowAnswer>
type Peer = Program<null, { readonly steps: number }, { readonly ms: number }>

export async function workflowFigures(rounds: number, profile: boolean): Promise<readonly Figure[]> {
  await using opened = new AsyncDisposableStack()
  const input = async () => ({ folder: opened.use(await workFolder('workflow')).path })
  const ours: Ours = opened.use(await openProgram('programs/workflow-steps.ts', await input()))
  const installed = await installPeers()
  const peers: { readonly name: string; readonly program: Peer; readonly ms: number[] }[] = []
  if (installed.state === 'ready')
    for (const { name, path } of PEERS)
      peers.push({ name, program: opened.use(await openProgram(path, await input())), ms: [] })
  const tools: WorkflowAnswer[] = []
  const transforms: WorkflowAnswer[] = []
  const askOurs = async (nodes: WorkflowQuestion['nodes']): Promise<WorkflowAnswer> =>
    ours.ask({ nodes, steps: STEPS })
  for (let run = 0; run < WARM_RUNS; run++)
    for (const nodes of ['tool', 'transform'] as const) await askOurs(nodes)
  for (const { program } of peers) await program.ask({ steps: EARLY })
  for (let round = 0; round < rounds; round++) {
    for (let run = 0; run < RUNS_PER_ROUND; run++) {
      tools.push(await askOurs('tool'))
      transforms.push(await askOurs('transform'))
    }
    for (const { program, ms } of peers) ms.push((await program.ask({ steps: STEPS })).ms)
  }
  return [
    totalFigure('tool', tools),
    totalFigure('transform', transforms),
    growthFigure(tools),
    ...peers.flatMap(({ name, ms }) => peerFigures(name, median(ms), totalOf(tools))),
    ...(installed.state === 'missing'
      ? PEERS.map(({ name }) => ({ metric: workflowOf(name), unit: 'ms', reason: installed.reason }))
      : []),
    ...(profile
      ? await profileShares(
          'a workflow of tool nodes',
          await ours.profile(() => repeat(() => askOurs('tool'))),
        )
      : []),
  ]
}

async function repeat(work: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < RUNS_PER_ROUND; n++) await work()
}

const totalOf = (answers: readonly WorkflowAnswer[]): number => median(answers.map(({ ms }) => ms))

function workflowOf(name: string): string {
  return `a workflow of 1,000 steps, ${name}`
}

function totalFigure(nodes: WorkflowQuestion['nodes'], answers: readonly WorkflowAnswer[]): Figure {
  return {
    metric: workflowOf(`${nodes} nodes, on a file`),
    value: totalOf(answers),
    unit: 'ms',
    comparison: { kind: 'at-most', limit: MS_MAX },
  }
}

function growthFigure(answers: readonly WorkflowAnswer[]): Figure {
  return {
    metric: 'a workflow’s step around 1,000 beside one around 10, on a file',
    value: stepAround(answers, STEPS - AROUND) / stepAround(answers, EARLY),
    unit: '×',
    comparison: { kind: 'at-most', limit: GROWTH_MAX },
  }
}

function stepAround(answers: readonly WorkflowAnswer[], step: number): number {
  return median(answers.flatMap(({ stepMs }) => stepMs.slice(Math.max(step - AROUND, 0), step + AROUND)))
}

function peerFigures(name: string, value: number, ours: number): readonly Figure[] {
  return [
    { metric: workflowOf(name), value, unit: 'ms' },
    {
      metric: workflowOf(`tool nodes, beside ${name}`),
      value: ours,
      unit: 'ms',
      comparison: { kind: 'peer', name, value },
    },
  ]
}
