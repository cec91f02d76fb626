// The plan of a run: its agent, with every tool and sub-agent found and pinned. Made once per version, kept.

import { createBoundedMap } from '../../base/bounded-map.ts'
import { AppError } from '../../base/errors.ts'
import type { AgentId, TenantId, ToolId } from '../../base/ids.ts'
import type { JsonObject } from '../../base/json.ts'
import { compileSchema } from '../../base/json-schema.ts'
import type { Version, VersionReader } from '../../catalog/catalog.ts'
import type { AgentDefinition } from '../../contract/agent.ts'
import type { CodeGuardrail } from '../../define/code-tool.ts'
import type { ModelSettings, ModelTimeouts, ModelTool } from '../../models/model.ts'
import { SAFE_PATTERNS } from '../../sandbox/safe-patterns.ts'
import { hashOf } from '../journal/message-store.ts'
import { compileGuardrails, type Guardrails } from './guardrails.ts'
import { isStorageTrouble } from './storage-trouble.ts'
import { bindBuiltin, bindCode, bindDefinition, type ToolBinding, type ToolSources } from './tool-binding.ts'

const PLANS_MAX = 1_000
const TIMEOUTS: ModelTimeouts = { firstTokenMs: 60_000, betweenChunksMs: 60_000, totalMs: 300_000 }
const SUB_AGENT_INPUT: JsonObject = {
  type: 'object',
  properties: {
    input: { type: 'string', description: 'What the agent is to do or answer, with all it needs to know.' },
  },
  required: ['input'],
  additionalProperties: false,
}

/** Which versions a run uses. Built-in and code tools that no tenant defined have no version. */
export interface Pins {
  readonly tools: Readonly<Record<string, { readonly id: ToolId; readonly version: number }>>
  readonly agents: Readonly<Record<string, { readonly id: AgentId; readonly version: number }>>
  /** What the agents below use, by their id, through any depth: found when the run was accepted, like its own. */
  readonly below?: Readonly<Record<string, Omit<Pins, 'below'>>>
}

/** What a replay changes of the pinned definition. */
export interface PlanChanges {
  readonly model?: string | undefined
  readonly instructions?: string | undefined
}

export type Callable =
  | { readonly type: 'tool'; readonly tool: ToolBinding }
  | { readonly type: 'agent'; readonly name: string; readonly id: AgentId; readonly version: number }

export interface AgentPlan {
  readonly definition: AgentDefinition
  readonly models: readonly string[]
  readonly settings: ModelSettings
  readonly timeouts: ModelTimeouts
  readonly callables: ReadonlyMap<string, Callable>
  readonly modelTools: readonly ModelTool[]
  readonly guardrails: Guardrails
  readonly checkOutput: ReturnType<typeof compileSchema> | undefined
  /** JSON of what every model call of the run begins with, and its hash: how the prompt log refers to it. */
  readonly head: { readonly hash: string; readonly content: string }
}

export interface PlannerDeps extends ToolSources {
  readonly versions: VersionReader
  readonly codeGuardrails: ReadonlyMap<string, CodeGuardrail>
}

export interface Planner {
  /** A tool as a new run would find it. Throws `tool.not-found`. */
  tool(tenantId: TenantId, name: string): Promise<ToolBinding>
  /** A tool as it was pinned, or the host's own where none was. Throws `tool.not-found`, `tool.unregistered`. */
  boundTool(tenantId: TenantId, name: string, pinned: Pins['tools'][string] | undefined): Promise<ToolBinding>
  agent(tenantId: TenantId, id: AgentId, version: number): Promise<Version<'agent'>>
  /**
   * Finds the published versions of all that the agent names: what a new run pins. What `known` pins of it already stays
   * as it is.
   */
  pin(tenantId: TenantId, agent: Version<'agent'>, known?: Pins): Promise<Pins>
  plan(
    tenantId: TenantId,
    agentId: AgentId,
    version: number,
    pins: string,
    changes?: PlanChanges,
  ): Promise<AgentPlan>
}

export function createPlanner(deps: PlannerDeps): Planner {
  const plans = createBoundedMap<AgentPlan>(PLANS_MAX)
  return {
    tool: (tenantId, name) => currentTool(deps, tenantId, name),
    async boundTool(tenantId, name, pinned) {
      if (pinned !== undefined) {
        const version = await deps.versions.pinnedTool(tenantId, pinned.id, pinned.version)
        return bindDefinition(version.definition, deps)
      }
      const tool = hostTool(deps, name)
      if (tool === undefined) throw new AppError('tool.unregistered', `This server has no tool "${name}".`)
      return tool
    },
    agent: (tenantId, id, version) => deps.versions.pinnedAgent(tenantId, id, version),
    pin: (tenantId, agent, known) => pin(deps, tenantId, agent, known),
    async plan(tenantId, agentId, version, pins, changes = {}) {
      const { model, instructions } = changes
      const key = `${tenantId} ${agentId} ${version} ${JSON.stringify({ model, instructions })} ${pins}`
      const known = plans.get(key)
      if (known !== undefined) return known
      const agent = await deps.versions.pinnedAgent(tenantId, agentId, version)
      const definition = changed(agent.definition, changes)
      const made = await makePlan(deps, tenantId, { ...agent, definition }, JSON.parse(pins) as Pins)
      plans.set(key, made)
      return made
    },
  }
}

/** Another model answers alone: a fallback would be a model that nobody asked for. */
function changed(definition: AgentDefinition, { model, instructions }: PlanChanges): AgentDefinition {
  return {
    ...definition,
    ...(instructions === undefined ? {} : { instructions }),
    ...(model === undefined ? {} : { model, fallbackModels: [] }),
  }
}

async function pin(
  deps: PlannerDeps,
  tenantId: TenantId,
  agent: Version<'agent'>,
  known: Pins | undefined,
): Promise<Pins> {
  const own = await pinOwn(deps, tenantId, agent, known)
  const below: Record<string, Omit<Pins, 'below'>> = { ...known?.below }
  await pinBelow(deps, tenantId, own, below)
  return Object.keys(below).length === 0 ? own : { ...own, below }
}

async function pinOwn(
  deps: PlannerDeps,
  tenantId: TenantId,
  agent: Version<'agent'>,
  known: Pins | undefined,
): Promise<Omit<Pins, 'below'>> {
  const tools: Record<string, { id: ToolId; version: number }> = {}
  for (const name of agent.definition.tools ?? []) {
    const tool = known?.tools[name] ?? (await deps.versions.publishedTool(tenantId, name))
    if (tool !== undefined) tools[name] = { id: tool.id, version: tool.version }
    else if (!deps.codeTools.has(name) && !deps.builtinTools.has(name)) throw missingTool(agent, name)
  }
  const agents: Record<string, { id: AgentId; version: number }> = {}
  for (const name of agent.definition.subAgents ?? []) {
    const sub = known?.agents[name] ?? (await deps.versions.publishedAgent(tenantId, name))
    agents[name] = { id: sub.id, version: sub.version }
  }
  return { tools, agents }
}

/** Adds what the agents below use. One whose pins cannot be found fails when it is called: its caller may do without it. */
async function pinBelow(
  deps: PlannerDeps,
  tenantId: TenantId,
  { agents }: Omit<Pins, 'below'>,
  below: Record<string, Omit<Pins, 'below'>>,
): Promise<void> {
  for (const { id, version } of Object.values(agents)) {
    if (below[id] !== undefined) continue
    try {
      const sub = await deps.versions.pinnedAgent(tenantId, id, version)
      const pins = await pinOwn(deps, tenantId, sub, undefined)
      below[id] = pins
      await pinBelow(deps, tenantId, pins, below)
    } catch (error) {
      if (!(error instanceof AppError) || isStorageTrouble(error)) throw error
    }
  }
}

async function makePlan(
  deps: PlannerDeps,
  tenantId: TenantId,
  agent: Version<'agent'>,
  pins: Pins,
): Promise<AgentPlan> {
  const { definition } = agent
  const callables = new Map<string, Callable>()
  const modelTools: ModelTool[] = []
  for (const name of definition.tools ?? []) {
    const tool = await bindTool(deps, tenantId, agent, name, pins)
    callables.set(name, { type: 'tool', tool })
    modelTools.push(tool.model)
  }
  for (const [name, { id, version }] of Object.entries(pins.agents)) {
    const sub = await deps.versions.pinnedAgent(tenantId, id, version)
    callables.set(name, { type: 'agent', name, id, version })
    modelTools.push({
      name,
      description: sub.definition.description ?? `Asks the agent "${name}".`,
      inputSchema: SUB_AGENT_INPUT,
    })
  }
  const settings = withoutUndefined(definition.modelSettings ?? {})
  const content = JSON.stringify({
    instructions: definition.instructions,
    tools: modelTools,
    settings,
    outputSchema: definition.outputSchema ?? null,
  })
  return {
    definition,
    models: [definition.model, ...(definition.fallbackModels ?? [])],
    settings,
    timeouts: {
      firstTokenMs: definition.timeouts?.firstTokenMs ?? TIMEOUTS.firstTokenMs,
      betweenChunksMs: definition.timeouts?.betweenChunksMs ?? TIMEOUTS.betweenChunksMs,
      totalMs: definition.timeouts?.totalMs ?? TIMEOUTS.totalMs,
    },
    callables,
    modelTools,
    guardrails: compileGuardrails(definition.guardrails ?? [], deps.codeGuardrails),
    checkOutput:
      definition.outputSchema === undefined
        ? undefined
        : compileSchema(definition.outputSchema, SAFE_PATTERNS),
    head: { hash: hashOf(content), content },
  }
}

async function bindTool(
  deps: PlannerDeps,
  tenantId: TenantId,
  agent: Version<'agent'>,
  name: string,
  pins: Pins,
): Promise<ToolBinding> {
  const pinned = pins.tools[name]
  if (pinned !== undefined) {
    const version = await deps.versions.pinnedTool(tenantId, pinned.id, pinned.version)
    return bindDefinition(version.definition, deps)
  }
  const tool = hostTool(deps, name)
  if (tool === undefined) throw notHere(agent, name)
  return tool
}

async function currentTool(deps: PlannerDeps, tenantId: TenantId, name: string): Promise<ToolBinding> {
  const version = await deps.versions.publishedTool(tenantId, name)
  const tool = version === undefined ? hostTool(deps, name) : bindDefinition(version.definition, deps)
  if (tool === undefined)
    throw new AppError(
      'tool.not-found',
      `There is no tool "${name}" that is published, registered or built in.`,
    )
  return tool
}

/** A tool that no tenant defined: the host's own, or a built-in one. */
function hostTool(deps: PlannerDeps, name: string): ToolBinding | undefined {
  const code = deps.codeTools.get(name)
  if (code !== undefined) return bindCode(code, code.definition)
  const builtin = deps.builtinTools.get(name)
  return builtin === undefined
    ? undefined
    : bindBuiltin(builtin, { name, description: builtin.description }, {})
}

/** A setting that was not given is not there, rather than undefined. */
function withoutUndefined(settings: NonNullable<AgentDefinition['modelSettings']>): ModelSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

/** It was the host's own where the run was accepted. */
function notHere(agent: Version<'agent'>, name: string): AppError {
  return new AppError(
    'tool.unregistered',
    `This server has no tool "${name}", which the agent "${agent.definition.name}" uses. Register it in the host's code.`,
  )
}

function missingTool(agent: Version<'agent'>, name: string): AppError {
  return new AppError(
    'tool.not-published',
    `The agent "${agent.definition.name}" uses the tool "${name}", which is not published, registered or built in. Publish it, or take it out of the agent.`,
  )
}
