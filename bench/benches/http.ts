// An authenticated GET of an agent on the real server, beside a bare route of Hono that returns the same bytes and
// headers, with the same client, in turns. Requests per second, and the processor's time for each request, which
// the client cannot hide.

import { request } from 'undici'
import type { Bench, Figure } from '../figure.ts'
import type { HonoServerReady } from '../programs/hono-server.ts'
import type { ClientQuestion } from '../programs/http-client.ts'
import type { PlatformServerReady } from '../programs/platform-server.ts'
import type { Load } from '../support/load.ts'
import { profileShares } from '../support/profile.ts'
import { openProgram, type Program } from '../support/program.ts'
import { median, medianQuantiles } from '../support/statistics.ts'
import { workFolder } from '../support/work-folder.ts'

const CONCURRENCY = 20
const WARM_MS = 3_000
const ROUND_MS = 2_000
const SHARE_MIN = 0.5
/** Set by every server of Node, by its own clock and rules. */
const NODE_HEADERS: ReadonlySet<string> = new Set(['date', 'connection', 'keep-alive', 'content-length'])

export const httpBench: Bench = async ({ rounds, profile }) => {
  await using folder = await workFolder('http')
  await using server = await openProgram<PlatformServerReady, never, never>('programs/platform-server.ts', {
    folder: folder.path,
  })
  const path = `/api/v1/agents/${server.ready.agentId}`
  const headers = { authorization: `Bearer ${server.ready.key}` }
  const sample = await request(`${server.ready.url}${path}`, { headers })
  const text = await sample.body.text()
  const sent = Object.entries(sample.headers).filter(([name]) => !NODE_HEADERS.has(name))
  await using bare = await openProgram<HonoServerReady, never, never>('programs/hono-server.ts', {
    path: '/api/v1/agents/:id',
    body: JSON.parse(text),
    headers: Object.fromEntries(sent),
    port: 0,
  })
  await using client = await openProgram<null, ClientQuestion, Load>('programs/http-client.ts')

  const bytes = Buffer.byteLength(text)
  const visit = async (to: Server, durationMs: number): Promise<Visit> => {
    const before = await to.usage()
    const load = await client.ask({
      kind: 'get',
      url: to.ready.url,
      path,
      headers,
      bytes,
      concurrency: CONCURRENCY,
      durationMs,
    })
    const after = await to.usage()
    return { load, cpuUs: ((after.cpuMs - before.cpuMs) * 1_000) / load.count }
  }
  const ours: Visit[] = []
  const theirs: Visit[] = []
  for (const to of [server, bare]) await visit(to, WARM_MS)
  for (let round = 0; round < rounds; round++) {
    ours.push(await visit(server, ROUND_MS))
    theirs.push(await visit(bare, ROUND_MS))
  }
  const figures = figuresOf(ours, theirs)
  if (!profile) return figures
  const taken = await server.profile(() => visit(server, WARM_MS))
  const takenBare = await bare.profile(() => visit(bare, WARM_MS))
  return [
    ...figures,
    ...(await profileShares('GET agent', taken)),
    ...(await profileShares('bare Hono', takenBare)),
  ]
}

type Server = Pick<Program<{ readonly url: string }, never, never>, 'ready' | 'usage'>

interface Visit {
  readonly load: Load
  /** Of the server, for a request. */
  readonly cpuUs: number
}

function figuresOf(ours: readonly Visit[], theirs: readonly Visit[]): readonly Figure[] {
  const perSecond = (visits: readonly Visit[]) => median(visits.map(({ load }) => load.perSecond))
  const cpuUs = (visits: readonly Visit[]) => median(visits.map((visit) => visit.cpuUs))
  const latencyMs = medianQuantiles(ours.map(({ load }) => load.latencyMs))
  const shares = ours.map(({ load }, round) => load.perSecond / (theirs[round]?.load.perSecond ?? Number.NaN))
  const rate = { kind: 'peer', name: 'bare Hono', value: perSecond(theirs) } as const
  const cost = { kind: 'peer', name: 'bare Hono', value: cpuUs(theirs) } as const
  return [
    {
      metric: 'GET agent, as a share of bare Hono',
      value: median(shares),
      unit: '×',
      comparison: { kind: 'at-least', limit: SHARE_MIN },
    },
    { metric: 'GET agent', value: perSecond(ours), unit: 'requests/s', comparison: rate },
    { metric: 'GET agent, processor time of the server', value: cpuUs(ours), unit: 'µs', comparison: cost },
    { metric: 'bare Hono', value: perSecond(theirs), unit: 'requests/s' },
    { metric: 'bare Hono, processor time of the server', value: cpuUs(theirs), unit: 'µs' },
    { metric: `GET agent at concurrency ${CONCURRENCY}, p50`, value: latencyMs.p50, unit: 'ms' },
    { metric: `GET agent at concurrency ${CONCURRENCY}, p99`, value: latencyMs.p99, unit: 'ms' },
  ]
}
