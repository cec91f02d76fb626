// What an operator should know of the database that holds the jobs: for `worker doctor`.

import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Clock } from '../../base/time.ts'
import { type AdminSession, adminOf } from '../../storage/admin.ts'
import type { Database } from '../../storage/database.ts'
import type { EngineFinding } from '../transport.ts'
import { reasonOf } from './engine-options.ts'

/** Clocks may differ by so much; leases last many seconds. */
export const CLOCK_SKEW_MS_MAX = 1_000

/** Kinds of file systems whose locks cannot be trusted, by the magic number of statfs(2). */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x01021997, '9p'],
  [0x65735546, 'fuse'],
  [0x00c36400, 'ceph'],
  [0x5346414f, 'afs'],
  [0x73757245, 'coda'],
  [0x0bd00bd0, 'lustre'],
  [0x47504653, 'gpfs'],
])

/** Looks at the clock and the pooler of a Postgres, at the disk of a SQLite file. Never throws. */
export async function checkJobDatabase(
  db: Database,
  options: { readonly clock: Clock; readonly sqlitePath?: string | undefined },
): Promise<readonly EngineFinding[]> {
  try {
    if (db.dialect === 'sqlite') return [await checkDisk(options.sqlitePath)]
    return [await checkClock(db, options.clock), await checkPooler(db)]
  } catch (error) {
    return [
      { name: 'database', status: 'failed', message: `The database does not answer: ${reasonOf(error)}.` },
    ]
  }
}

async function checkClock(db: Database, clock: Clock): Promise<EngineFinding> {
  const [before, server, after] = await adminOf(db).session(async (session) => {
    const asked = clock()
    const rows = await session.rows('select (extract(epoch from clock_timestamp()) * 1000)::float8 as now')
    return [asked, Number(rows[0]?.now), clock()] as const
  })
  return clockFinding((before + after) / 2 - server)
}

export function clockFinding(skewMs: number): EngineFinding {
  const name = 'clock'
  const seconds = (Math.abs(skewMs) / 1_000).toFixed(1)
  const side = skewMs > 0 ? 'ahead of' : 'behind'
  if (Math.abs(skewMs) <= CLOCK_SKEW_MS_MAX)
    return { name, status: 'ok', message: `Within ${CLOCK_SKEW_MS_MAX} ms of the database server's.` }
  return {
    name,
    status: 'warning',
    message: `This machine's clock is ${seconds} s ${side} the database server's: leases lapse too early or too late. Run a time service (NTP) on every host.`,
  }
}

/** Two sessions, the second in a transaction: a pooler in transaction mode gives it the connection that the first has left. */
async function checkPooler(db: Database): Promise<EngineFinding> {
  const admin = adminOf(db)
  const pids = await admin.session(async (first) => {
    const before = await backendOf(first)
    return admin.session(async (second) => {
      await second.script('begin')
      const within = await backendOf(second)
      const meanwhile = await backendOf(first)
      await second.script('commit')
      return { before, within, meanwhile }
    })
  })
  return poolerFinding(pids)
}

async function backendOf(session: AdminSession): Promise<number> {
  return Number((await session.rows('select pg_backend_pid() as pid'))[0]?.pid)
}

export function poolerFinding(pids: { before: number; within: number; meanwhile: number }): EngineFinding {
  const name = 'pooler'
  const shared = pids.before === pids.within || pids.before !== pids.meanwhile
  if (!shared) return { name, status: 'ok', message: 'Each connection keeps its own session.' }
  return {
    name,
    status: 'warning',
    message:
      'A pooler in transaction mode (PgBouncer) stands in between: notifications do not arrive, workers find jobs by asking. Set max_prepared_statements there, or connect directly.',
  }
}

/** A file's disk; in memory there is none. */
async function checkDisk(path: string | undefined): Promise<EngineFinding> {
  const name = 'disk'
  if (path === undefined || path === ':memory:')
    return { name, status: 'ok', message: 'The database is in memory.' }
  let place = resolve(path)
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place)
  return diskFinding((await statfs(place)).type)
}

export function diskFinding(type: number): EngineFinding {
  const name = 'disk'
  const network = NETWORK_FILE_SYSTEMS.get(type >>> 0)
  if (network === undefined) return { name, status: 'ok', message: 'The database file is on a local disk.' }
  return {
    name,
    status: 'failed',
    message: `The database file is on a network file system (${network}), where SQLite's locks do not hold: move it to a local disk, or use Postgres.`,
  }
}
