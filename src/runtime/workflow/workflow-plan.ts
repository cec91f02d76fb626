// The plan of a workflow's run: its definition, with every tool, agent and workflow that it names found and pinned.

import { createBoundedMap } from '../../base/bounded-map.ts'
import { AppError, type FieldError } from '../../base/errors.ts'
import type { TenantId, WorkflowId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import { compileSchema } from '../../base/json-schema.ts'
import type { Version, VersionReader } from '../../catalog/catalog.ts'
import type { WorkflowDefinition, WorkflowNode } from '../../contract/workflow.ts'
import { SAFE_PATTERNS } from '../../sandbox/safe-patterns.ts'
import type { Pins, Planner } from '../agent/plan.ts'
import type { ToolBinding } from '../agent/tool-binding.ts'
import { everyNode, namedCalls } from './named-calls.ts'

const PLANS_MAX = 1_000

type OwnPins = Omit<Pins, 'below'>
type PinnedWorkflows = Readonly<Record<string, { readonly id: WorkflowId; readonly version: number }>>

/** What a workflow's run uses, whatever is published meanwhile; `below`, by id, what the runs below it use, through any depth. */
export interface WorkflowPins extends OwnPins {
  readonly workflows: PinnedWorkflows
  readonly below: Readonly<Record<string, OwnPins & { readonly workflows?: PinnedWorkflows }>>
}

export interface WorkflowPlan {
  readonly definition: WorkflowDefinition
  readonly pins: WorkflowPins
  readonly tools: ReadonlyMap<string, ToolBinding>
  /** The nodes that are compensated, or hold one that is. */
  readonly undone: ReadonlySet<WorkflowNode>
  checkOutput(output: Json): readonly FieldError[]
}

export interface WorkflowPlanner {
  workflow(tenantId: TenantId, id: WorkflowId, version: number): Promise<Version<'workflow'>>
  /** Finds the published versions of all that the workflow names, at any depth: what a new run pins. */
  pin(tenantId: TenantId, workflow: Version<'workflow'>): Promise<WorkflowPins>
  plan(tenantId: TenantId, id: WorkflowId, version: number, pins: string): Promise<WorkflowPlan>
}

export interface WorkflowPlannerDeps {
  readonly versions: VersionReader
  readonly planner: Planner
}

export function createWorkflowPlanner(deps: WorkflowPlannerDeps): WorkflowPlanner {
  const plans = createBoundedMap<WorkflowPlan>(PLANS_MAX)
  const { versions } = deps
  return {
    workflow: (tenantId, id, version) => versions.pinnedWorkflow(tenantId, id, version),
    pin: (tenantId, workflow) => pin(deps, tenantId, workflow),
    async plan(tenantId, id, version, pins) {
      const key = `${tenantId} ${id} ${version} ${pins}`
      const known = plans.get(key)
      if (known !== undefined) return known
      const { definition } = await versions.pinnedWorkflow(tenantId, id, version)
      const made = await makePlan(deps, tenantId, definition, JSON.parse(pins) as WorkflowPins)
      plans.set(key, made)
      return made
    },
  }
}

/** Throws `workflow.input-invalid` with every wrong path. */
export function checkWorkflowInput({ name, inputSchema }: WorkflowDefinition, input: Json): void {
  if (inputSchema === undefined) return
  const errors = compileSchema(inputSchema, SAFE_PATTERNS)(input)
  if (errors.length === 0) return
  const list = errors.slice(0, 5).map(({ path, message }) => `${path || '(whole)'}: ${message}`)
  throw new AppError(
    'workflow.input-invalid',
    `The input does not follow the schema of "${name}". ${list.join('; ')}`,
    {
      errors: errors.map(({ path, message }) => ({ path: `/input${path}`, message })),
    },
  )
}

type Below = Record<string, OwnPins & { workflows?: PinnedWorkflows }>

async function pin(
  deps: WorkflowPlannerDeps,
  tenantId: TenantId,
  workflow: Version<'workflow'>,
): Promise<WorkflowPins> {
  const below: Below = {}
  return { ...(await pinOwn(deps, tenantId, workflow, below)), below }
}

async function pinOwn(
  deps: WorkflowPlannerDeps,
  tenantId: TenantId,
  { definition }: Version<'workflow'>,
  below: Below,
): Promise<OwnPins & { workflows: PinnedWorkflows }> {
  const { versions, planner } = deps
  const named = namedCalls(definition.nodes)
  const tools: Record<string, OwnPins['tools'][string]> = {}
  for (const name of named.tools) {
    const tool = await versions.publishedTool(tenantId, name)
    if (tool !== undefined) tools[name] = { id: tool.id, version: tool.version }
    else await planner.tool(tenantId, name)
  }
  const agents: Record<string, OwnPins['agents'][string]> = {}
  for (const name of named.agents) {
    const agent = await versions.publishedAgent(tenantId, name)
    agents[name] = { id: agent.id, version: agent.version }
    if (below[agent.id] !== undefined) continue
    const { below: deeper, ...own } = await planner.pin(tenantId, agent)
    Object.assign(below, { ...deeper, ...below, [agent.id]: own })
  }
  const workflows: Record<string, PinnedWorkflows[string]> = {}
  for (const name of named.workflows) {
    const child = await versions.publishedWorkflow(tenantId, name)
    workflows[name] = { id: child.id, version: child.version }
    if (below[child.id] !== undefined) continue
    // Marked before it is looked into: a workflow may call itself, up to the depth that runs may have.
    below[child.id] = { tools: {}, agents: {}, workflows: {} }
    below[child.id] = await pinOwn(deps, tenantId, child, below)
  }
  return { tools, agents, workflows }
}

async function makePlan(
  deps: WorkflowPlannerDeps,
  tenantId: TenantId,
  definition: WorkflowDefinition,
  pins: WorkflowPins,
): Promise<WorkflowPlan> {
  const tools = new Map<string, ToolBinding>()
  for (const name of namedCalls(definition.nodes).tools)
    tools.set(name, await deps.planner.boundTool(tenantId, name, pins.tools[name]))
  const { outputSchema } = definition
  const undone = new Set<WorkflowNode>()
  for (const node of everyNode(definition.nodes)) {
    const inside = [...everyNode([node])]
    if (inside.some(({ compensate }) => compensate !== undefined)) undone.add(node)
  }
  return {
    definition,
    pins,
    tools,
    undone,
    checkOutput: outputSchema === undefined ? () => [] : compileSchema(outputSchema, SAFE_PATTERNS),
  }
}
