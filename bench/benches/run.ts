// A run from end to end: model, tool, model, each step on disk, over HTTP and in process, beside a loop that keeps
// nothing (the AI SDK) and one that keeps what was said (Mastra). All take turns, so that they meet the same machine.

import type { Bench, Comparison, Figure } from '../figure.ts'
import type { ClientQuestion } from '../programs/http-client.ts'
import type { RunsAnswer } from '../programs/platform-runs.ts'
import type { PlatformServerReady } from '../programs/platform-server.ts'
import { AGENT } from '../support/adder.ts'
import type { Load, LoadOptions } from '../support/load.ts'
import { installPeers } from '../support/peers.ts'
import { profileShares } from '../support/profile.ts'
import { openProgram, type Program } from '../support/program.ts'
import type { SqliteCounts } from '../support/sqlite-counter.ts'
import { median, medianQuantiles, type Quantiles } from '../support/statistics.ts'
import { workFolder } from '../support/work-folder.ts'

const CONCURRENCY = 20
const WARM_MS = 3_000
const ROUND_MS = 2_000
const HTTP_RUNS_PER_SECOND = 300
const RUNS_PER_SECOND = 500
const WAIT_SECONDS = 20

export const runBench: Bench = async ({ rounds, profile }) => {
  await using opened = new AsyncDisposableStack()
  const folder = async (name: string) => opened.use(await workFolder(name)).path
  const server = opened.use(
    await openProgram<PlatformServerReady, never, never>('programs/platform-server.ts', {
      folder: await folder('server'),
    }),
  )
  const client = opened.use(await openProgram<null, ClientQuestion, Load>('programs/http-client.ts'))
  const runs = opened.use(
    await openProgram<null, LoadOptions, RunsAnswer>('programs/platform-runs.ts', {
      folder: await folder('runs'),
    }),
  )
  const aiSdk = opened.use(await openProgram<null, LoadOptions, Load>('programs/ai-sdk-runs.ts'))
  const peers = await installPeers()
  const mastra =
    peers.state === 'ready'
      ? opened.use(
          await openProgram<null, LoadOptions, Load>('peers/mastra-runs.mjs', {
            folder: await folder('mastra'),
          }),
        )
      : undefined

  const sides: Sides = {
    http: (asked) => client.ask(requestOf(server.ready, asked)),
    inProcess: (asked) => runs.ask(asked),
    aiSdk: (asked) => aiSdk.ask(asked),
    ...(mastra && { mastra: (asked) => mastra.ask(asked) }),
  }
  const many = await takeTurns(sides, CONCURRENCY, rounds)
  const one = await takeTurns(sides, 1, rounds)
  const options = (concurrency: number) => ({ concurrency, durationMs: ROUND_MS })
  const figures: Figure[] = [
    ...perSecondFigures(many, peers.state === 'missing' ? peers.reason : ''),
    ...latencyFigures('over HTTP', 'run', many.http, one.http, ({ latencyMs }) => latencyMs),
    ...latencyFigures('in process', 'run', many.inProcess, one.inProcess, ({ latencyMs }) => latencyMs),
    ...latencyFigures('in process', 'step', many.inProcess, one.inProcess, ({ stepMs }) => stepMs),
    ...countFigures('over HTTP', CONCURRENCY, await server.count(() => sides.http(options(CONCURRENCY)))),
    ...countFigures('in process', CONCURRENCY, await runs.count(() => runs.ask(options(CONCURRENCY)))),
    ...countFigures('in process', 1, await runs.count(() => runs.ask(options(1)))),
  ]
  if (profile) figures.push(...(await profiles(server, runs, sides)))
  return figures
}

type Side<A> = (options: LoadOptions) => Promise<A>

interface Sides {
  readonly http: Side<Load>
  readonly inProcess: Side<RunsAnswer>
  readonly aiSdk: Side<Load>
  readonly mastra?: Side<Load>
}

interface Turns {
  readonly http: Load[]
  readonly inProcess: RunsAnswer[]
  readonly aiSdk: Load[]
  readonly mastra: Load[]
}

function requestOf({ url, key }: PlatformServerReady, options: LoadOptions): ClientQuestion {
  const path = `/api/v1/agents/${AGENT}/runs?wait=${WAIT_SECONDS}`
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return { ...options, kind: 'run', url, path, headers }
}

/** Warms each side, then lets them take turns for so many rounds. */
async function takeTurns(sides: Sides, concurrency: number, rounds: number): Promise<Turns> {
  const turns: Turns = { http: [], inProcess: [], aiSdk: [], mastra: [] }
  for (let round = 0; round <= rounds; round++) {
    const options = { concurrency, durationMs: round === 0 ? WARM_MS : ROUND_MS }
    const http = await sides.http(options)
    const inProcess = await sides.inProcess(options)
    const aiSdk = await sides.aiSdk(options)
    const mastra = await sides.mastra?.(options)
    if (round === 0) continue
    turns.http.push(http)
    turns.inProcess.push(inProcess)
    turns.aiSdk.push(aiSdk)
    if (mastra) turns.mastra.push(mastra)
  }
  return turns
}

function perSecondFigures(turns: Turns, missing: string): readonly Figure[] {
  const perSecond = (loads: readonly Load[]) => median(loads.map((load) => load.perSecond))
  const unit = 'runs/s'
  const at = `at concurrency ${CONCURRENCY}`
  const inProcess = perSecond(turns.inProcess)
  const against = (name: string, loads: readonly Load[]): Figure => {
    const comparison: Comparison = { kind: 'peer', name, value: perSecond(loads) }
    return { metric: `in process ${at}, beside ${name}`, value: inProcess, unit, comparison }
  }
  const mastra = `Mastra with its memory`
  return [
    {
      metric: `over HTTP ${at}`,
      value: perSecond(turns.http),
      unit,
      comparison: { kind: 'at-least', limit: HTTP_RUNS_PER_SECOND },
    },
    {
      metric: `in process ${at}`,
      value: inProcess,
      unit,
      comparison: { kind: 'at-least', limit: RUNS_PER_SECOND },
    },
    { metric: `the AI SDK’s loop in memory ${at}`, value: perSecond(turns.aiSdk), unit },
    against('the AI SDK’s loop in memory', turns.aiSdk),
    ...(turns.mastra.length === 0
      ? [{ metric: `${mastra} ${at}`, unit, reason: missing }]
      : [{ metric: `${mastra} ${at}`, value: perSecond(turns.mastra), unit }, against(mastra, turns.mastra)]),
  ]
}

function latencyFigures<A extends Load>(
  where: string,
  what: string,
  many: readonly A[],
  one: readonly A[],
  quantiles: (answer: A) => Quantiles,
): readonly Figure[] {
  return [one, many].flatMap((answers, index) => {
    const { p50, p95, p99 } = medianQuantiles(answers.map(quantiles))
    const at = `added per ${what} ${where} at concurrency ${index === 0 ? 1 : CONCURRENCY}`
    return Object.entries({ p50, p95, p99 }).map(([name, value]) => ({
      metric: `${at}, ${name}`,
      value,
      unit: 'ms',
    }))
  })
}

function countFigures(
  where: string,
  concurrency: number,
  [{ count }, counts]: readonly [Load, SqliteCounts],
): readonly Figure[] {
  const at = `per run ${where} at concurrency ${concurrency}`
  return [
    { metric: `statements ${at}`, value: counts.statements / count, unit: 'statements' },
    { metric: `time in statements ${at}`, value: counts.statementMs / count, unit: 'ms' },
    { metric: `commits ${at}`, value: counts.commits / count, unit: 'commits' },
    { metric: `time in commits ${at}`, value: counts.commitMs / count, unit: 'ms' },
  ]
}

async function profiles(
  server: Program<PlatformServerReady, never, never>,
  runs: Program<null, LoadOptions, RunsAnswer>,
  sides: Sides,
): Promise<readonly Figure[]> {
  const options = { concurrency: CONCURRENCY, durationMs: WARM_MS }
  const overHttp = await server.profile(() => sides.http(options))
  const inProcess = await runs.profile(() => sides.inProcess(options))
  return [
    ...(await profileShares('a run over HTTP', overHttp)),
    ...(await profileShares('a run in process', inProcess)),
  ]
}
