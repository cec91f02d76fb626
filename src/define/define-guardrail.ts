// Defines a guardrail in the host's own code: what an agent's definition names, and the function that decides.

import type { Json } from '../base/json.ts'
import type { Guardrail } from '../contract/agent.ts'
import { guardrail } from '../contract/agent.ts'
import { checkedDefinition } from './checked-definition.ts'
import type { CodeGuardrail, CodeGuardrailContext, GuardrailVerdict } from './code-tool.ts'

/** What a guardrail looks at, by where it stands. */
export interface GuardrailValues {
  readonly input: string
  readonly output: string
  readonly tool_call: { readonly tool: string; readonly arguments: Json }
}

/** What a guardrail may put in its place: a text, or other arguments for the call. */
export interface GuardrailReplacements {
  readonly input: string
  readonly output: string
  readonly tool_call: Json
}

type Place = Guardrail['on']

export interface GuardrailOptions<P extends Place> {
  readonly name: string
  readonly on: P
  readonly check: (
    value: GuardrailValues[P],
    context: CodeGuardrailContext,
  ) => GuardrailVerdict<GuardrailReplacements[P]> | Promise<GuardrailVerdict<GuardrailReplacements[P]>>
}

/**
 * Defines a guardrail: `defineGuardrail({ name: 'no-shouting', on: 'output', check: (text) =>
 * text === text.toUpperCase() ? { action: 'block', message: 'Do not shout.' } : { action: 'allow' } })`.
 * Throws `definition.invalid` with every wrong field.
 */
export function defineGuardrail<const P extends Place>(options: GuardrailOptions<P>): CodeGuardrail {
  const { name, on, check } = options
  // `modify` says that it may change what it sees; the verdict decides, and may block as well.
  const definition = { name, on, check: { type: 'code', name }, action: 'modify' }
  return {
    definition: checkedDefinition('guardrail', guardrail, definition),
    // The runtime hands over what belongs to the place in `definition.on`.
    check: async (value, context) => check(value as GuardrailValues[P], context),
  }
}
