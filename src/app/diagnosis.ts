// What `doctor` found: the settings in force and the checks, each with what to do where it is not fine.

import type { SettingInForce } from './settings/settings-in-force.ts'

export interface DoctorCheck {
  readonly name: string
  /** `warning`: it works, but perhaps not as meant. */
  readonly status: 'ok' | 'warning' | 'failed'
  /** One line; it says what to do where the status is not `ok`. */
  readonly detail: string
}

export interface Diagnosis {
  /** No check failed. */
  readonly ok: boolean
  readonly version: string
  readonly settings: readonly SettingInForce[]
  readonly checks: readonly DoctorCheck[]
}

export function ok(name: string, detail: string): DoctorCheck {
  return { name, status: 'ok', detail }
}

export function warning(name: string, detail: string): DoctorCheck {
  return { name, status: 'warning', detail }
}

export function failed(name: string, detail: string): DoctorCheck {
  return { name, status: 'failed', detail }
}
