// The settings in force, row by row with where each comes from, for people to read. Secrets are masked.

import type { Environment } from './environment.ts'
import type { ProfileName } from './profile.ts'
import { MASK, withoutCredentials } from './secret.ts'
import { defaultOf, type Setting } from './setting.ts'
import { textOf } from './setting-reader.ts'
import { SETTING_ROWS } from './setting-table.ts'

export interface SettingInForce {
  readonly name: string
  /** As text; the mask for a secret; a note in brackets where there is no value. */
  readonly value: string
  readonly source: 'environment' | 'profile' | 'default'
}

export function settingsInForce(environment: Environment, profile: ProfileName): readonly SettingInForce[] {
  return SETTING_ROWS.filter((row) => !('future' in row)).map((row) => inForce(row, environment, profile))
}

/** Variables with the product's prefix that no row knows: most often a typing mistake. */
export function unknownSettings(environment: Environment): readonly string[] {
  const known = new Set(SETTING_ROWS.map(({ name }) => name))
  return Object.keys(environment)
    .filter((name) => name.startsWith('AGENT_FACTORY_') && !known.has(name))
    .toSorted()
}

function inForce(row: Setting, environment: Environment, profile: ProfileName): SettingInForce {
  const { name } = row
  const text = textOf(environment, name)
  if (text !== undefined)
    return { name, value: row.secret ? MASK : withoutCredentials(text), source: 'environment' }
  if (!('default' in row))
    return { name, value: `(${'defaultNote' in row ? row.defaultNote : 'absent'})`, source: 'default' }
  const value = defaultOf(row, profile)
  const source = typeof row.default === 'string' ? 'default' : 'profile'
  return { name, value: value === '' ? `(${row.defaultNote ?? 'none'})` : value, source }
}
