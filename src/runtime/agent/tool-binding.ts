// A tool as the loop calls it, whatever stands behind it: a built-in tool, the host's code, an HTTP operation.

import { AppError, type FieldError } from '../../base/errors.ts'
import type { RunId, TenantId } from '../../base/ids.ts'
import type { Json, JsonObject } from '../../base/json.ts'
import { compileSchema } from '../../base/json-schema.ts'
import type { EpochMs } from '../../base/time.ts'
import type { HttpImplementation, ToolDefinition, ToolEffect } from '../../contract/tool.ts'
import type { CodeTool, Reconciliation } from '../../define/code-tool.ts'
import type { ModelTool } from '../../models/model.ts'
import { SAFE_PATTERNS } from '../../sandbox/safe-patterns.ts'
import type { BuiltinTool } from '../tools/builtin-tool.ts'

export const TOOL_TIMEOUT_MS_DEFAULT = 60_000
const ATTEMPTS_DEFAULT = 2

export interface ToolCallContext {
  readonly tenantId: TenantId
  readonly runId: RunId
  readonly idempotencyKey: string
  /** The step of the run that makes the call; a test of a tool has none. */
  readonly step?: number | undefined
  readonly signal: AbortSignal
  /** A sign of life, for a node with an idle timeout. */
  readonly heartbeat?: (() => void) | undefined
  readonly nowMs: EpochMs
}

/** A call failed in the run that is replayed: its message stands as it was. */
export class RecordedFailure extends AppError {}

export interface ToolBinding {
  readonly name: string
  readonly model: ModelTool
  readonly effect: ToolEffect
  readonly timeoutMs: number
  readonly maxAttempts: number
  readonly approval: 'never' | 'auto' | 'always'
  readonly untrusted: boolean
  /** Of a replay: it answers from the record, and is nobody's usage. */
  readonly fromRecord?: true
  checkInput(input: Json): readonly FieldError[]
  checkOutput(output: Json): readonly FieldError[]
  call(input: Json, context: ToolCallContext): Promise<Json>
  /** Of a `once` tool that can find out whether a call happened. */
  readonly reconcile: ((input: Json, context: ToolCallContext) => Promise<Reconciliation>) | undefined
}

export interface ToolSources {
  readonly builtinTools: ReadonlyMap<string, BuiltinTool>
  readonly codeTools: ReadonlyMap<string, CodeTool>
  callHttp(
    implementation: HttpImplementation,
    effect: ToolEffect,
    input: Json,
    context: ToolCallContext,
  ): Promise<Json>
}

/** Binds a tool that a tenant defined. Throws `tool.unregistered` where the host has no such function. */
export function bindDefinition(definition: ToolDefinition, sources: ToolSources): ToolBinding {
  const { implementation } = definition
  switch (implementation.type) {
    case 'builtin': {
      const builtin = sources.builtinTools.get(implementation.name)
      if (builtin === undefined) throw unregistered('built-in tool', implementation.name)
      return bindBuiltin(builtin, definition, implementation.config ?? {})
    }
    case 'code': {
      const tool = sources.codeTools.get(implementation.name)
      if (tool === undefined) throw unregistered('code tool', implementation.name)
      return bindCode(tool, definition)
    }
    case 'http': {
      const effect = definition.effect ?? 'once'
      return bind(definition, {
        effect,
        inputSchema: definition.inputSchema ?? ANY_OBJECT,
        outputSchema: definition.outputSchema,
        untrusted: definition.untrusted ?? true,
        call: (input, context) => sources.callHttp(implementation, effect, input, context),
        reconcile: undefined,
      })
    }
    default:
      return implementation satisfies never
  }
}

/** Binds a built-in tool, with a tenant's definition on top where there is one. */
export function bindBuiltin(
  tool: BuiltinTool,
  definition: Partial<ToolDefinition> & Pick<ToolDefinition, 'name' | 'description'>,
  config: JsonObject,
): ToolBinding {
  return bind(definition, {
    effect: tool.effect,
    inputSchema: tool.inputSchema,
    outputSchema: tool.outputSchema,
    untrusted: definition.untrusted ?? tool.untrusted,
    call: (input, context) => tool.call(input, config, context),
    reconcile: undefined,
  })
}

export function bindCode(tool: CodeTool, definition: ToolDefinition): ToolBinding {
  const { reconcile } = tool
  return bind(definition, {
    effect: definition.effect ?? tool.definition.effect ?? 'once',
    inputSchema: definition.inputSchema ?? tool.definition.inputSchema ?? ANY_OBJECT,
    outputSchema: definition.outputSchema ?? tool.definition.outputSchema,
    untrusted: definition.untrusted ?? tool.definition.untrusted ?? false,
    call: (input, context) => tool.run(input, context),
    reconcile:
      reconcile === undefined
        ? undefined
        : (input, context) => reconcile.call(tool, context.idempotencyKey, input, context),
  })
}

const ANY_OBJECT: JsonObject = { type: 'object' }

interface Behaviour {
  readonly effect: ToolEffect
  readonly inputSchema: JsonObject
  readonly outputSchema: JsonObject | undefined
  readonly untrusted: boolean
  readonly call: ToolBinding['call']
  readonly reconcile: ToolBinding['reconcile']
}

function bind(
  definition: Partial<ToolDefinition> & Pick<ToolDefinition, 'name' | 'description'>,
  behaviour: Behaviour,
): ToolBinding {
  const checkInput = compileSchema(behaviour.inputSchema, SAFE_PATTERNS)
  const checkOutput =
    behaviour.outputSchema === undefined ? undefined : compileSchema(behaviour.outputSchema, SAFE_PATTERNS)
  return {
    name: definition.name,
    model: { name: definition.name, description: definition.description, inputSchema: behaviour.inputSchema },
    effect: behaviour.effect,
    timeoutMs: definition.timeoutMs ?? TOOL_TIMEOUT_MS_DEFAULT,
    maxAttempts: behaviour.effect === 'once' ? 1 : (definition.maxAttempts ?? ATTEMPTS_DEFAULT),
    approval: definition.approval ?? 'auto',
    untrusted: behaviour.untrusted,
    checkInput,
    checkOutput: checkOutput ?? (() => []),
    call: behaviour.call,
    reconcile: behaviour.reconcile,
  }
}

function unregistered(what: string, name: string): AppError {
  return new AppError(
    'tool.unregistered',
    `This server has no ${what} "${name}". Register it in the host's code, or use another tool.`,
  )
}
