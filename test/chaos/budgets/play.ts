// The chaos of budgets: actors in several processes that are killed, an observer that looks all the time, and what must
// hold once it is quiet.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TenantId } from '../../../src/base/ids.ts'
import { windowFrom } from '../../../src/money/budgets/budget-period.ts'
import { sweepHolds } from '../../../src/money/budgets/holds/sweep-holds.ts'
import type { Database } from '../../../src/storage/database.ts'
import { textsOf } from '../../../src/storage/dialect.ts'
import { migrate } from '../../../src/storage/migrations/migrate.ts'
import { openDatabase } from '../../../src/storage/open.ts'
import { type Bind, statement } from '../../../src/storage/statement.ts'
import {
  buckets,
  chargedBudget,
  crossings,
  HOLD_MS,
  holdSums,
  logSums,
  makeTenants,
  negative,
  overdrawn,
  periodSums,
  playTime,
  rollingIds,
  SKEW_MS,
  unlogged,
  unsettled,
} from './world.ts'

const TENANTS = 4
const DAY_MS = 86_400_000
const LOOK_MS = 100
const LINES_AT_ONCE = 5_000

export interface BudgetChaos {
  readonly url: string
  readonly operations: number
  readonly seed: number
  readonly processes: number
  /** How long it is quiet between two kills, at least; at most three times as long. */
  readonly killMsMin: number
  readonly random: () => number
  readonly progress: (line: string) => void
}

/** What `MUST_BE_ZERO` names is zero where all is well. */
export interface BudgetsPlayed {
  readonly operations: number
  /** Reservations that found no room. */
  readonly refused: number
  readonly kills: number
  readonly looks: number
  readonly holds: number
  readonly seconds: number
  /** Looks that saw a strict budget beyond its limit, or anything below zero. */
  readonly overdrawn: number
  /** Holds that were left, or money held by none. */
  readonly leaked: number
  /** Periods in which the ledger is not the sum of its holds. */
  readonly unbalanced: number
  /** Holds and lines of the actors' logs that do not agree. */
  readonly disagreeing: number
  /** What an actor was told is done, and is not on record. */
  readonly lost: number
  /** Thresholds that were told of twice. */
  readonly toldTwice: number
}

export const MUST_BE_ZERO = [
  'overdrawn',
  'leaked',
  'unbalanced',
  'disagreeing',
  'lost',
  'toldTwice',
] as const satisfies readonly (keyof BudgetsPlayed)[]

export async function playBudgets(chaos: BudgetChaos): Promise<BudgetsPlayed> {
  const began = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'af-budgets-'))
  const file = join(folder, 'confirmed')
  writeFileSync(file, '')
  try {
    await using db = await openDatabase(chaos.url)
    await migrate(db)
    const tenants = await makeTenants(db, TENANTS)
    const startedAt = Date.now()
    const acted = await act(db, chaos, { tenants, startedAt, file })
    const after = playTime(startedAt) + HOLD_MS + 2 * SKEW_MS
    while ((await sweepHolds({ db, freed: async () => undefined }, after)) > 0);
    return {
      ...acted,
      ...(await verdictOf(db)),
      lost: await countLost(db, readFileSync(file, 'utf8')),
      seconds: Math.round((performance.now() - began) / 1_000),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Scene {
  readonly tenants: readonly TenantId[]
  readonly startedAt: number
  readonly file: string
}

async function act(
  db: Database,
  { url, operations, seed, processes, killMsMin, random, progress }: BudgetChaos,
  { tenants, startedAt, file }: Scene,
): Promise<Pick<BudgetsPlayed, 'operations' | 'refused' | 'kills' | 'looks' | 'overdrawn'>> {
  let done = 0
  let spawned = 0
  let kills = 0
  let looks = 0
  let seen = 0
  let refused = 0
  let failed: Error | undefined
  const start = (): ChildProcess => {
    spawned += 1
    const args = [url, tenants.join(','), String(startedAt), String(seed * 10_000 + spawned), file]
    const child = spawn(process.execPath, [join(import.meta.dirname, 'actor.ts'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child.stdout?.on('data', (data: Buffer) => {
      for (const [, count, no] of data.toString().matchAll(/^(\d+) (\d+)$/gm)) {
        done += Number(count)
        refused += Number(no)
      }
    })
    child.on('exit', (code) => {
      if (code !== null && code !== 0) failed ??= new Error(`An actor ended with ${code}.`)
    })
    return child
  }
  const actors = Array.from({ length: processes }, start)
  const isOn = (): boolean => done < operations && failed === undefined
  const striking = async (): Promise<void> => {
    while (isOn()) {
      await sleep(killMsMin * (1 + 2 * random()))
      const place = Math.floor(random() * actors.length)
      await kill(actors[place] as ChildProcess)
      kills += 1
      if (isOn()) actors[place] = start()
    }
  }
  const looking = async (): Promise<void> => {
    while (isOn()) {
      const bad = await look(db, () => playTime(startedAt) + SKEW_MS)
      if (bad.length > 0) progress(`beyond its limit: ${bad.join('; ')}`)
      looks += 1
      seen += bad.length
      if (looks % 50 === 0) progress(`${done} operations, ${kills} kills`)
      await sleep(LOOK_MS)
    }
  }
  try {
    await Promise.all([striking(), looking()])
  } finally {
    await Promise.all(actors.map(kill))
  }
  if (failed !== undefined) throw failed
  return { operations: done, refused, kills, looks, overdrawn: seen }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** What is wrong at this moment; each statement sees one moment. */
async function look(db: Database, clock: () => number): Promise<readonly string[]> {
  return db.system.read(async (reader) => {
    const over = await reader.all(overdrawn, {})
    const below = await reader.all(negative, {})
    const rows = await reader.all(buckets, { from: windowFrom(DAY_MS, clock()) })
    // Days pass while the database answers: the window is that of a moment after every reservation which was seen.
    const from = windowFrom(DAY_MS, clock())
    const full = [...Map.groupBy(rows, ({ id }) => id)].flatMap(([id, of]) => {
      const used = of.filter(({ startsAt }) => startsAt > from).reduce((sum, row) => sum + row.usedNanos, 0n)
      const limit = of[0]?.limitNanos ?? 0n
      return used > limit ? [{ id, limit, used }] : []
    })
    return [...over, ...below, ...full].map((row) => Object.values(row).join(' '))
  })
}

async function verdictOf(
  db: Database,
): Promise<Pick<BudgetsPlayed, 'holds' | 'leaked' | 'unbalanced' | 'disagreeing' | 'toldTwice'>> {
  return db.system.read(async (reader) => {
    const periods = await reader.all(periodSums, {})
    const holds = await reader.all(holdSums, {})
    const logs = await reader.all(logSums, {})
    const charged = (await reader.first(chargedBudget, {}))?.settledNanos ?? 0n
    const rolling = new Set((await reader.all(rollingIds, {})).map(({ id }) => id))
    const expected = new Map<string, bigint>()
    for (const { budgets, settledNanos } of holds) {
      for (const { budget_id, period_key } of JSON.parse(budgets)) {
        const key = `${budget_id} ${period_key}`
        expected.set(key, (expected.get(key) ?? 0n) + (settledNanos ?? 0n))
      }
    }
    // Charges are counted in the user's budget and in the tenant's, which holds are in too.
    const ledger = periods.reduce((sum, { settledNanos }) => sum + settledNanos, 0n)
    const ofHolds = [...expected.values()].reduce((sum, settled) => sum + settled, 0n)
    const ofCharges = logs.find(({ content }) => content === 'charged')?.spentNanos ?? 0n
    const short = periods.filter(
      ({ budgetId, periodKey, settledNanos }) =>
        settledNanos < (expected.get(`${budgetId} ${periodKey}`) ?? 0n),
    ).length
    const told = (await reader.all(crossings, {}))
      .filter(({ subject }) => !rolling.has(subject as never))
      .map(({ subject, data }) => {
        const { period, percent } = JSON.parse(data) as { period: string; percent: number }
        return `${subject} ${period} ${percent}`
      })
    return {
      holds: holds.reduce((sum, { count }) => sum + count, 0),
      leaked:
        holds.filter(({ state }) => state === 'held').length +
        periods.filter(({ heldNanos }) => heldNanos !== 0n).length,
      unbalanced: short + Number(charged !== ofCharges) + Number(ledger !== ofHolds + 2n * ofCharges),
      disagreeing:
        ((await reader.first(unlogged, {}))?.count ?? 0) + ((await reader.first(unsettled, {}))?.count ?? 0),
      toldTwice: told.length - new Set(told).size,
    }
  })
}

const logged = statement('budget-chaos.logged', (db, p: Bind<{ readonly owners: string }>, dialect) =>
  db
    .selectFrom('bodies')
    .select(['hash', 'bytes'])
    .where('tenantId', '=', p.tenantId)
    .where('hash', 'in', textsOf<string>(dialect, p.owners)),
)

/** The lines of what was confirmed that are not on record. The last one may be torn. */
async function countLost(db: Database, confirmed: string): Promise<number> {
  const lines = confirmed
    .split('\n')
    .map((line) => line.split(' '))
    .filter((parts) => parts.length === 3)
  let lost = 0
  for (const [tenantId, ofTenant] of Map.groupBy(lines, ([tenant]) => tenant as TenantId)) {
    for (let from = 0; from < ofTenant.length; from += LINES_AT_ONCE) {
      const part = ofTenant.slice(from, from + LINES_AT_ONCE)
      const owners = JSON.stringify(part.map(([, owner]) => owner))
      const found = await db.tenant(tenantId).read((reader) => reader.all(logged, { owners }))
      const spentBy = new Map(found.map(({ hash, bytes }) => [hash, String(bytes)]))
      lost += part.filter(([, owner = '', spent]) => spentBy.get(owner) !== spent).length
    }
  }
  return lost
}
