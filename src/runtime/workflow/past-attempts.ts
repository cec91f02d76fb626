// What earlier attempts at a node with blocks left on record. Another attempt begins its blocks anew and looks at none of
// it; but what those attempts did may have to be undone.

import type { NodeStep } from './node-step.ts'

export interface Recorded {
  /** The last attempt of each node, by path. */
  readonly records: Map<string, NodeStep>
  /** Of nodes with blocks, by path. */
  readonly past: Map<string, PastAttempt[]>
}

export interface PastAttempt extends Recorded {
  readonly step: NodeStep
}

/** Takes what is on record inside a node out of the way of its next attempt. */
export function endAttempt({ records, past }: Recorded, step: NodeStep): PastAttempt {
  const ended: PastAttempt = { step, records: new Map(), past: new Map() }
  move(records, ended.records, step.path)
  move(past, ended.past, step.path)
  return ended
}

function move<T>(from: Map<string, T>, to: Map<string, T>, path: string): void {
  for (const [inner, value] of from) {
    if (!inner.startsWith(`${path}.`) && !inner.startsWith(`${path}[`)) continue
    to.set(inner, value)
    from.delete(inner)
  }
}
