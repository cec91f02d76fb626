// A worker is killed in the middle of a run (SIGKILL), on Postgres, with the leases and heartbeats of the product: how
// long until another goes on, and until the run is completed. Where the other runs on another machine, the lease must
// lapse; one that starts on the same machine sees that the owner is dead.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench, Figure } from '../figure.ts'
import type { RecoveryAnswer, RecoveryInput, RecoveryQuestion, RecoveryReady } from '../programs/recovery-worker.ts'
import { openProgram, type Program } from '../support/program.ts'
import { type BenchPostgres, benchPostgres, findServer } from '../support/servers.ts'
import { median } from '../support/statistics.ts'
import { workFolder } from '../support/work-folder.ts'

/** Workers that are killed in one round, each at another place between two heartbeats. */
const VICTIMS = 4
const HEARTBEAT_MS = 5_000
const GO_ON_MS_MAX = 15_000
const PATH = 'programs/recovery-worker.ts'

type Worker = Program<RecoveryReady, RecoveryQuestion, RecoveryAnswer>
type Open = (host: string) => Promise<Worker>

/** Times from the kill, in ms. */
interface Recovered {
  readonly wentOnMs: number
  readonly completedMs: number
}

export const recoveryBench: Bench = async ({ rounds }) => {
  await using opened = new AsyncDisposableStack()
  const postgres = await findServer(benchPostgres, opened)
  if (postgres.state === 'missing')
    return [{ metric: 'another worker goes on', unit: 's', reason: postgres.reason }]
  const elsewhere: Recovered[] = []
  const same: Recovered[] = []
  for (let round = 0; round < rounds; round++) {
    elsewhere.push(...(await onAnotherHost(postgres.server)))
    same.push(await startedAnew(postgres.server))
  }
  return [
    ...figuresOf('on another machine', elsewhere),
    ...figuresOf('on the same machine, started after the kill', same),
  ]
}

/** Several workers, each with a run; one more, of another host, watches while they are killed. */
function onAnotherHost(postgres: BenchPostgres): Promise<readonly Recovered[]> {
  return withWorkers(postgres, async (open) => {
    const victims: { readonly worker: Worker; readonly host: string }[] = []
    for (let n = 0; n < VICTIMS; n++) {
      const host = `victim-${n}`
      victims.push({ host, worker: await open(host) })
    }
    const taken = await Promise.all(victims.map(({ worker }) => worker.ask({ type: 'start' })))
    const survivors: Worker[] = []
    for (const { host } of victims) survivors.push(await open(`survivor-of-${host}`))
    return Promise.all([])
  })
}
