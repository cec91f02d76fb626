// `workflow visualize`: a workflow, or a run of one, drawn as Mermaid text or as SVG.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { PAGE_SIZE_MAX } from '../../base/limits.ts'
import type { Step } from '../../contract/run.ts'
import { type WorkflowDefinition, workflowDefinition } from '../../contract/workflow.ts'
import { nodeStates } from '../../define/drawing/node-states.ts'
import type { NodeStates } from '../../define/drawing/workflow-chart.ts'
import type { Act } from '../act.ts'
import { usage } from '../cli-failure.ts'
import { decoded, parseDocument } from '../input/parse-document.ts'
import { readText } from '../input/read-text.ts'
import { writeJson } from '../output/answers.ts'
import { visible } from '../output/escape.ts'
import type { Session } from '../session.ts'
import { version } from './definition-writes.ts'

/** How many steps of a run are read for its drawing. */
const STEPS_READ_MAX = 20_000
const FORMATS = ['mermaid', 'svg'] as const

interface VisualizeOptions {
  readonly format?: (typeof FORMATS)[number]
  readonly output?: string
  readonly version?: number
  readonly run?: string
}

interface Drawn {
  readonly definition: WorkflowDefinition
  readonly states?: NodeStates
}

export function addWorkflowVisualize(group: Command, act: Act): void {
  group
    .command('visualize')
    .description('Draw a workflow, or a run of one with the state of each node')
    .argument(
      '[workflow]',
      'id, name, or a file in JSON or YAML (with "." or "/" in its name); "-" reads standard input',
    )
    .option('--version <number>', 'another version than the published one', version)
    .option('--run <run-id>', 'the version that this run has, with the states of its nodes')
    .addOption(
      new Option(
        '--format <format>',
        'mermaid text or an SVG; without it, what the output is called',
      ).choices(FORMATS),
    )
    .option('--output <file>', 'write to this file')
    .action(act(visualize))
}

async function visualize(
  session: Session,
  workflow: string | undefined,
  options: VisualizeOptions,
): Promise<void> {
  const { output } = options
  const format = options.format ?? (output?.endsWith('.svg') ? 'svg' : 'mermaid')
  const { definition, states } = await drawn(session, workflow, options)
  const text = await drawing(format, definition, states)
  if (output !== undefined) {
    await write(resolve(session.world.folder, output), text)
    return session.note(`Wrote ${output}.`)
  }
  if (session.json) writeJson(session, { format, text })
  else session.out.write(session.out.live ? visible(text) : text)
}

async function drawn(
  session: Session,
  workflow: string | undefined,
  { run, version }: VisualizeOptions,
): Promise<Drawn> {
  if (run !== undefined) {
    if (workflow !== undefined || version !== undefined)
      throw usage('Give --run alone: the run says which workflow and version it has.')
    return drawnRun(session, run)
  }
  if (workflow === undefined) throw usage('Name a workflow or a file, or give --run.')
  if (workflow === '-' || /[./\\]/.test(workflow)) {
    if (version !== undefined) throw usage('A file has no versions: leave --version out.')
    const wire = parseDocument(await readText(session.world, workflow), workflow)
    return { definition: decoded(workflowDefinition, wire, workflow) }
  }
  const client = await session.client()
  const found =
    version === undefined
      ? await client.getWorkflow(workflow)
      : await client.getWorkflowVersion(workflow, version)
  return { definition: found.definition }
}

async function drawnRun(session: Session, id: string): Promise<Drawn> {
  const client = await session.client()
  const { workflow } = await client.getRun(id)
  if (workflow === null) throw usage(`The run ${id} is not one of a workflow.`)
  const { definition } = await client.getWorkflowVersion(workflow.id, workflow.version)
  const steps: Step[] = []
  for await (const step of client.listSteps(id, { limit: PAGE_SIZE_MAX })) {
    steps.push(step)
    if (steps.length >= STEPS_READ_MAX) {
      session.note(`Only the first ${STEPS_READ_MAX} steps of the run are shown.`)
      break
    }
  }
  return { definition, states: nodeStates(steps) }
}

/** What lays out is loaded where something is drawn. */
async function drawing(
  format: (typeof FORMATS)[number],
  definition: WorkflowDefinition,
  states: NodeStates | undefined,
): Promise<string> {
  if (format === 'mermaid')
    return (await import('../../define/drawing/mermaid.ts')).workflowMermaid(definition, states)
  return (await import('../../define/drawing/svg.ts')).workflowSvg(definition, states)
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (cause) {
    throw usage(`The file ${path} cannot be written: check the folder.`, { cause })
  }
}
