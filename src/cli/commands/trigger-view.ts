// How triggers are shown: one, and in lists. Ticks are shown in UTC and in the zone of the schedule.

import type { Trigger, TriggerTarget } from '../../contract/trigger.ts'
import { showDetails } from '../output/details.ts'
import type { Column } from '../output/table.ts'
import { absoluteTime, fullTime, listTime } from '../output/time-text.ts'
import type { Session } from '../session.ts'

export function showTrigger(session: Session, found: Trigger, secret?: string | null): void {
  const now = session.now()
  showDetails(session.out, [
    ['id', found.id],
    ['name', found.name],
    ['kind', found.kind],
    ['state', found.state],
    ['runs', targetText(found.target)],
    ['input', found.input],
    ['cron', found.cron ?? undefined],
    ['time zone', found.timezone ?? undefined],
    ['missed', found.missed ?? undefined],
    ['event', found.eventName ?? undefined],
    ['condition', found.condition ?? undefined],
    ['path', found.path ?? undefined],
    ['secret', secret ?? undefined],
    ...found.nextTicks.map((tick, i) => [i === 0 ? 'next' : '', bothZones(tick, found.timezone)] as const),
    ['last', fullTime(found.lastAt, now)],
    ['last run', found.lastRunId ?? undefined],
    ['last error', found.lastError ?? undefined],
    ['owner', found.ownerId],
    ['created', fullTime(found.createdAt, now)],
  ])
  if (secret != null) session.note('Keep the secret: it is shown this once and stored nowhere.')
}

export function triggerColumns(session: Session): readonly Column<Trigger>[] {
  return [
    { title: 'ID', value: ({ id }) => id, keep: true },
    { title: 'NAME', value: ({ name }) => name },
    { title: 'KIND', value: ({ kind }) => kind },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'RUNS', value: ({ target }) => targetText(target) },
    { title: 'BY', value: ({ cron, eventName, path }) => cron ?? eventName ?? path ?? '' },
    ...lastColumns(session),
  ]
}

export function scheduleColumns(session: Session): readonly Column<Trigger>[] {
  return [
    { title: 'ID', value: ({ id }) => id, keep: true },
    { title: 'NAME', value: ({ name }) => name },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'RUNS', value: ({ target }) => targetText(target) },
    { title: 'CRON', value: ({ cron }) => cron ?? '' },
    {
      title: 'NEXT',
      value: ({ nextAt, timezone }) => (nextAt === null ? '' : bothZones(nextAt, timezone)),
    },
    ...lastColumns(session),
  ]
}

function lastColumns(session: Session): readonly Column<Trigger>[] {
  return [
    {
      title: 'LAST',
      value: ({ lastAt }) => (lastAt === null ? '' : listTime(session.out, lastAt, session.now())),
      optional: true,
    },
    { title: 'ERROR', value: ({ lastError }) => lastError ?? '', optional: true },
  ]
}

function targetText(target: TriggerTarget): string {
  return 'agent' in target ? `agent ${target.agent}` : `workflow ${target.workflow}`
}

/** `2026-11-23 06:30:00Z (Mon 2026-11-23 07:30:00 Europe/Berlin)`. */
export function bothZones(time: string, timezone: string | null): string {
  const utc = absoluteTime(time)
  if (timezone === null || timezone === 'UTC') return utc
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(new Date(time))
  const of = (type: Intl.DateTimeFormatPartTypes): string =>
    parts.find((part) => part.type === type)?.value ?? ''
  const local = `${of('weekday')} ${of('year')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')}:${of('second')}`
  return `${utc} (${local} ${timezone})`
}
