// Reads rows of the table from a record of variables and remembers every wrong one.

import type { FieldError } from '../../base/errors.ts'
import type { Environment } from './environment.ts'
import type { ProfileName } from './profile.ts'
import { withoutCredentials } from './secret.ts'
import {
  type DefaultedSetting,
  defaultOf,
  type FutureSetting,
  type OptionalSetting,
  type Setting,
} from './setting.ts'

const SHOWN_CHARS_MAX = 60

export interface SettingReader {
  /** The value, or the default where the variable is absent, empty or wrong. */
  get<T>(setting: DefaultedSetting<T>, profile: ProfileName): T
  find<T>(setting: OptionalSetting<T>): T | undefined
  /** Complains where the variable is set. */
  refuse(setting: FutureSetting): void
  complain(name: string, line: string): void
  readonly problems: readonly FieldError[]
}

export function createSettingReader(environment: Environment): SettingReader {
  const problems: FieldError[] = []
  const complain = (name: string, message: string): void => {
    problems.push({ path: name, message })
  }
  const parsed = <T>(setting: DefaultedSetting<T> | OptionalSetting<T>): T | undefined => {
    const text = textOf(environment, setting.name)
    if (text === undefined) return undefined
    const value = setting.parse(text)
    if (value === undefined) complain(setting.name, wrongValue(setting, text))
    return value
  }
  return {
    problems,
    complain,
    find: parsed,
    get(setting, profile) {
      const value = parsed(setting) ?? setting.parse(defaultOf(setting, profile))
      if (value === undefined)
        throw new TypeError(`The default of ${setting.name} is not allowed by its own row.`)
      return value
    },
    refuse(setting) {
      if (textOf(environment, setting.name) !== undefined) {
        complain(setting.name, `${setting.name} is set, but this release does not use it yet: unset it.`)
      }
    },
  }
}

/** The text of a variable; an empty one counts as absent, as in container files. */
export function textOf(environment: Environment, name: string): string | undefined {
  const text = environment[name]?.trim()
  return text === '' ? undefined : text
}

function wrongValue(setting: Setting, text: string): string {
  const shown = setting.secret ? '(hidden)' : quoted(withoutCredentials(text))
  return `${setting.name}=${shown} is not allowed; allowed: ${setting.allowed}.`
}

function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text)
}
