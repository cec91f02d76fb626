// What became of a workflow's nodes in a run, from the steps that it recorded.

import type { Step } from '../../contract/run.ts'

export const NODE_STATES = ['failed', 'waiting', 'running', 'undone', 'done', 'skipped'] as const

export interface NodeState {
  /** Of several passes, what matters most: a failure, then what is still under way. */
  readonly state: (typeof NODE_STATES)[number]
  /** How often it ran: the items of a for-each, the passes of a loop. */
  readonly passes: number
}

/** What undoes a node has the node's path and this, with a number where it is undone more than once. */
const UNDO = /!undo\d*$/

/** By the node's id. A path is `outer[3].inner`: the node and, of those around it, the pass. */
export function nodeStates(
  steps: readonly Pick<Step, 'path' | 'state' | 'seq'>[],
): ReadonlyMap<string, NodeState> {
  // A later attempt at the same place stands for the earlier ones.
  const latest = new Map<string, NodeState['state']>()
  for (const { path, state } of steps.toSorted((a, b) => a.seq - b.seq))
    if (path !== null) latest.set(path, UNDO.test(path) && state === 'done' ? 'undone' : STATES[state])
  const byId = new Map<string, NodeState>()
  for (const [path, state] of latest) {
    const id = idOf(path)
    const known = byId.get(id)
    const passes = (known?.passes ?? 0) + (UNDO.test(path) ? 0 : 1)
    byId.set(id, { state: graver(known?.state, state), passes })
  }
  return byId
}

const STATES: Readonly<Record<Step['state'], NodeState['state']>> = {
  intended: 'running',
  approved: 'running',
  waiting: 'waiting',
  done: 'done',
  failed: 'failed',
  interrupted: 'failed',
  skipped: 'skipped',
}

function idOf(path: string): string {
  return (path.split('.').at(-1) ?? path).replace(UNDO, '')
}

function graver(one: NodeState['state'] | undefined, other: NodeState['state']): NodeState['state'] {
  return NODE_STATES.find((state) => state === one || state === other) ?? other
}
