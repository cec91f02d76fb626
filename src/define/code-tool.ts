// Tools and guardrails in the host's own code, as the runtime calls them: the definition and the function together.

import type { Json } from '../base/json.ts'
import type { Guardrail } from '../contract/agent.ts'
import type { ToolDefinition } from '../contract/tool.ts'

export interface CodeToolContext {
  readonly tenantId: string
  readonly runId: string
  /** Stable over retries and restarts: hand it to the service that you call, so that an effect happens once. */
  readonly idempotencyKey: string
  /** Aborts when the run is cancelled or the tool's time is over. */
  readonly signal: AbortSignal
  /** Call it from time to time in long work: a sign of life, for a workflow node with `timeout.idle`. */
  readonly heartbeat?: (() => void) | undefined
  readonly nowMs: number
}

/** What became of a call whose result was never recorded. */
export type Reconciliation =
  | { readonly status: 'done'; readonly output: Json }
  | { readonly status: 'not_done' }
  | { readonly status: 'unknown' }

/** A tool in the host's code. `run` checks its input itself, and answers JSON. */
export interface CodeTool {
  readonly definition: ToolDefinition
  run(input: Json, context: CodeToolContext): Promise<Json>
  /** Asked after a crash about a `once` call, before a person is. */
  reconcile?(idempotencyKey: string, input: Json, context: CodeToolContext): Promise<Reconciliation>
}

export interface CodeGuardrailContext {
  readonly tenantId: string
  readonly runId: string
  readonly signal: AbortSignal
  readonly nowMs: number
}

/** `value` takes the place of the text (input, output) or of the arguments (tool_call). */
export type GuardrailVerdict<V = Json> =
  | { readonly action: 'allow' }
  | { readonly action: 'block'; readonly message: string }
  | { readonly action: 'modify'; readonly value: V }

/** A guardrail in the host's code. `value` is a text, or `{tool, arguments}` where it watches tool calls. */
export interface CodeGuardrail {
  /** What stands in the agent's definition. */
  readonly definition: Guardrail
  check(value: Json, context: CodeGuardrailContext): Promise<GuardrailVerdict>
}
