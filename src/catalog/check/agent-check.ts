// What an agent's definition means, beyond its form: every error at once.

import type { FieldError } from '../../base/errors.ts'
import type { AgentDefinition } from '../../contract/agent.ts'
import type { Checks } from './checks.ts'
import { below, repeated } from './checks.ts'
import { guardrailErrors } from './guardrail-check.ts'

export function agentErrors(checks: Checks, agent: AgentDefinition): FieldError[] {
  return [
    ...modelErrors(checks, agent),
    ...(agent.outputSchema ? below('/output_schema', checks.checkSchema(agent.outputSchema)) : []),
    ...callableErrors(agent.tools ?? [], agent.subAgents ?? []),
    ...guardrailErrors(checks, agent.guardrails ?? []),
  ]
}

function modelErrors({ modelKnown }: Checks, agent: AgentDefinition): FieldError[] {
  if (modelKnown === undefined) return []
  const fallbacks = (agent.fallbackModels ?? []).flatMap((model, index) =>
    below(`/fallback_models/${index}`, modelKnown(model)),
  )
  return [...below('/model', modelKnown(agent.model)), ...fallbacks]
}

/** To the model, tools and sub-agents are one list: a name may stand in it once. */
function callableErrors(tools: readonly string[], subAgents: readonly string[]): FieldError[] {
  const callables = [
    ...tools.map((name, index) => ({ name, path: `/tools/${index}` })),
    ...subAgents.map((name, index) => ({ name, path: `/sub_agents/${index}` })),
  ]
  return repeated(
    callables,
    ({ name }) => name,
    (index, first) => ({
      path: callables[index]?.path ?? '',
      message: `names "${callables[index]?.name}" again (also at ${callables[first]?.path}); tools and sub-agents share their names`,
    }),
  )
}
