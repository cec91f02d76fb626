// What a host project defines, as data for the catalog: each agent and workflow after those that it calls.

import type { Defined } from '../../catalog/check/references.ts'
import { referencesOf } from '../../catalog/check/references.ts'
import type { HostProject } from './host-project.ts'
import type { DefinitionSet } from './sync-definitions.ts'

export function definitionSetOf(project: HostProject): DefinitionSet {
  return {
    tools: [...project.codeTools.map(({ definition }) => definition), ...project.plainTools],
    agents: calledFirst(
      project.agents.map(({ definition }) => definition),
      (definition) => ({ kind: 'agent', definition }),
    ),
    workflows: calledFirst(
      project.workflows.map(({ definition }) => definition),
      (definition) => ({ kind: 'workflow', definition }),
    ),
  }
}

/** Each after those of its kind that it calls. Where they call each other in a circle, the catalog says so. */
function calledFirst<D extends { readonly name: string }>(
  definitions: readonly D[],
  defined: (definition: D) => Defined,
): readonly D[] {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]))
  const ordered = new Set<D>()
  const visiting = new Set<string>()
  const visit = (definition: D): void => {
    if (visiting.has(definition.name)) return
    visiting.add(definition.name)
    const what = defined(definition)
    for (const { kind, name } of referencesOf(what)) {
      const called = kind === what.kind ? byName.get(name) : undefined
      if (called !== undefined) visit(called)
    }
    ordered.add(definition)
  }
  for (const definition of definitions) visit(definition)
  return [...ordered]
}
