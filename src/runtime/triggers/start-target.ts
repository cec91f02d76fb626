// How triggers start runs: as everybody does, with the trigger's id on the run.

import type { Runtime } from '../runtime.ts'
import type { FireDeps } from './fire.ts'

export function startTarget(start: Runtime['start']): FireDeps['start'] {
  return (principal, { target, input, triggerId, setOffBy }, context) =>
    start(principal, { ...target, input, triggerId, setOffBy }, context)
}
