// The states of a run and the only ways between them. Terminal states are final.

import type { RunState, WaitingReason } from './runtime.ts'

const NEXT: Readonly<Record<RunState, readonly RunState[]>> = {
  queued: ['running', 'failed', 'cancelled'],
  running: ['running', 'waiting', 'queued', 'completed', 'failed', 'cancelled'],
  waiting: ['queued', 'running', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
}

/** Of what a run waits for, what is told first: what somebody must see to. */
export const WAITING_PRECEDENCE: readonly WaitingReason[] = [
  'in_doubt',
  'approval',
  'budget',
  'event',
  'time',
]

export function canBecome(from: RunState, to: RunState): boolean {
  return NEXT[from].includes(to)
}

export function isTerminal(state: RunState): boolean {
  return NEXT[state].length === 0
}

/** The states from which a run may become `to`: the `where` of the statement that changes it. */
export function statesBefore(to: RunState): readonly RunState[] {
  return (Object.keys(NEXT) as RunState[]).filter((from) => canBecome(from, to))
}
