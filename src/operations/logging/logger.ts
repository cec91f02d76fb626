// The log: one JSON object a line on standard output, or short lines for a person. Never a secret, never an open buffer.

import { type DestinationStream, pino, destination as pinoDestination, stdTimeFunctions } from 'pino'
import { prettyLine } from './pretty-line.ts'
import { createScrub } from './scrub.ts'

export type LogFields = Readonly<Record<string, unknown>>
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  /** An `error` field is written with its stack and its causes. */
  error(message: string, fields?: LogFields): void
  /** The same log with these fields on every line: a request, a run, a tenant. */
  with(fields: LogFields): Logger
}

export interface LoggerOptions {
  readonly level: LogLevel
  readonly format: 'json' | 'pretty'
  /** Texts that are masked wherever they appear. */
  readonly secrets: readonly string[]
  readonly service: { readonly name: string; readonly version: string }
  /** Colours in the pretty format. */
  readonly color: boolean
  /** Where lines go; standard output where absent. */
  readonly write?: (line: string) => void
}

/** Lines are gathered up to this many bytes, or for this time. */
const BUFFER_BYTES = 4_096
const BUFFER_MS = 200

export function createLogger(options: LoggerOptions): Logger & Disposable {
  const sink = openSink(options)
  const scrub = createScrub(options.secrets)
  const root = pino(
    {
      level: options.level,
      base: { service: options.service.name, version: options.service.version, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
    },
    sink.stream,
  )
  const at = (fixed: LogFields): Logger => {
    const write =
      (level: 'debug' | 'info' | 'warn' | 'error') =>
      (message: string, fields: LogFields = {}): void => {
        if (!root.isLevelEnabled(level)) return
        // A record's own names win: a field cannot pose as its time or level.
        const { time: _time, level: _level, message: _message, ...rest } = { ...fixed, ...fields }
        root[level](scrub(rest), String(scrub(message)))
      }
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      with: (fields) => at({ ...fixed, ...fields }),
    }
  }
  return { ...at({}), [Symbol.dispose]: sink.close }
}

interface Sink {
  readonly stream: DestinationStream
  /** Writes what is still gathered. */
  close(): void
}

function openSink({ format, color, write }: LoggerOptions): Sink {
  const shape = format === 'pretty' ? (line: string) => prettyLine(line, color) : (line: string) => line
  if (write !== undefined) return { stream: { write: (line) => write(shape(line)) }, close: () => undefined }
  // A person sees each line at once; a machine gets them in larger pieces.
  const buffered = format === 'json' ? { minLength: BUFFER_BYTES } : {}
  const output = pinoDestination({ dest: 1, sync: format === 'pretty', ...buffered })
  // A reader that went away (`| head`) must not end the server.
  output.on('error', () => undefined)
  const flush = (): void => {
    try {
      output.flushSync()
    } catch {
      // The stream was not open yet, or its reader is gone: there is nobody to write to.
    }
  }
  // Not the library's periodic flush: it wakes a process that logs nothing five times a second.
  let timer: NodeJS.Timeout | undefined
  const soon = (): void => {
    timer = undefined
    output.flush()
  }
  process.on('exit', flush)
  return {
    stream: {
      write: (line) => {
        output.write(shape(line))
        if (format === 'json') timer ??= setTimeout(soon, BUFFER_MS).unref()
      },
    },
    close: () => {
      clearTimeout(timer)
      flush()
      process.off('exit', flush)
    },
  }
}
