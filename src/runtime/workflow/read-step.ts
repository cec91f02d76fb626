// What a node was given and gave, read back where it lies elsewhere.

import { AppError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import { readText, type StoredText } from '../journal/message-store.ts'
import type { NodeStep } from './node-step.ts'
import type { WorkflowContext } from './workflow-context.ts'

export async function inputOf(ctx: WorkflowContext, step: NodeStep): Promise<Json> {
  step.input ??= await read(ctx, step.stored.input)
  return step.input
}

export async function outputOf(ctx: WorkflowContext, step: NodeStep): Promise<Json> {
  step.output ??= await read(ctx, step.stored.output)
  return step.output
}

async function read(ctx: WorkflowContext, stored: StoredText): Promise<Json> {
  if (stored.hash === null) return stored.inline === null ? null : (JSON.parse(stored.inline) as Json)
  const text = await ctx.waits.busy(() => ctx.db.read((reader) => readText(reader, stored)))
  // To go on without it would be to go on with something else.
  if (text === null) throw new AppError('run.lost', 'What a node of this run gave is not kept any more.')
  return JSON.parse(text) as Json
}
