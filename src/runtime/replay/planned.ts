// What a replay runs: the pinned definition as it was, with changes, or another version of it.

import { AppError } from '../../base/errors.ts'
import type { AgentId, WorkflowId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { Pins, Planner } from '../agent/plan.ts'
import type { RunRow } from '../journal/run-store.ts'
import { effectiveLimits } from '../run-limits.ts'
import type { ReplayInput } from '../runtime.ts'
import { effectiveWorkflowLimits } from '../workflow/workflow-limits.ts'
import { checkWorkflowInput, type WorkflowPins, type WorkflowPlanner } from '../workflow/workflow-plan.ts'

export interface Planned {
  readonly version: number
  readonly digest: string
  /** JSON. */
  readonly pins: string
  readonly limits: string
  /** How many runs of the definition may be driven at a time. */
  readonly cap: number | null
}

export interface PlannedDeps {
  readonly planner: Planner
  readonly workflows: WorkflowPlanner
}

/** A plan that cannot be made is the caller's to hear of, not a run that fails later. `input` is JSON. */
export function plannedReplay(
  deps: PlannedDeps,
  original: RunRow,
  changes: ReplayInput,
  input: string,
): Promise<Planned> {
  return original.kind === 'agent'
    ? plannedAgent(deps, original, changes)
    : plannedWorkflow(deps, original, changes, input)
}

/** What both versions name stays pinned as it was, the rest is found now. */
async function plannedAgent(
  { planner }: PlannedDeps,
  original: RunRow,
  { version = original.definitionVersion, model, instructions }: ReplayInput,
): Promise<Planned> {
  const { tenantId } = original
  const id = original.definitionId as AgentId
  const agent = await planner.agent(tenantId, id, version)
  const same = version === original.definitionVersion
  const pins = same
    ? original.pins
    : JSON.stringify(await planner.pin(tenantId, agent, JSON.parse(original.pins) as Pins))
  await planner.plan(tenantId, id, version, pins, { model, instructions })
  const { limits, maxConcurrentRuns } = agent.definition
  return {
    version,
    digest: agent.digest,
    pins,
    limits: same ? original.limits : JSON.stringify(effectiveLimits(limits, undefined)),
    cap: maxConcurrentRuns ?? null,
  }
}

async function plannedWorkflow(
  { workflows }: PlannedDeps,
  original: RunRow,
  { version = original.definitionVersion, model, instructions }: ReplayInput,
  input: string,
): Promise<Planned> {
  if (model !== undefined || instructions !== undefined) {
    throw new AppError(
      'request.invalid',
      'A workflow has no model and no instructions of its own: replay the run of one of its agents, or another version.',
    )
  }
  const { tenantId } = original
  const id = original.definitionId as WorkflowId
  const workflow = await workflows.workflow(tenantId, id, version)
  const { definition, digest } = workflow
  checkWorkflowInput(definition, JSON.parse(input) as Json)
  const same = version === original.definitionVersion
  const pins = same
    ? original.pins
    : JSON.stringify(
        keptPins(await workflows.pin(tenantId, workflow), JSON.parse(original.pins) as WorkflowPins),
      )
  await workflows.plan(tenantId, id, version, pins)
  return {
    version,
    digest,
    pins,
    limits: same ? original.limits : JSON.stringify(effectiveWorkflowLimits(definition.limits)),
    cap: definition.maxConcurrentRuns ?? null,
  }
}

function keptPins(found: WorkflowPins, known: WorkflowPins): WorkflowPins {
  return {
    tools: kept(found.tools, known.tools),
    agents: kept(found.agents, known.agents),
    workflows: kept(found.workflows, known.workflows),
    below: { ...found.below, ...known.below },
  }
}

function kept<P>(found: Readonly<Record<string, P>>, known: Readonly<Record<string, P>>): Record<string, P> {
  return Object.fromEntries(Object.entries(found).map(([name, pin]) => [name, known[name] ?? pin]))
}
