// A processor profile as shares by place: which folder of ours, which package, which part of Node the time was in.

import { mkdir, writeFile } from 'node:fs/promises'
import type { Profiler } from 'node:inspector'
import { join } from 'node:path'
import type { Share } from '../figure.ts'

const BENCH = join(import.meta.dirname, '..')
/** Places with less are told together. */
const SHARE_MIN = 0.005

/** Writes the profile to bench/profiles and answers the shares of each place, largest first. */
export async function profileShares(work: string, profile: Profiler.Profile): Promise<readonly Share[]> {
  const folder = join(BENCH, 'profiles')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${work.replaceAll(' ', '-')}.cpuprofile`), JSON.stringify(profile))
  const byPlace = timeByPlace(profile)
  const total = byPlace.values().reduce((sum, time) => sum + time, 0)
  const places = [...byPlace].map(([place, time]) => ({ place, share: time / total }))
  const shown = places.filter(({ share }) => share >= SHARE_MIN).sort((a, b) => b.share - a.share)
  const rest = 1 - shown.reduce((sum, { share }) => sum + share, 0)
  return [...shown, { place: 'everything else', share: rest }].map(({ place, share }) => ({
    of: work,
    place,
    percent: share * 100,
  }))
}

/** Self time in microseconds. What the process spent waiting is left out. */
function timeByPlace({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const placeById = new Map<number, string | undefined>()
  const place = (node: Profiler.ProfileNode, caller: Profiler.ProfileNode | undefined): void => {
    placeById.set(node.id, placeOf(node.callFrame, caller?.callFrame))
    for (const id of node.children ?? []) {
      const child = byId.get(id)
      if (child) place(child, node)
    }
  }
  const [root] = nodes
  if (root) place(root, undefined)
  const times = new Map<string, number>()
  samples.forEach((id, index) => {
    const found = placeById.get(id)
    if (found !== undefined) times.set(found, (times.get(found) ?? 0) + Math.max(0, timeDeltas[index] ?? 0))
  })
  return times
}

type Frame = Profiler.ProfileNode['callFrame']

/** A native function has a name and no file: its caller says what it is. */
function placeOf(frame: Frame, caller: Frame | undefined): string | undefined {
  const { url, functionName } = frame
  if (NOT_COUNTED.has(functionName) || url === 'node:inspector') return undefined
  if (functionName === '(garbage collector)') return 'garbage collection'
  if (functionName === '(program)') return 'Node and V8, native'
  if (url !== '') return filePlace(url)
  if (caller?.url === 'node:inspector') return undefined
  if (SQLITE_METHODS.has(functionName) && caller?.url.includes('/src/storage/')) {
    return caller.functionName === 'control' ? 'node:sqlite, begin and commit' : 'node:sqlite, statements'
  }
  if (JSON_METHODS.has(functionName)) return 'JSON'
  return caller?.url.startsWith('node:') ? filePlace(caller.url) : 'Node and V8, native'
}

const NOT_COUNTED: ReadonlySet<string> = new Set(['(idle)', '(root)'])
const SQLITE_METHODS: ReadonlySet<string> = new Set(['run', 'all', 'get', 'exec', 'prepare'])
const JSON_METHODS: ReadonlySet<string> = new Set(['stringify', 'parse'])

function filePlace(url: string): string {
  if (url.startsWith('node:')) return nodePlace(url)
  const [, ofPackage] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url) ?? []
  const [, ofOurs] = /\/(src\/[^/]+|bench)\//.exec(url) ?? []
  return ofPackage ?? ofOurs ?? 'Node and V8, native'
}

function nodePlace(url: string): string {
  if (/http/.test(url)) return 'node:http'
  if (/undici|webstreams/.test(url)) return 'node: Request, Response and web streams'
  return /stream|net|timers/.test(url) ? 'node: sockets, streams and timers' : 'node: other JavaScript'
}
