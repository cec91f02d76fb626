// What identity/ gives the rest: principals from credentials, and the use cases on tenants and keys.

import type { ApiKeyId, TenantId, UserId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import type { OPERATE, Permission } from '../contract/permission.ts'
import type { Principal } from '../contract/principal.ts'
import type { Projects } from './project.ts'

export interface ApiKey {
  readonly id: ApiKeyId
  readonly name: string
  /** The first characters, to recognise it by. */
  readonly prefix: string
  readonly ownerId: UserId
  readonly permissions: readonly Permission[]
  readonly createdAt: EpochMs
  readonly expiresAt: EpochMs | null
  readonly revokedAt: EpochMs | null
  readonly lastUsedAt: EpochMs | null
}

export interface Tenant {
  readonly id: TenantId
  readonly name: string
  readonly status: 'active' | 'suspended'
  readonly capturePolicy: 'full' | 'redacted' | 'metadata'
  /** How many of its jobs run at once, over all workers; null: as the platform has it for every tenant. */
  readonly maxConcurrentJobs: number | null
  readonly createdAt: EpochMs
  readonly updatedAt: EpochMs
}

/** What somebody may be asked to hold: a permission in the tenant, or the platform itself. */
export type Right = Permission | typeof OPERATE

/** Where a request came from, for the audit row. */
export interface RequestContext {
  readonly requestId: string | undefined
  readonly ip?: string | undefined
}

export interface CreateKeyInput {
  readonly name: string
  readonly permissions: readonly Permission[]
  readonly expiresAt?: EpochMs | undefined
}

export interface KeyPage {
  readonly items: readonly ApiKey[]
  readonly nextCursor: string | undefined
}

export interface Bootstrapped {
  readonly tenantId: TenantId
  readonly userId: UserId
  /** Shown once, stored nowhere. */
  readonly key: string
}

export interface Identity {
  readonly projects: Projects
  /**
   * The principal of an API key. Throws `auth.invalid` (wrong form: no query was made; unknown or revoked),
   * `auth.expired`, `tenant.suspended`. Answers from a bounded cache that a revocation empties at once in this
   * process and within a second in others.
   */
  authenticateKey(key: string): Promise<Principal>
  /** Throws `access.denied` and writes the denial to the audit log. */
  authorize(principal: Principal, right: Right, context: RequestContext): Promise<void>
  /** Writes a denial to the audit log where the no is a rule's of what was asked for: whose answer it takes, what it starts. */
  recordRefusal(principal: Principal, right: Right, context: RequestContext): Promise<void>
  createKey(
    principal: Principal,
    input: CreateKeyInput,
    context: RequestContext,
  ): Promise<{ readonly apiKey: ApiKey; readonly key: string }>
  listKeys(
    principal: Principal,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<KeyPage>
  getKey(principal: Principal, id: ApiKeyId): Promise<ApiKey>
  revokeKey(principal: Principal, id: ApiKeyId, context: RequestContext): Promise<ApiKey>
  getTenant(principal: Principal): Promise<Tenant>
  /** Only an operator changes `maxConcurrentJobs`, and that also of another tenant (`tenantId`). */
  updateTenant(
    principal: Principal,
    change: {
      readonly name?: string | undefined
      readonly capturePolicy?: Tenant['capturePolicy'] | undefined
      readonly maxConcurrentJobs?: number | null | undefined
    },
    context: RequestContext,
    tenantId?: TenantId,
  ): Promise<Tenant>
  /** Makes the first tenant, its admin and a key where there is no tenant yet; undefined where there is one. */
  bootstrap(input: {
    readonly tenantName: string
    readonly adminName: string
  }): Promise<Bootstrapped | undefined>
}
