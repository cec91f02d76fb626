// API keys: how many a second one core checks, from the cache and otherwise, with the queries that keep the cache fresh.

import type { Bench, Figure } from '../figure.ts'
import type { KeysQuestion } from '../programs/key-checks.ts'
import type { Load } from '../support/load.ts'
import { openProgram } from '../support/program.ts'
import { median, medianQuantiles } from '../support/statistics.ts'
import { workFolder } from '../support/work-folder.ts'

const ROUND_MS = 1_000
const CHECKS_PER_SECOND = 50_000
const P99_MS_MAX = 1

type Kind = KeysQuestion['kind']

/** Longer than a cached answer lives, so that every round has its refreshes. */
const KINDS: Readonly<Record<Kind, string>> = {
  many: '9,000 keys in turn, cached',
  one: 'one key of them, cached',
  'known-unknown': 'one unknown key, again and again',
  unknown: 'unknown keys, each one new (with making it)',
  malformed: 'a malformed key',
}
const WITH_TARGET: ReadonlySet<Kind> = new Set<Kind>(['one', 'many'])

export const keysBench: Bench = async ({ rounds }) => {
  await using folder = await workFolder('keys')
  await using program = await openProgram<null, KeysQuestion, Load>('programs/key-checks.ts', {
    folder: folder.path,
  })
  const kinds = Object.keys(KINDS) as Kind[]
  const loads = new Map<Kind, Load[]>(kinds.map((kind) => [kind, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const kind of kinds) {
      const load = await program.ask({ kind, durationMs: ROUND_MS })
      if (round > 0) loads.get(kind)?.push(load)
    }
  }
  return kinds.flatMap((kind) => figuresOf(kind, loads.get(kind) ?? []))
}

function figuresOf(kind: Kind, loads: readonly Load[]): readonly Figure[] {
  const { p50, p99 } = medianQuantiles(loads.map(({ latencyMs }) => latencyMs))
  const what = KINDS[kind]
  const hasTarget = WITH_TARGET.has(kind)
  return [
    {
      metric: `${what}: checks on one core`,
      value: median(loads.map(({ perSecond }) => perSecond)),
      unit: 'checks/s',
      ...(hasTarget && { comparison: { kind: 'at-least', limit: CHECKS_PER_SECOND } }),
    },
    { metric: `${what}: p50`, value: p50, unit: 'ms' },
    {
      metric: `${what}: p99`,
      value: p99,
      unit: 'ms',
      ...(hasTarget && { comparison: { kind: 'at-most', limit: P99_MS_MAX } }),
    },
  ]
}
