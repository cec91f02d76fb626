// Identifiers: prefixed, time-ordered, branded. No other part of the product makes ids.

declare const brand: unique symbol

/** The prefix of each kind of id; `newId('run')` gives `run_…`. */
export const ID_PREFIX = {
  tenant: 'ten',
  user: 'usr',
  apiKey: 'key',
  agent: 'agt',
  tool: 'tol',
  workflow: 'wfl',
  session: 'ses',
  run: 'run',
  job: 'job',
  modelCall: 'mdc',
  usage: 'use',
  approval: 'apr',
  trigger: 'trg',
  signal: 'sig',
  project: 'prj',
  price: 'prc',
  rerate: 'rrt',
  cost: 'cst',
  budget: 'bud',
  hold: 'hld',
  plan: 'pln',
  subscription: 'sub',
  invoice: 'inv',
  billingItem: 'bli',
  outbox: 'box',
  request: 'req',
} as const

export type IdKind = keyof typeof ID_PREFIX
export type Id<K extends IdKind> = string & { readonly [brand]: K }

export type TenantId = Id<'tenant'>
export type UserId = Id<'user'>
export type ApiKeyId = Id<'apiKey'>
export type AgentId = Id<'agent'>
export type ToolId = Id<'tool'>
export type WorkflowId = Id<'workflow'>
/** The id of anything that is defined: an agent, a tool or a workflow. */
export type DefinitionId = AgentId | ToolId | WorkflowId
export type SessionId = Id<'session'>
export type RunId = Id<'run'>
export type JobId = Id<'job'>
export type ModelCallId = Id<'modelCall'>
export type UsageId = Id<'usage'>
export type ApprovalId = Id<'approval'>
export type TriggerId = Id<'trigger'>
export type SignalId = Id<'signal'>
export type ProjectId = Id<'project'>
export type PriceId = Id<'price'>
export type RerateId = Id<'rerate'>
export type CostId = Id<'cost'>
export type BudgetId = Id<'budget'>
export type HoldId = Id<'hold'>
export type PlanId = Id<'plan'>
export type SubscriptionId = Id<'subscription'>
export type InvoiceId = Id<'invoice'>
export type BillingItemId = Id<'billingItem'>
export type OutboxId = Id<'outbox'>

/** Crockford's base 32 in lower case: no i, l, o, u. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const TIME_CHARS = 10
const RANDOM_BYTES = 10
const POOL_BYTES = RANDOM_BYTES * 512
/** Prefix, underscore, 10 characters of time (ms) and 16 of randomness (80 bits). */
const ID_BODY = /^[0-9a-hjkmnp-tv-z]{26}$/

const pool = new Uint8Array(POOL_BYTES)
let poolAt = POOL_BYTES
let lastMs = 0
let lastRandom = new Uint8Array(RANDOM_BYTES)

/**
 * A new id, ordered by time: ids made by one process sort in the order in which they were made,
 * also within a millisecond (the random part is then counted up, as in the ULID specification).
 */
export function newId<K extends IdKind>(kind: K, nowMs: number = Date.now()): Id<K> {
  if (nowMs > lastMs) {
    lastMs = nowMs
    lastRandom = nextRandom()
  } else {
    countUp(lastRandom)
  }
  return `${ID_PREFIX[kind]}_${encodeTime(lastMs)}${encodeRandom(lastRandom)}` as Id<K>
}

/** Not later than any id of that kind made at that time or after it: where a search by time begins. */
export function firstIdAt<K extends IdKind>(kind: K, ms: number): Id<K> {
  return `${ID_PREFIX[kind]}_${encodeTime(Math.max(0, ms))}${'0'.repeat(16)}` as Id<K>
}

/** Whether the text has the form of an id of that kind. It says nothing about existence. */
export function isId<K extends IdKind>(kind: K, text: string): text is Id<K> {
  const prefix = ID_PREFIX[kind]
  return (
    text.length === prefix.length + 27 &&
    text.startsWith(`${prefix}_`) &&
    ID_BODY.test(text.slice(prefix.length + 1))
  )
}

function nextRandom(): Uint8Array<ArrayBuffer> {
  if (poolAt >= POOL_BYTES) {
    crypto.getRandomValues(pool)
    poolAt = 0
  }
  const bytes = pool.slice(poolAt, poolAt + RANDOM_BYTES)
  poolAt += RANDOM_BYTES
  // The top bit stays free so that counting up within a millisecond cannot overflow in practice.
  bytes[0] = (bytes[0] ?? 0) & 0x7f
  return bytes
}

function countUp(bytes: Uint8Array): void {
  for (let i = bytes.length - 1; i >= 0; i--) {
    const next = ((bytes[i] ?? 0) + 1) & 0xff
    bytes[i] = next
    if (next !== 0) return
  }
}

function encodeTime(ms: number): string {
  let text = ''
  let rest = ms
  for (let i = 0; i < TIME_CHARS; i++) {
    text = ALPHABET.charAt(rest % 32) + text
    rest = Math.floor(rest / 32)
  }
  return text
}

function encodeRandom(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET.charAt((held >> bits) & 31)
    }
    held &= (1 << bits) - 1
  }
  return text
}
