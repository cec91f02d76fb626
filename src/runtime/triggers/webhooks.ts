// Deliveries to webhooks: signed, not too old, and each once.

import { AppError } from '../../base/errors.ts'
import type { RunId, TenantId, TriggerId } from '../../base/ids.ts'
import { type Json, type JsonObject, parseJson, withoutNul } from '../../base/json.ts'
import { type EpochMs, formatTime } from '../../base/time.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import { type FireDeps, fireTick, type TickOutcome } from './fire.ts'
import { type Delivery, SECRET_GRACE_MS, type TriggerRow } from './trigger.ts'
import { insertTick, lockTrigger, tickOf, webhookById } from './trigger-store.ts'
import type { SecretOf, Signed, WebhookSecrets } from './webhook-secrets.ts'

/** How far the time of a delivery may be from now, either way. */
export const DELIVERY_AGE_MS_MAX = 5 * 60_000
/** What is signed has id and time in a row with dots between: an id with a part like a time could be read in two ways. */
const DELIVERY_ID = /^(?!.*\.\d+(?:\.|$))[\x21-\x7e]{1,255}$/
/** What an expression may see of the headers: nothing that is a credential. */
const HEADERS_SHOWN = ['content-type', 'user-agent', 'webhook-id', 'webhook-timestamp'] as const
const HEADER_CHARS_MAX = 500

const NO_TRIGGER = {
  tenantId: '' as TenantId,
  id: '' as TriggerId,
  secretVersion: 0,
  secretRotatedAt: null,
}

export interface WebhookDeps extends FireDeps {
  readonly secrets: WebhookSecrets
}

/**
 * A webhook that is not there, a signature that is wrong and a time that is too old are told alike (`trigger.not-found`):
 * who cannot sign learns nothing.
 */
export async function receiveDelivery(
  deps: WebhookDeps,
  id: TriggerId,
  delivery: Delivery,
): Promise<{ readonly runId: RunId }> {
  const at = deps.clock()
  const trigger = await deps.db.system.read((reader) => reader.first(webhookById, { id }))
  const signed = signedOf(delivery)
  if (signed === undefined) throw refused()
  const age = Math.abs(at - Number(signed.timestamp) * 1_000)
  if (age > DELIVERY_AGE_MS_MAX) throw refused()
  // Also where there is none: how long it takes says as little as the answer.
  const right = isSigned(deps.secrets, trigger ?? NO_TRIGGER, signed, delivery, at)
  if (trigger === undefined || !right) throw refused()
  if (trigger.state === 'paused') throw new AppError('trigger.paused', 'This webhook is paused.')
  const known = await runOf(deps, trigger, signed.id)
  if (known !== undefined) return { runId: known }
  const facts = { payload: payloadOf(delivery), headers: headersOf(delivery), received_at: formatTime(at) }
  const claim = async (tx: TenantTransaction, outcome: TickOutcome): Promise<boolean> => {
    // It may have been deleted since, or paused.
    const now = await tx.first(lockTrigger, { id })
    if (now?.state !== 'active') return false
    // What failed may be delivered again: only a run takes the delivery.
    if (outcome.state === 'failed') return true
    return (await tx.run(insertTick, { triggerId: id, tick: signed.id, ...outcome, createdAt: at })) === 1
  }
  const fired = await fireTick(deps, trigger, { tick: signed.id, facts, claim })
  const runId = fired === undefined ? await runOf(deps, trigger, signed.id) : fired.runId
  if (runId === undefined) throw refused()
  // Why is for the trigger's owner to read; who delivers knows the secret and no more.
  if (runId === null)
    throw new AppError('trigger.failed', 'The webhook could not start its run; its owner sees why.')
  return { runId }
}

function refused(): AppError {
  return new AppError(
    'trigger.not-found',
    'There is no webhook here for this signature. Check the id, the secret and the clock.',
  )
}

function signedOf({ header, body }: Delivery): Signed | undefined {
  const id = header('webhook-id') ?? ''
  const timestamp = header('webhook-timestamp') ?? ''
  return DELIVERY_ID.test(id) && /^\d{1,12}$/.test(timestamp) ? { id, timestamp, body } : undefined
}

function isSigned(
  secrets: WebhookSecrets,
  trigger: SecretOf & Pick<TriggerRow, 'secretRotatedAt'>,
  signed: Signed,
  { header }: Delivery,
  at: EpochMs,
): boolean {
  const signatures = header('webhook-signature') ?? ''
  if (secrets.opens(trigger, signed, signatures)) return true
  const { secretVersion, secretRotatedAt } = trigger
  if (secretRotatedAt === null || at - secretRotatedAt > SECRET_GRACE_MS) return false
  return secrets.opens({ ...trigger, secretVersion: secretVersion - 1 }, signed, signatures)
}

async function runOf(deps: FireDeps, trigger: TriggerRow, tick: string): Promise<RunId | undefined> {
  const found = await deps.db
    .tenant(trigger.tenantId)
    .read((reader) => reader.first(tickOf, { triggerId: trigger.id, tick }))
  return found?.runId ?? undefined
}

/** JSON where it says that it is, else the text. */
function payloadOf({ header, body }: Delivery): Json {
  const type = (header('content-type') ?? '').toLowerCase().split(';')[0]?.trim() ?? ''
  if (type === 'application/json' || type.endsWith('+json')) return parseJson(body)
  return withoutNul(body)
}

function headersOf({ header }: Delivery): JsonObject {
  const shown = HEADERS_SHOWN.map((name) => [name, header(name)?.slice(0, HEADER_CHARS_MAX)])
  return Object.fromEntries(shown.filter(([, value]) => value !== undefined))
}
