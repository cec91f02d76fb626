// The host project: agents, tools, guardrails and workflows in somebody's own TypeScript, gathered by name.

import type { ToolDefinition } from '../../contract/tool.ts'
import type { CodeGuardrail, CodeTool } from '../../define/code-tool.ts'
import type { DefinedAgent } from '../../define/define-agent.ts'
import type { DefinedWorkflow } from '../../define/defined-workflow.ts'

/** What is wrong with one file of the project. */
export interface HostProblem {
  /** Relative to the project. */
  readonly file: string
  readonly reason: string
}

export interface HostProject {
  readonly agents: readonly DefinedAgent[]
  readonly codeTools: readonly CodeTool[]
  /** Tools that are data: HTTP operations, built-in tools with a configuration. */
  readonly plainTools: readonly ToolDefinition[]
  readonly guardrails: readonly CodeGuardrail[]
  readonly workflows: readonly DefinedWorkflow[]
  readonly problems: readonly HostProblem[]
}

export const EMPTY_PROJECT: HostProject = {
  agents: [],
  codeTools: [],
  plainTools: [],
  guardrails: [],
  workflows: [],
  problems: [],
}

interface HostKinds {
  readonly agent: DefinedAgent
  readonly workflow: DefinedWorkflow
  readonly guardrail: CodeGuardrail
  readonly 'code-tool': CodeTool
  readonly 'plain-tool': ToolDefinition
}

export type HostItem = {
  [K in keyof HostKinds]: { readonly kind: K; readonly value: HostKinds[K] }
}[keyof HostKinds]

export interface HostCollector {
  /** Takes an item and what it was given as values. The same item twice is one; two of one name are a problem. */
  add(file: string, item: HostItem): void
  problem(file: string, reason: string): void
  project(): HostProject
}

export function createHostCollector(): HostCollector {
  const held = new Map<string, { readonly item: HostItem; readonly file: string }>()
  const problems: HostProblem[] = []

  const add = (file: string, item: HostItem): void => {
    const name = nameOf(item)
    const key = `${spaceOf(item)} ${name}`
    const known = held.get(key)
    if (known?.item.value === item.value) return
    if (known !== undefined) {
      problems.push({
        file,
        reason: `defines the ${spaceOf(item)} "${name}", which ${known.file} defines as well`,
      })
      return
    }
    held.set(key, { item, file })
    for (const part of partsOf(item)) add(file, part)
  }

  const values = <K extends keyof HostKinds>(kind: K): HostKinds[K][] =>
    [...held.values()].flatMap(({ item }) => (item.kind === kind ? [item.value as HostKinds[K]] : []))

  return {
    add,
    problem: (file, reason) => void problems.push({ file, reason }),
    project: () => ({
      agents: values('agent'),
      codeTools: values('code-tool'),
      plainTools: values('plain-tool'),
      guardrails: values('guardrail'),
      workflows: values('workflow'),
      problems,
    }),
  }
}

/** Items that share their names. */
function spaceOf(item: HostItem): string {
  return item.kind === 'code-tool' || item.kind === 'plain-tool' ? 'tool' : item.kind
}

function nameOf(item: HostItem): string {
  return item.kind === 'plain-tool' ? item.value.name : item.value.definition.name
}

function partsOf(item: HostItem): readonly HostItem[] {
  if (item.kind === 'agent') {
    const { tools, subAgents, guardrails } = item.value
    return [
      ...tools.map(toolItem),
      ...subAgents.map((value) => ({ kind: 'agent', value }) as const),
      ...guardrails.map((value) => ({ kind: 'guardrail', value }) as const),
    ]
  }
  if (item.kind === 'workflow') {
    return [
      ...item.value.tools.map(toolItem),
      ...item.value.agents.map((value) => ({ kind: 'agent', value }) as const),
      // Another copy of this package, older than this one, knows no workflows inside of workflows.
      ...(item.value.workflows ?? []).map((value) => ({ kind: 'workflow', value }) as const),
    ]
  }
  return []
}

function toolItem(tool: CodeTool | ToolDefinition): HostItem {
  return 'definition' in tool ? { kind: 'code-tool', value: tool } : { kind: 'plain-tool', value: tool }
}
