// Workers that have nothing to do take turns at looking for jobs: together they look as often as one would, at the slots
// of the clock that they share. Which place a worker has follows from who else lives, as its heartbeat last found them.

import type { EpochMs } from '../base/time.ts'

/** More workers than this share a place: none looks less often than once in so many slots. */
export const LOOK_PLACES_MAX = 5

export interface LookTurns {
  /** Who shares the looking, by id, this worker among them; where it is not, it has nobody to share with. */
  share(ids: readonly string[]): void
  /** Whether a slot of this worker began since the last call that said so; who is alone looks whenever it asks. */
  due(at: EpochMs): boolean
}

/** Turns of the worker `id` at slots of `slotMs`. Until it is told of others, each slot is its own. */
export function createLookTurns(id: string, slotMs: number): LookTurns {
  let places = 1
  let place = 0
  let last = Number.NEGATIVE_INFINITY
  return {
    share(ids) {
      const index = ids.toSorted().indexOf(id)
      places = index < 0 ? 1 : Math.min(ids.length, LOOK_PLACES_MAX)
      place = index < 0 ? 0 : index % places
    },
    due(at) {
      if (places === 1) return true
      const slot = Math.floor(at / slotMs)
      // A clock that was set back begins anew.
      const since = slot < last ? slot - 1 : last
      if (Math.floor((slot - place) / places) <= Math.floor((since - place) / places)) return false
      last = slot
      return true
    },
  }
}
