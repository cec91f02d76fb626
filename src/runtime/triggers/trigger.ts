// Triggers: what starts runs without anybody asking. A schedule, a signed delivery, or a named event.

import type { SignalId, TenantId, TriggerId } from '../../base/ids.ts'
import type { Json } from '../../base/json.ts'
import type { EpochMs } from '../../base/time.ts'
import type { Principal } from '../../contract/principal.ts'
import type { TriggerChange, TriggerInput } from '../../contract/trigger.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import type { RowOf } from '../../storage/schema/tables.ts'

export type TriggerRow = RowOf<'triggers'>
export type TriggerKind = TriggerRow['kind']

/** Of a tenant, of all kinds. */
export const TRIGGERS_PER_TENANT_MAX = 1_000
/** The next ticks that are shown of a schedule. */
export const NEXT_TICKS_SHOWN = 5
/** How long the secret before a rotation still opens the webhook. */
export const SECRET_GRACE_MS = 86_400_000

export interface TriggerContext {
  readonly requestId: string | undefined
  /** Called in the transaction of the change, with the id of what was made. */
  readonly inTransaction?: ((tx: TenantTransaction, id: string) => Promise<void>) | undefined
}

export interface TriggerPage {
  readonly items: readonly Trigger[]
  readonly nextCursor: string | undefined
}

export interface Trigger {
  readonly row: TriggerRow
  /** The next ticks of a schedule, while it is active. */
  readonly nextTicks: readonly EpochMs[]
}

export interface Signal {
  readonly id: SignalId
  readonly name: string
  readonly correlation: string
  readonly createdAt: EpochMs
}

/** A delivery to a webhook, as it came. */
export interface Delivery {
  readonly body: string
  header(name: string): string | undefined
}

export interface Triggers {
  /** The secret of a webhook is shown here and on rotation, and stored nowhere. */
  create(
    principal: Principal,
    input: TriggerInput,
    context: TriggerContext,
  ): Promise<{ readonly trigger: Trigger; readonly secret: string | null }>
  list(
    tenantId: TenantId,
    filter: {
      readonly limit: number
      readonly cursor?: string | undefined
      readonly kind?: TriggerKind | undefined
    },
  ): Promise<TriggerPage>
  get(tenantId: TenantId, id: TriggerId): Promise<Trigger>
  /** Whoever changes what it does is its owner from then on: nobody writes what runs in another's name. */
  update(
    principal: Principal,
    id: TriggerId,
    change: TriggerChange,
    context: TriggerContext,
  ): Promise<Trigger>
  delete(principal: Principal, id: TriggerId, context: TriggerContext): Promise<void>
  /** The secret before counts for `SECRET_GRACE_MS` more; one before that no longer. Who renews it is the owner from then on. */
  rotateSecret(
    principal: Principal,
    id: TriggerId,
    context: TriggerContext,
  ): Promise<{ readonly secret: string; readonly previousUntil: EpochMs }>
  /** Answers the run that the delivery started, now or when it came before. Throws `trigger.not-found` for all that is not signed. */
  receive(id: TriggerId, delivery: Delivery): Promise<{ readonly runId: string }>
  send(
    principal: Principal,
    event: { readonly name: string; readonly correlation: string; readonly data: Json },
    context: TriggerContext,
  ): Promise<Signal>
  signal(tenantId: TenantId, id: SignalId): Promise<Signal>
}
