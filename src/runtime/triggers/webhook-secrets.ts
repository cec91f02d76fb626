// Secrets of webhooks: derived from the platform's key, stored nowhere; and signatures as Standard Webhooks has them
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).

import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { AppError } from '../../base/errors.ts'
import type { TenantId, TriggerId } from '../../base/ids.ts'

export const SECRET_KEY_BYTES_MIN = 32
const SECRET_BYTES = 32
const PREFIX = 'whsec_'
/** Signatures of one delivery that are looked at: a sender that changes its secret sends two. */
const SIGNATURES_MAX = 5

export interface SecretOf {
  readonly tenantId: TenantId
  readonly id: TriggerId
  readonly secretVersion: number
}

export interface Signed {
  readonly id: string
  /** Seconds since 1970, as it was sent. */
  readonly timestamp: string
  readonly body: string
}

export interface WebhookSecrets {
  /** Throws `request.invalid` where the platform has no key; so does `secretOf`. */
  requireKey(): void
  secretOf(trigger: SecretOf): string
  /** Whether one of the signatures of the header is that of the secret; none is where there is no key. Takes as long for a wrong one as for a right one. */
  opens(trigger: SecretOf, signed: Signed, signatures: string): boolean
}

/** `key`: at least 32 bytes, the same in every process; without it there are no webhooks. */
export function createWebhookSecrets(key: Uint8Array | undefined): WebhookSecrets {
  if (key !== undefined && key.length < SECRET_KEY_BYTES_MIN)
    throw new AppError(
      'settings.invalid',
      `AGENT_FACTORY_SECRET_KEY must have ${SECRET_KEY_BYTES_MIN} bytes or more.`,
    )
  const knownKey = (): Uint8Array => {
    if (key !== undefined) return key
    throw new AppError(
      'request.invalid',
      'Webhooks need a secret key: set AGENT_FACTORY_SECRET_KEY to 32 random bytes in base64 or hex, the same in every process.',
    )
  }
  const bytesOf = ({ tenantId, id, secretVersion }: SecretOf): Buffer => {
    const purpose = JSON.stringify(['webhook', tenantId, id, secretVersion])
    return Buffer.from(hkdfSync('sha256', knownKey(), '', purpose, SECRET_BYTES))
  }
  return {
    requireKey: () => void knownKey(),
    secretOf: (trigger) => PREFIX + bytesOf(trigger).toString('base64'),
    opens(trigger, signed, signatures) {
      if (key === undefined) return false
      const right = Buffer.from(signatureOf(bytesOf(trigger), signed))
      const shown = signatures.split(' ', SIGNATURES_MAX).map((text) => Buffer.from(text))
      return shown.some((one) => one.length === right.length && timingSafeEqual(one, right))
    },
  }
}

/** The signature that a sender makes with the secret `whsec_…`: `v1,` and the HMAC-SHA256 of id, time and body in base64. */
export function signWebhook(secret: string, signed: Signed): string {
  return signatureOf(Buffer.from(secret.slice(PREFIX.length), 'base64'), signed)
}

function signatureOf(secret: Buffer, { id, timestamp, body }: Signed): string {
  return `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}
