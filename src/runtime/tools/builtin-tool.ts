// What a built-in tool is. The runtime checks input and output against the schemas, and journals each call.

import type { RunId, TenantId } from '../../base/ids.ts'
import type { Json, JsonObject } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import type { ToolEffect } from '../../contract/tool.ts'

export interface ToolContext {
  readonly tenantId: TenantId
  readonly runId: RunId
  /** The same for every try of one call. */
  readonly idempotencyKey: string
  readonly signal: AbortSignal
  readonly nowMs: EpochMs
}

export interface BuiltinTool {
  readonly name: string
  readonly description: string
  /** JSON Schema 2020-12. */
  readonly inputSchema: JsonObject
  readonly outputSchema: JsonObject
  readonly effect: ToolEffect
  /** Its output comes from outside and may try to steer the agent. */
  readonly untrusted: boolean
  /** Of what a tool definition may set; without it, nothing. */
  readonly configSchema?: JsonObject
  /** `input` has been checked. Throws `tool.input-invalid`, `tool.failed` or `definition.invalid` (config). */
  call(input: Json, config: JsonObject, context: ToolContext): Promise<Json>
}
