// What a host project defines, as data for the catalog, agents after those that they call.

import type { AgentDefinition } from '../../contract/agent.ts'
import type { HostProject } from './host-project.ts'
import type { DefinitionSet } from './sync-definitions.ts'

export function definitionSetOf(project: HostProject): DefinitionSet {
  return {
    tools: [...project.codeTools.map(({ definition }) => definition), ...project.plainTools],
    agents: calledFirst(project.agents.map(({ definition }) => definition)),
    workflows: project.workflows.map(({ definition }) => definition),
  }
}

/** Each agent after its sub-agents. Where they call each other in a circle, the catalog says so. */
function calledFirst(agents: readonly AgentDefinition[]): readonly AgentDefinition[] {
  const byName = new Map(agents.map((agent) => [agent.name, agent]))
  const ordered = new Set<AgentDefinition>()
  const visiting = new Set<string>()
  const visit = (agent: AgentDefinition): void => {
    if (visiting.has(agent.name)) return
    visiting.add(agent.name)
    for (const name of agent.subAgents ?? []) {
      const called = byName.get(name)
      if (called !== undefined) visit(called)
    }
    ordered.add(agent)
  }
  for (const agent of agents) visit(agent)
  return [...ordered]
}
