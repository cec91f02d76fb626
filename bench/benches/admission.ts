// Budgets: what it adds to set money aside over four of them, at a steady rate on SQLite, and how many a second there can
// be on Postgres: when all want the same four rows, and when twenty tenants each have their own.

import { join } from 'node:path'
import type { Bench, BenchOptions, Figure } from '../figure.ts'
import type { AdmissionsAnswer, AdmissionsInput, AdmissionsQuestion } from '../programs/admissions.ts'
import { profileShares } from '../support/profile.ts'
import { openProgram, type Program } from '../support/program.ts'
import { benchPostgres, findServer } from '../support/servers.ts'
import { median, medianQuantiles } from '../support/statistics.ts'
import { workFolder } from '../support/work-folder.ts'

const OFFERED = 500
const P50_MS_MAX = 1
const P99_MS_MAX = 5
const POSTGRES_MIN = 1_500
const CONCURRENCY = 20
const WARM_MS = 2_000
const ROUND_MS = 4_000
const TENANTS = [1, 20] as const
const UNIT = 'admissions/s'

type Admissions = Program<null, AdmissionsQuestion, AdmissionsAnswer>

export const admissionBench: Bench = async (options) => {
  await using opened = new AsyncDisposableStack()
  const folder = opened.use(await workFolder('admission')).path
  const figures = [...(await sqliteFigures(`sqlite:${join(folder, 'admission.db')}`, options))]
  const postgres = await findServer(benchPostgres, opened)
  for (const tenants of TENANTS) {
    const name = `Postgres, ${tenants === 1 ? 'one tenant' : `${tenants} tenants`}`
    if (postgres.state === 'missing') figures.push({ metric: name, unit: UNIT, reason: postgres.reason })
    else
      figures.push(
        ...(await postgresFigures(name, { databaseUrl: await postgres.server.database(), tenants }, options)),
      )
  }
  return figures
}

async function sqliteFigures(databaseUrl: string, options: BenchOptions): Promise<readonly Figure[]> {
  await using program = await open({ databaseUrl, tenants: 1 })
  const question = { kind: 'offered', rate: OFFERED } as const
  const answers = await rounds(program, question, options)
  const of = (name: keyof Pick<AdmissionsAnswer, 'reserveMs' | 'settleMs' | 'bothMs'>) =>
    medianQuantiles(answers.map((answer) => answer[name]))
  const [reserve, settle, both] = [of('reserveMs'), of('settleMs'), of('bothMs')]
  const at = `SQLite at ${OFFERED} a second`
  const atMost = (limit: number) => ({ kind: 'at-most', limit }) as const
  return [
    { metric: `${at}, reserve, p50`, value: reserve.p50, unit: 'ms', comparison: atMost(P50_MS_MAX) },
    { metric: `${at}, reserve, p99`, value: reserve.p99, unit: 'ms', comparison: atMost(P99_MS_MAX) },
    { metric: `${at}, settle, p50`, value: settle.p50, unit: 'ms' },
    { metric: `${at}, settle, p99`, value: settle.p99, unit: 'ms' },
    { metric: `${at}, reserve and settle, p50`, value: both.p50, unit: 'ms' },
    { metric: `${at}, reserve and settle, p99`, value: both.p99, unit: 'ms' },
    { metric: `${at}, made`, value: median(answers.map(({ perSecond }) => perSecond)), unit: UNIT },
    ...(await profiled('admissions on SQLite', program, question, options)),
  ]
}

async function postgresFigures(
  name: string,
  input: AdmissionsInput,
  options: BenchOptions,
): Promise<readonly Figure[]> {
  await using program = await open(input)
  const held = await rounds(program, { kind: 'held', rate: CONCURRENCY }, options)
  const settled = await rounds(program, { kind: 'settled', rate: CONCURRENCY }, options)
  const reserve = medianQuantiles(held.map(({ reserveMs }) => reserveMs))
  const both = medianQuantiles(settled.map(({ bothMs }) => bothMs))
  const perSecond = (answers: readonly AdmissionsAnswer[]) => ({
    value: median(answers.map((answer) => answer.perSecond)),
    unit: UNIT,
    comparison: { kind: 'at-least', limit: POSTGRES_MIN } as const,
  })
  const locks = [...held, ...settled].flatMap((answer) => (answer.locks === undefined ? [] : [answer.locks]))
  return [
    { metric: `${name}, reserve`, ...perSecond(held) },
    { metric: `${name}, reserve, p50`, value: reserve.p50, unit: 'ms' },
    { metric: `${name}, reserve, p99`, value: reserve.p99, unit: 'ms' },
    { metric: `${name}, reserve and settle`, ...perSecond(settled) },
    { metric: `${name}, reserve and settle, p50`, value: both.p50, unit: 'ms' },
    { metric: `${name}, reserve and settle, p99`, value: both.p99, unit: 'ms' },
    {
      metric: `${name}, waiting for a lock`,
      value: median(locks.map(({ waiting }) => waiting)),
      unit: 'connections',
    },
    {
      metric: `${name}, deadlocks in all rounds`,
      value: locks.reduce((sum, { deadlocks }) => sum + deadlocks, 0),
      unit: 'deadlocks',
    },
    ...(await profiled(
      `admissions on ${name.replace(',', ' of')}`,
      program,
      { kind: 'settled', rate: CONCURRENCY },
      options,
    )),
  ]
}

function open(input: AdmissionsInput): Promise<Admissions> {
  return openProgram('programs/admissions.ts', input)
}

type Asked = Omit<AdmissionsQuestion, 'durationMs'>

async function rounds(
  program: Admissions,
  asked: Asked,
  { rounds: count }: BenchOptions,
): Promise<readonly AdmissionsAnswer[]> {
  await program.ask({ ...asked, durationMs: WARM_MS })
  const answers: AdmissionsAnswer[] = []
  for (let round = 0; round < count; round++)
    answers.push(await program.ask({ ...asked, durationMs: ROUND_MS }))
  return answers
}

async function profiled(
  work: string,
  program: Admissions,
  asked: Asked,
  { profile }: BenchOptions,
): Promise<readonly Figure[]> {
  if (!profile) return []
  return profileShares(work, await program.profile(() => program.ask({ ...asked, durationMs: ROUND_MS })))
}
