// Owns definitions: agents, tools and workflows as immutable versions. It never runs one and fetches nothing.
// The API changes them through `agents`, `tools` and `workflows`; the runtime reads them through `versions`.

import type { Clock } from '../base/time.ts'
import type { Database } from '../storage/database.ts'
import type { Catalog } from './catalog.ts'
import { agentErrors } from './check/agent-check.ts'
import type { Checks } from './check/checks.ts'
import { createRules } from './check/rules.ts'
import { toolErrors, toolNameErrors } from './check/tool-check.ts'
import { workflowErrors } from './check/workflow-check.ts'
import { createDefinitions } from './definitions/definitions.ts'
import { KINDS } from './kind.ts'
import { createVersionReader } from './versions/version-reader.ts'

export interface CatalogDeps extends Checks {
  readonly db: Database
  readonly clock: Clock
}

export function createCatalog(deps: CatalogDeps): Catalog {
  const { db, clock } = deps
  const versions = createVersionReader(db, clock)
  const write = { db, clock, changed: versions.forget }
  return {
    agents: createDefinitions<'agent'>({
      ...write,
      data: KINDS.agent,
      rules: createRules(deps, KINDS.agent, {
        defined: (definition) => ({ kind: 'agent', definition }),
        errors: (definition) => agentErrors(deps, definition),
      }),
    }),
    tools: createDefinitions<'tool'>({
      ...write,
      data: KINDS.tool,
      rules: createRules(deps, KINDS.tool, {
        defined: (definition) => ({ kind: 'tool', definition }),
        errors: (definition) => toolErrors(deps, definition),
        newErrors: (definition) => toolNameErrors(deps, definition),
      }),
    }),
    workflows: createDefinitions<'workflow'>({
      ...write,
      data: KINDS.workflow,
      rules: createRules(deps, KINDS.workflow, {
        defined: (definition) => ({ kind: 'workflow', definition }),
        errors: (definition) => workflowErrors(deps, definition),
      }),
    }),
    versions,
  }
}
