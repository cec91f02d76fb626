// Turns of a scripted model that tests of tools share.

import type { JsonObject } from '../../src/base/json.ts'
import type { ScriptedTurn } from '../../src/models/scripted/script.ts'

/** A turn that calls tools: `calling(['look'], ['pay', { amount: 5 }])`. */
export function calling(...calls: readonly (readonly [tool: string, input?: JsonObject])[]): ScriptedTurn {
  return { toolCalls: calls.map(([tool, input = {}]) => ({ tool, arguments: input })) }
}
