// A worker is killed in the middle of a run (SIGKILL), on Postgres, with the leases and heartbeats of the product: how
// long until another goes on, and until the run is completed. Where the other runs on another machine, the lease must
// lapse; one that starts on the same machine sees that the owner is dead.

import { setTimeout as sleep } from 'node:timers/promises'
import type { RunId } from '../../src/base/ids.ts'
import type { Bench, Figure } from '../figure.ts'
import type {
  RecoveryAnswer,
  RecoveryInput,
  RecoveryQuestion,
  RecoveryReady,
} from '../programs/recovery-worker.ts'
import { openProgram, type Program } from '../support/program.ts'
import { type BenchPostgres, benchPostgres, findServer } from '../support/servers.ts'
import { median } from '../support/statistics.ts'
import { workFolder } from '../support/work-folder.ts'

/** Workers that are killed in one round, each at another place between two heartbeats. */
const VICTIMS = 4
const HEARTBEAT_MS = 4_000
const GO_ON_SECONDS_MAX = 15
const PATH = 'programs/recovery-worker.ts'

type Worker = Program<RecoveryReady, RecoveryQuestion, RecoveryAnswer>
/** `stalls`: its tool never answers, so that it is killed in the middle. */
type Open = (host: string, stalls?: boolean) => Promise<Worker>

/** Times from the kill, in ms. */
interface Recovered {
  readonly wentOnMs: number
  readonly completedMs: number
}

export const recoveryBench: Bench = async ({ rounds }) => {
  await using opened = new AsyncDisposableStack()
  const postgres = await findServer(benchPostgres, opened)
  if (postgres.state === 'missing')
    return [{ metric: 'killed to another worker going on', unit: 's', reason: postgres.reason }]
  const elsewhere: Recovered[] = []
  const same: Recovered[] = []
  for (let round = 0; round < rounds; round++) {
    elsewhere.push(...(await onAnotherHost(postgres.server)))
    same.push(...(await startedAnew(postgres.server)))
  }
  return [
    ...figuresOf('on another machine', elsewhere),
    ...figuresOf('on the same machine, started after the kill', same),
  ]
}

/** Several workers, each with a run; one more, of another host, lives while they are killed. */
function onAnotherHost(postgres: BenchPostgres): Promise<readonly Recovered[]> {
  return withWorkers(postgres, async (open) => {
    const victims: Worker[] = []
    const runIds: RunId[] = []
    for (let n = 0; n < VICTIMS; n++) {
      const victim = await open(`victim-${n}`, true)
      victims.push(victim)
      runIds.push(...idsOf(await victim.ask({ type: 'start' })))
    }
    const survivor = await open('survivor')
    const recovering = survivor.ask({ type: 'await', runIds })
    const killedAt: number[] = []
    for (const worker of victims) {
      await sleep(HEARTBEAT_MS / VICTIMS)
      killedAt.push(Date.now())
      await worker.kill()
    }
    return recoveredOf(killedAt, await recovering)
  })
}

/** A worker is killed, and started again, as whoever supervises it does. */
function startedAnew(postgres: BenchPostgres): Promise<readonly Recovered[]> {
  return withWorkers(postgres, async (open) => {
    const victim = await open('same', true)
    const runIds = idsOf(await victim.ask({ type: 'start' }))
    const killedAt = Date.now()
    await victim.kill()
    const worker = await open('same')
    return recoveredOf([killedAt], await worker.ask({ type: 'await', runIds }))
  })
}

function idsOf({ runs }: RecoveryAnswer): readonly RunId[] {
  return runs.map(({ runId }) => runId)
}

function recoveredOf(killedAt: readonly number[], { runs }: RecoveryAnswer): readonly Recovered[] {
  return runs.map(({ wentOnAt, completedAt }, n) => {
    const at = killedAt[n] ?? Number.NaN
    return { wentOnMs: wentOnAt - at, completedMs: completedAt - at }
  })
}

/** Workers on a database of their own. The first one publishes what is run. */
async function withWorkers<T>(postgres: BenchPostgres, work: (open: Open) => Promise<T>): Promise<T> {
  await using opened = new AsyncDisposableStack()
  const folder = opened.use(await workFolder('recovery')).path
  const databaseUrl = await postgres.database()
  let key: string | undefined
  return await work(async (host, stalls = false) => {
    const input: RecoveryInput = { folder, databaseUrl, host, stalls, key }
    const worker: Worker = opened.use(await openProgram(PATH, input))
    key ??= worker.ready.key
    return worker
  })
}

function figuresOf(where: string, recovered: readonly Recovered[]): readonly Figure[] {
  const wentOn = recovered.map(({ wentOnMs }) => wentOnMs / 1_000)
  const completed = recovered.map(({ completedMs }) => completedMs / 1_000)
  const unit = 's'
  const limit = { kind: 'at-most', limit: GO_ON_SECONDS_MAX } as const
  return [
    {
      metric: `killed to another worker going on, ${where}: the longest`,
      value: Math.max(...wentOn),
      unit,
      comparison: limit,
    },
    { metric: `killed to another worker going on, ${where}: median`, value: median(wentOn), unit },
    { metric: `killed to the run completed, ${where}: median`, value: median(completed), unit },
  ]
}
