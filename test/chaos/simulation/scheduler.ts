// Who goes on next: every access to the database, every effect and every answer of a model is a point at which an actor
// waits until the seeded scheduler lets it go on, or never does: then it has crashed.

/** A source of numbers in [0, 1), the same for the same seed. Mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Waiting {
  readonly actor: string
  readonly goOn: () => void
}

export interface Scheduler {
  /** Resolves when the actor may go on; never, where it has crashed. An actor that is not under control goes on at once. */
  point(actor: string): Promise<void>
  /** From now on the actor waits at its points. */
  control(actor: string): void
  /** Nothing that the actor waits for will come. */
  crash(actor: string): void
  /** Until `resume`, the actor is not let go on: as SIGSTOP does. */
  pause(actor: string): void
  resume(actor: string): void
  /** Lets one of the waiting actors go on, and answers who it was. Undefined where none waits. */
  step(): string | undefined
  /** Comes once no actor moves any more by itself. */
  quiet(): Promise<void>
}

/** So many turns of the event loop without a new point mean that nobody moves. */
const QUIET_TURNS = 3

export function createScheduler(random: () => number): Scheduler {
  const controlled = new Set<string>()
  const crashed = new Set<string>()
  const paused = new Set<string>()
  let waiting: Waiting[] = []
  let points = 0
  return {
    point(actor) {
      points += 1
      if (crashed.has(actor)) return new Promise(() => undefined)
      if (!controlled.has(actor)) return Promise.resolve()
      return new Promise((goOn) => waiting.push({ actor, goOn }))
    },
    control: (actor) => void controlled.add(actor),
    crash(actor) {
      crashed.add(actor)
      waiting = waiting.filter((one) => one.actor !== actor)
    },
    pause: (actor) => void paused.add(actor),
    resume: (actor) => void paused.delete(actor),
    step() {
      const free = waiting.filter(({ actor }) => !paused.has(actor))
      const chosen = free[Math.floor(random() * free.length)]
      if (chosen === undefined) return undefined
      waiting = waiting.filter((one) => one !== chosen)
      chosen.goOn()
      return chosen.actor
    },
    async quiet() {
      for (let turns = 0, seen = points; turns < QUIET_TURNS; turns++) {
        await new Promise(setImmediate)
        if (points !== seen) turns = 0
        seen = points
      }
    },
  }
}
