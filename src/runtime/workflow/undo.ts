// A saga: when the workflow fails, what its nodes did is undone, the last first. Each undoing is a step of its own, so
// that a crash in between repeats none. A cancelled run is not undone: who cancels wants nothing more to happen.

import type { Compensation, WorkflowNode } from '../../contract/workflow.ts'
import { openStep } from './open-step.ts'
import { progress } from './progress.ts'
import { scopeWith } from './scope.ts'
import type { Undoable, WorkflowContext } from './workflow-context.ts'
import { factsOf, flush } from './write-step.ts'

/** Undoes what is done, in the reverse order of completion. One that fails is on record, and the others follow. */
export async function undoAll(ctx: WorkflowContext): Promise<void> {
  const done = ctx.undoable.toSorted((a, b) => b.at - a.at || b.seq - a.seq)
  // A node that was done in several attempts at the block around it is undone as often.
  const times = new Map<string, number>()
  for (const undoable of done) {
    const time = (times.get(undoable.path) ?? 0) + 1
    times.set(undoable.path, time)
    await undo(ctx, undoable, `${undoable.path}!undo${time === 1 ? '' : time}`)
  }
}

async function undo(ctx: WorkflowContext, undoable: Undoable, path: string): Promise<void> {
  const known = ctx.records.get(path)
  ctx.records.delete(path)
  if (known?.state === 'done' || known?.state === 'failed') return
  ctx.interruption.check()
  const node = nodeOf(undoable.compensate)
  const { interruption } = ctx
  const scope = scopeWith(undoable.scope, { added: { result: undoable.result }, interruption })
  const step = await progress(ctx, scope, node, known ?? (await openStep(ctx, scope, node, path)))
  ctx.journal.event('node.compensated', { ...factsOf(step), state: step.state })
  await flush(ctx)
}

function nodeOf(compensate: Compensation): WorkflowNode {
  return { id: 'undo', ...compensate }
}
