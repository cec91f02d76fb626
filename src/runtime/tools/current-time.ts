// The built-in tool `current_time`.

import { AppError } from '../../base/errors.ts'
import { type EpochMs, formatTime } from '../../base/time.ts'
import type { BuiltinTool } from './builtin-tool.ts'
import { objectInput, textOf } from './input.ts'

export const currentTime: BuiltinTool = {
  name: 'current_time',
  description: 'Tells the current date, time and weekday, in UTC and in a time zone such as "Europe/Berlin".',
  inputSchema: {
    type: 'object',
    properties: {
      time_zone: {
        type: 'string',
        maxLength: 64,
        description: 'An IANA name such as "Asia/Tokyo". Default: UTC.',
      },
    },
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: {
      time: { type: 'string', format: 'date-time', description: 'The local time with its offset.' },
      utc: { type: 'string', format: 'date-time' },
      weekday: { type: 'string' },
      offset: { type: 'string' },
      time_zone: { type: 'string' },
    },
    required: ['time', 'utc', 'weekday', 'offset', 'time_zone'],
    additionalProperties: false,
  },
  effect: 'read',
  untrusted: false,
  call: async (input, _config, context) =>
    localTime(context.nowMs, textOf(objectInput(input).time_zone) ?? 'UTC'),
}

function localTime(nowMs: EpochMs, timeZone: string) {
  const parts = formatter(timeZone).formatToParts(nowMs)
  const part = (type: Intl.DateTimeFormatPartTypes): string =>
    parts.find((each) => each.type === type)?.value ?? ''
  // "GMT+02:00", and plain "GMT" for UTC.
  const offset = part('timeZoneName').replace('GMT', '') || '+00:00'
  const date = `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`
  const time = `${date}T${part('hour')}:${part('minute')}:${part('second')}${offset}`
  return { time, utc: formatTime(nowMs), weekday: part('weekday'), offset, time_zone: timeZone }
}

function formatter(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-GB', {
      timeZone,
      calendar: 'gregory',
      weekday: 'long',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'longOffset',
    })
  } catch (error) {
    const near = suggestion(timeZone)
    const hint =
      near === undefined ? 'use a name such as "Europe/Berlin" or "UTC"' : `did you mean "${near}"?`
    throw new AppError('tool.input-invalid', `There is no time zone ${JSON.stringify(timeZone)}: ${hint}`, {
      cause: error,
    })
  }
}

/** A zone whose city is what was asked for: "Berlin", "new york". */
function suggestion(asked: string): string | undefined {
  const city = asked.trim().toLowerCase().replaceAll(' ', '_').split('/').at(-1)
  return Intl.supportedValuesOf('timeZone').find((zone) => zone.toLowerCase().split('/').at(-1) === city)
}
