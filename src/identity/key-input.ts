// What a request for a key may say. Checked at the border, all wrong fields at once; paths are in wire names.

import { AppError, type FieldError } from '../base/errors.ts'
import { NAME_CHARS_MAX } from '../base/limits.ts'
import type { EpochMs } from '../base/time.ts'
import type { Permission } from '../contract/permission.ts'
import { PERMISSIONS } from '../contract/permission.ts'
import type { CreateKeyInput } from './identity.ts'
import { isPermission } from './principals.ts'

/** How far in the future a key may expire: ten years. One that never expires says so by having no expiry. */
export const EXPIRY_MS_MAX = 10 * 366 * 86_400_000

export interface CheckedKeyInput {
  readonly name: string
  /** Each once, in the order of the one list. */
  readonly permissions: readonly Permission[]
  readonly expiresAt: EpochMs | null
}

/** Throws `request.invalid` with every wrong field. */
export function checkKeyInput(input: CreateKeyInput, now: EpochMs): CheckedKeyInput {
  const name = cleanName(input.name)
  const expiresAt = input.expiresAt ?? null
  const errors: FieldError[] = []
  if (name === undefined) errors.push({ path: '/name', message: NAME_MESSAGE })
  if (input.permissions.length === 0) {
    errors.push({
      path: '/permissions',
      message: 'Name at least one permission; an empty list is not "everything".',
    })
  }
  for (const [at, permission] of input.permissions.entries()) {
    if (!isPermission(permission)) {
      errors.push({
        path: `/permissions/${at}`,
        message: `Not a permission; allowed: ${PERMISSIONS.join(', ')}.`,
      })
    }
  }
  if (
    expiresAt !== null &&
    !(Number.isSafeInteger(expiresAt) && expiresAt > now && expiresAt <= now + EXPIRY_MS_MAX)
  ) {
    errors.push({ path: '/expires_at', message: 'The expiry is in the future, at most ten years from now.' })
  }
  if (name === undefined || errors.length > 0) {
    throw new AppError('request.invalid', 'The API key cannot be made like this; see errors.', { errors })
  }
  const wanted = new Set(input.permissions)
  return { name, permissions: PERMISSIONS.filter((permission) => wanted.has(permission)), expiresAt }
}

export const NAME_MESSAGE = `A name has 1 to ${NAME_CHARS_MAX} characters on one line, none of them a control character.`

/** Letters of any script; no control, format or line-breaking characters, which could forge lines in a log or a table. */
const CLEAN = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+$/u

/** The name without spaces around it, or undefined where it is not one. */
export function cleanName(text: string): string | undefined {
  if (typeof text !== 'string') return undefined
  const name = text.trim().normalize('NFC')
  return name.length <= NAME_CHARS_MAX && CLEAN.test(name) ? name : undefined
}
