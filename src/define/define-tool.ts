// Defines a tool in the host's own code: the definition as data, and the function that the runtime calls.

import type { Json } from '../base/json.ts'
import type { ToolDefinition, ToolEffect } from '../contract/tool.ts'
import { toolDefinition } from '../contract/tool.ts'
import { checkedDefinition } from './checked-definition.ts'
import type { CodeTool, CodeToolContext, Reconciliation } from './code-tool.ts'
import type { AcceptedBy, SchemaSource, ValueOf } from './schema-source.ts'
import { jsonSchemaOf, parseWith } from './schema-source.ts'
import { toJson } from './to-json.ts'

export interface ToolOptions<I extends SchemaSource, O extends SchemaSource | undefined> {
  readonly name: string
  readonly description: string
  /** A Standard Schema or JSON Schema 2020-12 of the arguments: an object. */
  readonly input: I
  /** Of what `run` answers; without it, any JSON. */
  readonly output?: O
  /** What the same call a second time would do: nothing, the same again, or it twice. Without it, `once`. */
  readonly effect?: ToolEffect
  readonly timeoutMs?: number
  readonly maxAttempts?: number
  readonly approval?: 'never' | 'auto' | 'always'
  /** The output comes from outside and may try to steer the agent. */
  readonly untrusted?: boolean
  /** Called with arguments that the schema has accepted. What it answers must be JSON. */
  readonly run: (input: ValueOf<I>, context: CodeToolContext) => RunResult<O> | Promise<RunResult<O>>
  /** Says after a crash what became of a `once` call. */
  readonly reconcile?: (
    idempotencyKey: string,
    input: ValueOf<I>,
    context: CodeToolContext,
  ) => Promise<Reconciliation>
}

type RunResult<O extends SchemaSource | undefined> = O extends SchemaSource ? AcceptedBy<O> : unknown

/**
 * Defines a tool. Types of `run` come from the schemas:
 * `defineTool({ name: 'add', description: 'Adds.', input: z.object({ a: z.number(), b: z.number() }), run: ({ a, b }) => a + b })`.
 * Throws `definition.invalid` with every wrong field. The tool's calls throw `tool.input-invalid` and `tool.output-invalid`.
 */
export function defineTool<
  const I extends SchemaSource,
  const O extends SchemaSource | undefined = undefined,
>(options: ToolOptions<I, O>): CodeTool {
  const parseInput = async (input: Json): Promise<ValueOf<I>> =>
    (await parseWith(
      options.input,
      input,
      'tool.input-invalid',
      `The input of tool "${options.name}"`,
    )) as ValueOf<I>
  const { reconcile } = options
  const tool: CodeTool = {
    definition: definitionOf(options),
    run: async (input, context) => answerOf(options, await options.run(await parseInput(input), context)),
  }
  if (reconcile === undefined) return tool
  return {
    ...tool,
    reconcile: async (key, input, context) => reconcile(key, await parseInput(input), context),
  }
}

function definitionOf(options: ToolOptions<SchemaSource, SchemaSource | undefined>): ToolDefinition {
  const { name, input, output, run: _run, reconcile: _reconcile, ...rest } = options
  const definition = {
    ...rest,
    name,
    inputSchema: jsonSchemaOf(input, 'input', `The input of tool "${name}"`),
    ...(output !== undefined && {
      outputSchema: jsonSchemaOf(output, 'output', `The output of tool "${name}"`),
    }),
    implementation: { type: 'code', name },
  }
  return checkedDefinition('tool', toolDefinition, definition)
}

async function answerOf(
  options: Pick<ToolOptions<never, SchemaSource | undefined>, 'name' | 'output'>,
  answer: unknown,
): Promise<Json> {
  const owner = `The output of tool "${options.name}"`
  const value =
    options.output === undefined
      ? answer
      : await parseWith(options.output, answer, 'tool.output-invalid', owner)
  return toJson(value, owner)
}
