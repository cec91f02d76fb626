// A processor profile as shares by place: which folder of ours, which package, which part of Node the time was in.

import { mkdir, writeFile } from 'node:fs/promises'
import type { Profiler } from 'node:inspector'
import { join } from 'node:path'
import type { Figure } from '../figure.ts'

const BENCH = join(import.meta.dirname, '..')
/** Places with less are told together. */
const SHARE_MIN = 0.005

/** Writes the profile to bench/profiles and answers the shares of each place, largest first. */
export async function profileFigures(name: string, profile: Profiler.Profile): Promise<readonly Figure[]> {
  const folder = join(BENCH, 'profiles')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${name}.cpuprofile`), JSON.stringify(profile))
  const byPlace = timeByPlace(profile)
  const total = byPlace.values().reduce((sum, time) => sum + time, 0)
  const places = [...byPlace].map(([place, time]) => ({ place, share: time / total }))
  const shown = places.filter(({ share }) => share >= SHARE_MIN).sort((a, b) => b.share - a.share)
  const rest = 1 - shown.reduce((sum, { share }) => sum + share, 0)
  return [...shown, { place: 'everything else', share: rest }].map(({ place, share }) => ({
    metric: `time of ${name} in ${place}`,
    value: share * 100,
    unit: '%',
  }))
}

/** Self time in microseconds. What the process spent waiting is left out. */
function timeByPlace({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Map<string, number> {
  const placeById = new Map(nodes.map((node) => [node.id, placeOf(node.callFrame)]))
  const times = new Map<string, number>()
  samples.forEach((id, index) => {
    const place = placeById.get(id)
    if (place !== undefined) times.set(place, (times.get(place) ?? 0) + Math.max(0, timeDeltas[index] ?? 0))
  })
  return times
}

function placeOf({ url, functionName }: Profiler.ProfileNode['callFrame']): string | undefined {
  if (functionName === '(idle)' || functionName === '(root)') return undefined
  if (functionName === '(garbage collector)') return 'garbage collection'
  const ours = /\/(src\/[^/]+|bench)\//.exec(url)
  const packages = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)
  if (packages) return packages[1]
  if (ours) return ours[1]
  if (url.startsWith('node:')) return nodePlace(url)
  if (NATIVE_SQLITE.has(functionName)) return 'node:sqlite'
  if (functionName === 'stringify' || functionName === 'parse') return 'JSON'
  return 'Node and V8, native'
}

/** The methods of node:sqlite are native: they have a name and no file. */
const NATIVE_SQLITE: ReadonlySet<string> = new Set(['run', 'all', 'get', 'exec', 'prepare'])

function nodePlace(url: string): string {
  if (/http/.test(url)) return 'node:http'
  if (/stream|net|timers|stream_base/.test(url)) return 'node: sockets, streams and timers'
  return 'node: other JavaScript'
}
