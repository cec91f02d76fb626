// Times for people: how long ago, and when exactly.

import type { Channel } from './channel.ts'

const UNITS = [
  { name: 'year', ms: 31_536_000_000 },
  { name: 'month', ms: 2_592_000_000 },
  { name: 'day', ms: 86_400_000 },
  { name: 'hour', ms: 3_600_000 },
  { name: 'minute', ms: 60_000 },
] as const

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'short' })

/** `3 min. ago`, `in 2 days`, `now`. */
export function relativeTime(time: string, nowMs: number): string {
  const difference = Date.parse(time) - nowMs
  const unit = UNITS.find(({ ms }) => Math.abs(difference) >= ms)
  if (unit === undefined)
    return Math.abs(difference) < 5_000 ? 'now' : difference < 0 ? '< 1 min. ago' : 'in < 1 min.'
  return relative.format(Math.trunc(difference / unit.ms), unit.name)
}

/** `2026-11-22 10:00:00Z`: in UTC, as the API has it. */
export function absoluteTime(time: string): string {
  return time.replace('T', ' ').replace(/\.\d+Z$/, 'Z')
}

/** In a table: how long ago on a terminal, exactly in a pipe. */
export function listTime({ live }: Pick<Channel, 'live'>, time: string, nowMs: number): string {
  return live ? relativeTime(time, nowMs) : absoluteTime(time)
}

/** Both, for one thing that is shown on its own. */
export function fullTime(time: string | null, nowMs: number): string {
  return time === null ? '' : `${absoluteTime(time)} (${relativeTime(time, nowMs)})`
}

/** `120 ms`, `1.4 s`, `3 min 20 s`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`
}
