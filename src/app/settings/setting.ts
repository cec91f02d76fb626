// What a row of the table of settings is. Reading, errors, `doctor` and docs/settings.md are made from these rows.

import type { ProfileName } from './profile.ts'

export type SettingGroup =
  | 'server'
  | 'storage'
  | 'queue'
  | 'models'
  | 'tools'
  | 'billing'
  | 'operations'
  | 'client'

interface Described {
  /** The environment variable. */
  readonly name: string
  readonly group: SettingGroup
  /** What it does, as a sentence for the documentation. */
  readonly summary: string
  /** Which values are allowed, so that it fits behind "allowed: ". */
  readonly allowed: string
  /** The value is masked wherever it would be shown. */
  readonly secret: boolean
}

/** One text for every profile, or one for each. */
export type DefaultText = string | Readonly<Record<ProfileName, string>>

/** A setting that always has a value. */
export interface DefaultedSetting<T> extends Described {
  readonly default: DefaultText
  /** How the documentation names the default, where the text itself would mislead (a folder of this machine). */
  readonly defaultNote?: string
  /** The value, or undefined where the text is not allowed. */
  parse(text: string): T | undefined
}

/** A setting that may be absent. */
export interface OptionalSetting<T> extends Described {
  /** What happens without it. */
  readonly defaultNote: string
  parse(text: string): T | undefined
}

/** A setting of a part that is not built yet: refused, so that nobody relies on it. */
export interface FutureSetting extends Described {
  readonly future: true
}

export type Setting = DefaultedSetting<unknown> | OptionalSetting<unknown> | FutureSetting

export function defaultOf(setting: DefaultedSetting<unknown>, profile: ProfileName): string {
  return typeof setting.default === 'string' ? setting.default : setting.default[profile]
}
