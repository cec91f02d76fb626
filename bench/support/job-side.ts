// One side of the queue bench: so many processes of a program that share one queue, and rounds of no-op jobs through it.

import { setTimeout as sleep } from 'node:timers/promises'
import type { JobAnswer, JobQuestion } from './job-program.ts'
import { openProgram, type Program } from './program.ts'
import { median } from './statistics.ts'

/** The jobs of the first round; it warms, and its speed says how many the others need. */
const WARM_JOBS = 2_000
const ROUND_MS = 3_500
const ROUND_STEP = 100
const LOOK_MS = 5
/** Nothing was completed for so long: it never will be. */
const STILL_MS_MAX = 60_000

export interface JobSide extends AsyncDisposable {
  /** Some jobs, to warm, and to learn how many a round needs. */
  warm(): Promise<void>
  /** A round of a few seconds. */
  round(): Promise<void>
  /** Jobs per second: the median of the rounds. */
  perSecond(): number
  /** Its processes; the first stands for the others. */
  readonly programs: readonly JobProgram[]
}

export type JobProgram = Program<null, JobQuestion, JobAnswer>

/** Starts so many processes of a program on one queue, which must be empty. */
export async function openJobSide(path: string, input: object, processes: number): Promise<JobSide> {
  await using opened = new AsyncDisposableStack()
  const programs: JobProgram[] = []
  // One after another: the first makes the tables.
  for (let n = 0; n < processes; n++) programs.push(opened.use(await openProgram(path, input)))
  const rates: number[] = []
  let jobs = WARM_JOBS
  let expected = 0
  const make = async (count: number): Promise<number> => {
    expected += count
    const startedAt = performance.now()
    await Promise.all(
      programs.map((program, n) => program.ask({ type: 'enqueue', jobs: shareOf(count, processes, n) })),
    )
    await untilCompleted(programs, expected)
    return (count * 1_000) / (performance.now() - startedAt)
  }
  const stack = opened.move()
  return {
    programs,
    warm: async () => {
      await make(WARM_JOBS)
      // The first was cold: it tells too little.
      const perSecond = await make(WARM_JOBS)
      jobs = Math.max(ROUND_STEP, Math.ceil((perSecond * ROUND_MS) / 1_000 / ROUND_STEP) * ROUND_STEP)
    },
    round: async () => {
      rates.push(await make(jobs))
    },
    perSecond: () => median(rates),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function shareOf(count: number, processes: number, n: number): number {
  return Math.floor(count / processes) + (n < count % processes ? 1 : 0)
}

async function untilCompleted(programs: readonly JobProgram[], expected: number): Promise<void> {
  let before = -1
  for (let movedAt = performance.now(); ; ) {
    const answers = await Promise.all(programs.map((program) => program.ask({ type: 'completed' })))
    const completed = answers.reduce((sum, answer) => sum + answer.completed, 0)
    if (completed >= expected) return
    if (completed !== before) movedAt = performance.now()
    before = completed
    if (performance.now() - movedAt > STILL_MS_MAX)
      throw new Error(`${expected - completed} jobs of ${expected} were never completed.`)
    await sleep(LOOK_MS)
  }
}
